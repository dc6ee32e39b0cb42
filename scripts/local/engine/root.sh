# Lays out what a box sees: this machine's programs, read-only, and nothing else of it; the rest is memory, and ends with the box.
# $1: how large that may be; then the command. fd 4, if it is open: what an earlier box has left, as tar.
set -e
size=$1
shift
# The old /proc still tells the pid that this shell has outside.
read -r pid _ </proc/self/stat
mount -t tmpfs -o "size=$size,mode=755" none /tmp
cd /tmp
for part in usr bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$part" ]; then
    cp -P "/$part" "$part"
  elif [ -d "/$part" ]; then
    mkdir "$part"
    mount --rbind "/$part" "$part"
    mount -o remount,bind,ro "$part"
  fi
done
mkdir -p dev/shm proc run etc/ssl var/lib var/tmp var/cache tmp root home srv opt mnt workspace
chmod 1777 tmp var/tmp dev/shm
# Of /etc what programs need to run: the rest is this machine's own business.
for part in alternatives ca-certificates ld.so.cache ld.so.conf ld.so.conf.d mime.types ssl/certs ssl/openssl.cnf; do
  if [ -d "/etc/$part" ]; then mkdir "etc/$part"; elif [ -f "/etc/$part" ]; then : >"etc/$part"; else continue; fi
  mount --rbind "/etc/$part" "etc/$part"
  mount -o remount,bind,ro "etc/$part"
done
echo 'root:x:0:0:root:/root:/bin/bash' >etc/passwd
echo 'root:x:0:' >etc/group
echo '127.0.0.1 localhost' >etc/hosts
echo 'hosts: files' >etc/nsswitch.conf
# No terminal: it would be that of whoever has started all this.
for device in null zero full random urandom; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
if [ -e /proc/self/fd/4 ]; then
  tar -x --no-same-owner <&4
  exec 4<&-
fi
mkdir .machine
pivot_root . .machine
cd /
mount -t proc proc /proc
umount -l /.machine
rmdir /.machine
hostname sandbox 2>/dev/null || :
ip link set lo up 2>/dev/null || :
echo "ready $pid"
exec "$@" >/dev/null 2>&1
