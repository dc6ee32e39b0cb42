# A box: namespaces of its own, around what runs in it, below ids that are nobody's here. Started by box.ts, which holds fd 3 open.
# When that ends, whatever became of whoever held it, the box ends with all that is in it.
# $1: the text of root.sh; then what that takes.
root=$1
shift
unshare --mount --net --pid --ipc --uts --fork --kill-child --propagation private sh -c "$root" sh "$@" 3<&- &
box=$!
{ cat <&3 >/dev/null; kill -s KILL "$box"; } 2>/dev/null &
wait "$box"
