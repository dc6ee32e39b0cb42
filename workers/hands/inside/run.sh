# Runs a job to its end, apart from whoever has begun it. What it prints goes through a pipe that is always read, so that it neither blocks
# nor dies of its own output: the beginning of it is kept as it comes, the end when it is over.
# $1: the folder of the job; $2: how many seconds it may take; $3: how many bytes of either are kept.
dir=$1
seconds=$2
bytes=$3
cd /workspace || exit
# Of the gate, which speaks TLS in the place of the hosts: there is no other way out.
authority=/etc/cloudflare/certs/cloudflare-containers-ca.crt
if [ -e "$authority" ]; then
  export CURL_CA_BUNDLE=$authority GIT_SSL_CAINFO=$authority NODE_EXTRA_CA_CERTS=$authority SSL_CERT_FILE=$authority
fi
mkfifo "$dir/pipe" "$dir/rest"
tail -c "$bytes" <"$dir/rest" >"$dir/end" &
{
  # A head that buffers would show nothing of a job that prints a line now and then.
  stdbuf -o0 head -c "$bytes" >"$dir/out"
  tee "$dir/rest" | wc -c >"$dir/counting"
  mv "$dir/counting" "$dir/more"
} <"$dir/pipe" &
# Its code is written by itself: 124 may be the script's own.
ERRAND_JOB="${dir##*/}" setsid sh -c '
  echo $$ >"$0/pid"
  exec timeout -k 5 "$1" sh -c '\''bash "$0/script"; echo $? >"$0/code"'\'' "$0"
' "$dir" "$seconds" >"$dir/pipe" 2>&1 </dev/null
echo $? >"$dir/ending"
mv "$dir/ending" "$dir/exit"
