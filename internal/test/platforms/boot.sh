# Makes the root of a System and executes systemd in it: boot DIR MANAGER TARGET CONSOLE.
# CONSOLE is the terminal on which systemd logs.
# It runs as PID 1 of new namespaces: the mounts end with them.
dir=$1 manager=$2 target=$3 console=$4
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$dir/overlay"
cd "$dir/overlay"
mkdir upper work root
root=$dir/overlay/root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
	touch "$root/dev/$name"
	mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/shm" "$root/dev/pts" "$root/dev/mqueue"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
touch "$root/dev/console"
mount --bind "$console" "$root/dev/console"
ln -s /proc/self/fd "$root/dev/fd"
mkdir -p "$root/platform/out" "$root/run/systemd/system"
mount --bind "$dir/out" "$root/platform/out"
cp -r "$dir/units/." "$root/run/systemd/system"
cp -r --preserve=mode "$dir/files/." "$root"
ip link set lo up
# In a chroot, the kernel denies new user namespaces.
mkdir -p "$root/platform/old"
cd "$root"
pivot_root . platform/old
umount -l /platform/old
exec /usr/bin/env -i container=test "$manager" --system --unit="$target" \
	--log-target=console --log-level=info --show-status=no
