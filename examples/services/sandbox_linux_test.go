package services

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// workplace is a directory of every Linux, on which the sandbox is built.
const workplace = "/mnt"

// A mount of the sandbox.
type mount struct {
	source, target, kind string
	flags                uintptr
	options              string
}

// enterSandbox turns new namespaces into a machine that nobody else uses. Its root
// directory is an overlay: what a service, its preparation and its client write is in
// memory. copies are files that it gets, by their path in it.
func enterSandbox(copies map[string]string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", workplace, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount %s: %w", workplace, err)
	}
	upper, work, root := workplace+"/upper", workplace+"/work", workplace+"/root"
	for _, dir := range []string{upper, work, root} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	const plain = unix.MS_NOSUID | unix.MS_NODEV
	err := mountAll(root, []mount{
		{"overlay", "/", "overlay", 0, "lowerdir=/,upperdir=" + upper + ",workdir=" + work},
		{"proc", "/proc", "proc", plain | unix.MS_NOEXEC, ""},
		{"sysfs", "/sys", "sysfs", plain | unix.MS_NOEXEC | unix.MS_RDONLY, ""},
		{"tmpfs", "/run", "tmpfs", plain, "mode=755"},
		{"tmpfs", "/tmp", "tmpfs", plain, "mode=1777"},
		{"tmpfs", "/dev", "tmpfs", unix.MS_NOSUID, "mode=755"},
	})
	if err != nil {
		return err
	}
	if err := makeDevices(root + "/dev"); err != nil {
		return err
	}
	for to, from := range copies {
		if err := copyFile(root+to, from); err != nil {
			return err
		}
	}
	if err := pivot(root); err != nil {
		return err
	}
	return loopbackUp()
}

func mountAll(root string, mounts []mount) error {
	for _, m := range mounts {
		if err := unix.Mount(m.source, root+m.target, m.kind, m.flags, m.options); err != nil {
			return fmt.Errorf("mount %s of the sandbox: %w", m.target, err)
		}
	}
	return nil
}

// makeDevices fills /dev as containers have it.
func makeDevices(dev string) error {
	for name, number := range map[string]uint64{
		"null": unix.Mkdev(1, 3), "zero": unix.Mkdev(1, 5), "full": unix.Mkdev(1, 7),
		"random": unix.Mkdev(1, 8), "urandom": unix.Mkdev(1, 9), "tty": unix.Mkdev(5, 0),
	} {
		path := filepath.Join(dev, name)
		if err := unix.Mknod(path, unix.S_IFCHR, int(number)); err != nil {
			return fmt.Errorf("make %s: %w", path, err)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx",
	} {
		if err := os.Symlink(to, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"pts", "shm"} {
		if err := os.Mkdir(filepath.Join(dev, name), 0o755); err != nil {
			return err
		}
	}
	const tty = "gid=5,mode=620" // as Debian mounts it
	return mountAll(dev, []mount{
		{"devpts", "/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=666," + tty},
		{"tmpfs", "/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	})
}

func copyFile(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode())
}

// pivot makes a directory the root directory, and detaches the other one.
func pivot(root string) error {
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach the old root directory: %w", err)
	}
	return unix.Chdir("/")
}

// loopbackUp sets the loopback interface up: netdevice(7).
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(request))); errno != 0 {
		return fmt.Errorf("set the loopback interface up: %w", errno)
	}
	return nil
}

// keepClock returns a function that restores the frequency and status of the clock, which
// no namespace separates. chronyd changes them; without a source it keeps the time.
func keepClock() func() {
	before := unix.Timex{}
	if _, err := unix.Adjtimex(&before); err != nil {
		return func() {}
	}
	return func() {
		before.Modes = unix.ADJ_FREQUENCY | unix.ADJ_MAXERROR | unix.ADJ_ESTERROR | unix.ADJ_STATUS | unix.ADJ_TICK | unix.ADJ_TIMECONST
		if _, err := unix.Adjtimex(&before); err != nil {
			fmt.Fprintln(os.Stderr, "restore the clock:", err)
		}
	}
}
