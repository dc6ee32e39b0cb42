# Ends all that runs here: the job, what it has left behind, and what that has; what they have printed is written to its end.
# $1: the folder of the job.
dir=$1
wait_for() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -e "$dir/$1" ] && return
    sleep 0.1
  done
}
if [ -e "$dir/pid" ] && [ ! -e "$dir/exit" ]; then
  kill -s TERM -- "-$(cat "$dir/pid")" 2>/dev/null
  wait_for exit
fi
# What holds the pipe open: also what has taken a session of its own.
for environ in $(grep -lzx "ERRAND_JOB=${dir##*/}" /proc/[0-9]*/environ 2>/dev/null); do
  process=${environ#/proc/}
  kill -s KILL "${process%/environ}" 2>/dev/null
done
[ -e "$dir/pipe" ] && wait_for more
# All but the first process and this one.
kill -s KILL -- -1 2>/dev/null
:
