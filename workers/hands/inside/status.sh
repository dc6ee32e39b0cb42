# Prints how a job is: a word, its exit code, how much it has printed, how much of that was beyond what is kept; then what it printed.
# $1: the folder of the job; $2: from which byte on; $3: how many bytes at most.
dir=$1
if [ ! -d "$dir" ]; then
  echo 'missing 0 0 0'
  exit
fi
ended() {
  [ -e "$dir/exit" ]
}
code=0
if ! ended && [ -e "$dir/pid" ] && ! kill -0 "$(cat "$dir/pid")" 2>/dev/null; then
  # Between its end and the word of it.
  sleep 0.2
  ended || state=lost
fi
# Empty where there was no room to write it: then nobody knows.
if ended && [ -s "$dir/code" ]; then
  state=exited
  code=$(cat "$dir/code")
elif ended; then
  # So `timeout` ends; with anything else, it could not begin.
  case $(cat "$dir/exit") in
    124 | 137) state=timed_out ;;
    *) state=lost ;;
  esac
fi
size=$(stat -c %s "$dir/out" 2>/dev/null || echo 0)
echo "${state:-running} $code $size $(cat "$dir/more" 2>/dev/null || echo 0)"
tail -c "+$(($2 + 1))" "$dir/out" 2>/dev/null | head -c "$3"
