#!/bin/sh
# What miniflare starts instead of workerd itself (MINIFLARE_WORKERD_PATH). workerd outlives a Node.js that is killed, and
# would go on holding the port and the state; and it would inherit our whole environment, with the secrets of every Worker.
workerd=$ERRAND_WORKERD
temporary=${TMPDIR:-/tmp}
# Linux ends it with its parent; elsewhere somebody has to look.
if setpriv --pdeathsig keep true 2>/dev/null; then
  exec setpriv --pdeathsig KILL env -i TZ=UTC TMPDIR="$temporary" "$workerd" "$@"
fi
node=$PPID
self=$$
(
  while kill -0 "$node"; do
    kill -0 "$self" || exit
    sleep 0.25
  done
  kill -9 "$self"
) </dev/null >/dev/null 2>&1 3>&- &
exec env -i TZ=UTC TMPDIR="$temporary" "$workerd" "$@"
