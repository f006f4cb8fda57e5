#!/usr/bin/env bash
# Starts a real systemd as the first process of new namespaces, with no units but those of a directory:
#   systemd-machine.sh UNITS CGROUP      CGROUP is a directory of the cgroup2 hierarchy, made here
# Its mounts are invisible outside; when it ends, everything in it ends.
set -e
if [ "$3" != inside ]; then
  mkdir -p "$2"
  echo $$ >"$2/cgroup.procs"
  exec unshare --pid --fork --kill-child --mount --propagation unchanged --uts --ipc --cgroup "$0" "$1" "$2" inside
fi
# If other processes unmount something outside, it must not stay mounted in here.
mount --make-rslave /
mount -t proc proc /proc
for other in $(awk '/ - fuse/ { print $5 }' /proc/self/mountinfo | tac); do umount -l "$other" || true; done
# As systemd does it on a host: other mount namespaces see what a service mounts.
mount --make-rshared /
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/cache
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mountpoint -q /sys/fs/fuse/connections || mount -t fusectl fusectl /sys/fs/fuse/connections
mount --bind /dev/null /dev/console
exec env -i "PATH=$PATH" container=other "SYSTEMD_UNIT_PATH=$1" SYSTEMD_GENERATOR_PATH=/nonexistent \
  /lib/systemd/systemd --system --log-target=console --log-level=info --show-status=no
