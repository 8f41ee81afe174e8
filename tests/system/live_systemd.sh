#!/bin/sh
# Boot this computer's own systemd as process 1 of its own namespaces: processes, mounts, network, names, cgroups.
#   unshare --mount live_systemd.sh DIRECTORY SOURCE PYTHON PACKAGES        (as root)
# DIRECTORY: an empty one. SOURCE: the repository, seen at /opt/gatelodge/source. PYTHON: an interpreter,
# and the tests' PACKAGES for it.
# All that is this computer's is read-only there, but /etc, whose changes are dropped. What is written is in memory.
set -eu
directory=$1 source=$2 python=$3 packages=$4 stage=${5-outside}
upper=$directory/upper

in_memory() {  # MODE DIRECTORY
    mount -t tmpfs -o "mode=$1" tmpfs "$2"
}

if [ "$stage" = outside ]; then
    # The one hierarchy of cgroup v2, also where this computer's systemd still has several: a branch becomes a whole.
    mkdir "$directory/cgroup" "$upper"
    mount -t cgroup2 cgroup2 "$directory/cgroup"
    branch=$directory/cgroup/gatelodge-$$
    mkdir "$branch"
    sh -c 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"' sh "$branch" \
        setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --net --uts --ipc --cgroup \
        sh "$0" "$directory" "$source" "$python" "$packages" inside || true
    find "$branch" -depth -type d -exec rmdir {} +
    exit
fi

umount "$directory/cgroup"
in_memory 755 "$upper"
root=$upper/root
mkdir "$root" "$upper/etc" "$upper/work"

# This computer's files, and those of its other file systems, each once.
mount --bind / "$root"
while read -r _ target _; do
    case $target in
        / | /proc* | /sys* | /dev* | /run* | /tmp* | /home* | /root* | /opt* | /etc* | /var/*) ;;
        *) mount --bind -o ro "$target" "$root$target" ;;
    esac
done < /proc/self/mounts
mount -o remount,bind,ro "$root"

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"  # which also keeps udev from starting
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"

in_memory 755 "$root/dev"
for each in null zero full random urandom tty; do
    touch "$root/dev/$each"
    mount --bind "/dev/$each" "$root/dev/$each"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir "$root/dev/pts" "$root/dev/shm"
in_memory 1777 "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"

# No unit that somebody has enabled here, and none that would touch the kernel, which is not ours alone.
mount -t overlay -o "lowerdir=/etc,upperdir=$upper/etc,workdir=$upper/work" overlay "$root/etc"
rm -rf "$root/etc/systemd/system"
mkdir "$root/etc/systemd/system"
for each in systemd-modules-load.service systemd-logind.service getty.target console-getty.service dbus.socket \
    dbus.service sys-kernel-debug.mount sys-kernel-tracing.mount; do
    ln -s /dev/null "$root/etc/systemd/system/$each"
done
: > "$root/etc/fstab"
od -An -N16 -tx1 /dev/urandom | tr -d ' \n' > "$root/etc/machine-id"

# Gatelodge as an operator has it: a virtual environment below /opt.
in_memory 755 "$root/opt"
mkdir -p "$root/opt/gatelodge/source"
mount --bind "$source" "$root/opt/gatelodge/source"
chroot "$root" "$python" -m venv --without-pip /opt/gatelodge
mount --bind "$packages" "$root"/opt/gatelodge/lib/python3*/site-packages
cat > "$root/opt/gatelodge/bin/gatelodge" <<'END'
#!/opt/gatelodge/bin/python
import sys
sys.path[:0] = ["/opt/gatelodge/source", "/opt/gatelodge/source/firmware"]
from host_tools.cli import main
sys.exit(main())
END
chmod 755 "$root/opt/gatelodge/bin/gatelodge"

for each in run var/log var/cache home; do in_memory 755 "$root/$each"; done
# systemd makes no key of the computer where it would be lost: /var/lib must not look like memory.
mkdir "$upper/empty" "$upper/lib" "$upper/lib.work"
mount -t overlay -o "lowerdir=$upper/empty,upperdir=$upper/lib,workdir=$upper/lib.work" overlay "$root/var/lib"
in_memory 700 "$root/root"
in_memory 1777 "$root/tmp"
in_memory 1777 "$root/var/tmp"
cd "$root"
mkdir run/old
pivot_root . run/old
umount -l /run/old
rmdir /run/old
mount --make-rshared /  # or no credential reaches a service
exec env -i container=gatelodge-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=multi-user.target --log-target=journal
