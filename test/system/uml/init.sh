#!/bin/sh
# The first process of the guest. The root is the host's, read-only; what a test writes goes to memory under /run and /mnt.
mount -t proc none /proc
export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/run/home TMPDIR=/run/tmp
script=
argument=
for word in $(cat /proc/cmdline); do
  case $word in
    docket_script=*) script=${word#*=} ;;
    docket_argument=*) argument=${word#*=} ;;
    docket_path=*) PATH=${word#*=} ;;
  esac
done

mount -t sysfs none /sys
mount -t configfs none /sys/kernel/config
mountpoint -q /dev || mount -t devtmpfs none /dev
for folder in /run /mnt; do mount -t tmpfs none "$folder"; done
mkdir -p /dev/pts /dev/shm "$HOME" "$TMPDIR"
mount -t devpts -o ptmxmode=666 none /dev/pts
mount -t tmpfs none /dev/shm
ip link set lo up 2> /dev/null

sh "$script" "$argument"
echo "docket-guest-exit $?"

# An exit of the first process is a panic; this is the way out that needs no program.
sync
echo o > /proc/sysrq-trigger
sleep 60
