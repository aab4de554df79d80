//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// apply applies one setting. Capability sets are hexadecimal masks.
func apply(name, value string) error {
	switch name {
	case "uid":
		// uid=N, or uid=REAL,EFFECTIVE,SAVED; gid likewise.
		return setIDs(unix.SYS_SETRESUID, value)
	case "gid":
		return setIDs(unix.SYS_SETRESGID, value)
	case "groups":
		return setgroups(list(value))
	case "caps":
		// The permitted and effective sets.
		return changeCaps(func(c *caps) { c.e, c.p = parse(value), parse(value) })
	case "lose":
		return changeCaps(func(c *caps) { c.e, c.p = c.e&^parse(value), c.p&^parse(value) })
	case "inheritable":
		return changeCaps(func(c *caps) { c.i = parse(value) })
	case "ambient":
		for n := range uintptr(64) {
			if parse(value)&(1<<n) != 0 {
				if err := prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, n); err != nil {
					return err
				}
			}
		}
		return nil
	case "bounding":
		return dropBounding(^parse(value))
	case "unbound":
		return dropBounding(parse(value))
	case "keepcaps":
		return prctl(unix.PR_SET_KEEPCAPS, 1, 0)
	case "secbits":
		return prctl(unix.PR_SET_SECUREBITS, uintptr(parse(value)), 0)
	case "nnp":
		return prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0)

	case "umask":
		unix.Umask(int(parse("0" + value)))
		return nil
	case "nofile":
		return syscall.Setrlimit(unix.RLIMIT_NOFILE, &syscall.Rlimit{Cur: parse(value), Max: parse(value)})
	case "soft-nofile":
		var l syscall.Rlimit
		if err := syscall.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
			return err
		}
		l.Cur = parse(value)
		return syscall.Setrlimit(unix.RLIMIT_NOFILE, &l)
	case "nproc":
		return syscall.Setrlimit(unix.RLIMIT_NPROC, &syscall.Rlimit{Cur: parse(value), Max: parse(value)})
	case "fsize":
		return syscall.Setrlimit(unix.RLIMIT_FSIZE, &syscall.Rlimit{Cur: parse(value), Max: parse(value)})
	case "limit":
		// RESOURCE:SOFT:HARD.
		f := strings.SplitN(value, ":", 3)
		return syscall.Setrlimit(int(parse(f[0])), &syscall.Rlimit{Cur: parse(f[1]), Max: parse(f[2])})
	case "nice":
		return unix.Setpriority(unix.PRIO_PROCESS, 0, int(parse(value)))
	case "batch":
		return raw(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_BATCH, uintptr(unsafe.Pointer(new(int32))))
	case "cpu":
		var set unix.CPUSet
		set.Set(int(parse(value)))
		return unix.SchedSetaffinity(0, &set)
	case "oom":
		return os.WriteFile("/proc/self/oom_score_adj", []byte(value), 0)
	case "core-filter":
		return os.WriteFile("/proc/self/coredump_filter", []byte(value), 0)
	case "key":
		return joinWithKey(value)
	case "slack":
		return prctl(unix.PR_SET_TIMERSLACK, uintptr(parse(value)), 0)
	case "pdeathsig":
		return prctl(unix.PR_SET_PDEATHSIG, uintptr(parse(value)), 0)
	case "subreaper":
		return prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0)
	case "nothp":
		return prctl(unix.PR_SET_THP_DISABLE, 1, 0)
	case "personality":
		return raw(unix.SYS_PERSONALITY, uintptr(parse(value)), 0, 0)
	case "ignore":
		for _, n := range list(value) {
			signal.Ignore(syscall.Signal(n))
		}
		return nil
	case "block":
		var set unix.Sigset_t
		for _, n := range list(value) {
			bits := uint32(unsafe.Sizeof(set.Val[0]) * 8)
			set.Val[(n-1)/bits] |= 1 << ((n - 1) % bits)
		}
		return unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil)

	case "cwd":
		return unix.Chdir(value)
	case "chroot":
		return unix.Chroot(value)
	case "fd":
		return openAt(value)
	case "write":
		// Open for writing, and never closed.
		_, err := unix.Open(value, unix.O_RDWR, 0)
		return err
	case "forbid":
		return forbid(value)
	case "pids":
		return joinPids(value)
	case "close":
		return unix.Close(int(parse(value)))

	case "mounts":
		// A new mount namespace, from which no mount propagates.
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return err
		}
		return unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	case "foreign":
		// A working directory on a mount of the old mount namespace.
		dir, err := unix.Open(value, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		return errors.Join(unix.Unshare(unix.CLONE_NEWNS), unix.Fchdir(dir))
	case "idmap":
		return idmap(value)
	case "tmpfs":
		return unix.Mount("runas", value, "tmpfs", 0, "mode=755")
	case "format":
		// Of binfmt_misc: in the initial user namespace it is the machine's.
		const dir = "/proc/sys/fs/binfmt_misc"
		if err := unix.Mount("runas", dir, "binfmt_misc", 0, ""); err != nil && err != unix.EBUSY {
			return err
		}
		return os.WriteFile(dir+"/register", []byte(value), 0o200)
	case "bind":
		from, to, _ := strings.Cut(value, ":")
		return unix.Mount(from, to, "", unix.MS_BIND, "")
	case "nosuid", "noexec", "ro":
		flags := map[string]uintptr{"nosuid": unix.MS_NOSUID, "noexec": unix.MS_NOEXEC, "ro": unix.MS_RDONLY}
		if err := unix.Mount(value, value, "", unix.MS_BIND, ""); err != nil {
			return err
		}
		return unix.Mount("", value, "", unix.MS_REMOUNT|unix.MS_BIND|flags[name], "")
	case "readonly":
		// A flag of an existing mount, not of its file system.
		return unix.Mount("", value, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	case "readonly-files":
		// A flag of the file system of a mount.
		return unix.Mount("", value, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
	case "umount":
		return unix.Unmount(value, unix.MNT_DETACH)

	case "copy":
		// The tests cannot do this: a program that a forking process has written may
		// still be open for writing in a child, and cannot be executed then.
		from, to, _ := strings.Cut(value, ":")
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o755)
	case "machine":
		number, file, _ := strings.Cut(value, ":")
		return setMachine(file, uint16(parse(number)))
	case "filecaps":
		return setFileCaps(value)
	case "mode":
		mode, file, _ := strings.Cut(value, ":")
		return unix.Chmod(file, uint32(parse("0"+mode)))
	case "owner":
		ids, file, _ := strings.Cut(value, ":")
		uid, gid, _ := strings.Cut(ids, ".")
		return unix.Lchown(file, int(parse(uid)), int(parse(gid)))
	case "acl":
		// acl=UID:FILE: that user may read and execute a file that otherwise only its
		// owner can, with the entries of acl(5): tag, rights, id.
		uid, file, _ := strings.Cut(value, ":")
		list := binary.LittleEndian.AppendUint32(nil, 2)
		for _, e := range [][3]uint32{{0x01, 7, ^uint32(0)}, {0x02, 5, uint32(parse(uid))}, {0x04, 0, ^uint32(0)}, {0x10, 5, ^uint32(0)}, {0x20, 0, ^uint32(0)}} {
			list = binary.LittleEndian.AppendUint32(list, e[0]|e[1]<<16)
			list = binary.LittleEndian.AppendUint32(list, e[2])
		}
		return unix.Setxattr(file, "system.posix_acl_access", list, 0)
	case "large":
		size, file, _ := strings.Cut(value, ":")
		if err := os.WriteFile(file, []byte("version: 1\n#"), 0o644); err != nil {
			return err
		}
		return os.Truncate(file, int64(parse(size)))
	case "symlink":
		target, link, _ := strings.Cut(value, ":")
		return os.Symlink(target, link)
	case "mkdir":
		return os.Mkdir(value, 0o755)
	case "swap":
		// Exchanges two names for a minute, or until it is killed.
		a, b, _ := strings.Cut(value, ":")
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
				return err
			}
		}
		return nil
	case "wait":
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case "fifo":
		return unix.Mkfifo(value, 0o600)
	}
	return applyAttribute(name, value)
}

// parse reads a number: decimal, 0x and 0 for other bases.
func parse(s string) uint64 {
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		fail("number", err)
	}
	return n
}

func list(s string) []uint32 {
	var ids []uint32
	for _, field := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) {
		ids = append(ids, uint32(parse(field)))
	}
	return ids
}

// raw makes a system call on the calling thread: package syscall would make the calls
// that change ids on every thread. Arguments that were pointers are on the heap.
//
//go:uintptrescapes
func raw(call uintptr, a, b, c uintptr) error {
	_, _, errno := unix.RawSyscall(call, a, b, c)
	if errno != 0 {
		return errno
	}
	return nil
}

func setIDs(call uintptr, value string) error {
	ids := list(value)
	if len(ids) != 3 {
		id := uint32(parse(value))
		ids = []uint32{id, id, id}
	}
	return raw(call, uintptr(ids[0]), uintptr(ids[1]), uintptr(ids[2]))
}

func dropBounding(drop uint64) error {
	for n := range uintptr(64) {
		if drop&(1<<n) == 0 || prctl(unix.PR_CAPBSET_READ, n, 0) != nil {
			continue
		}
		if err := prctl(unix.PR_CAPBSET_DROP, n, 0); err != nil {
			return err
		}
	}
	return nil
}

func setgroups(ids []uint32) error {
	if len(ids) == 0 {
		return raw(unix.SYS_SETGROUPS, 0, 0, 0)
	}
	return raw(unix.SYS_SETGROUPS, uintptr(len(ids)), uintptr(unsafe.Pointer(&ids[0])), 0)
}

// become changes the whole identity.
func become(uid, gid uint32, groups []uint32) error {
	if err := setgroups(groups); err != nil {
		return err
	}
	if err := raw(unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)); err != nil {
		return err
	}
	return raw(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid))
}

// caps are the sets that capset(2) changes.
type caps struct{ e, p, i uint64 }

func changeCaps(change func(*caps)) error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	if err := unix.Capget(&hdr, &d[0]); err != nil {
		return err
	}
	join := func(low, high uint32) uint64 { return uint64(high)<<32 | uint64(low) }
	c := caps{
		join(d[0].Effective, d[1].Effective),
		join(d[0].Permitted, d[1].Permitted),
		join(d[0].Inheritable, d[1].Inheritable),
	}
	change(&c)
	for n := range d {
		d[n] = unix.CapUserData{Effective: uint32(c.e >> (32 * n)), Permitted: uint32(c.p >> (32 * n)), Inheritable: uint32(c.i >> (32 * n))}
	}
	return unix.Capset(&hdr, &d[0])
}

// openAt opens a file for reading as a descriptor of a given number: N:PATH.
func openAt(value string) error {
	number, path, _ := strings.Cut(value, ":")
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if want := int(parse(number)); want != fd {
		if err := unix.Dup3(fd, want, 0); err != nil {
			return err
		}
		unix.Close(fd)
		fd = want
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
	return err
}

// setFileCaps writes the capabilities of a file, PERMITTED,INHERITABLE[,e]:PATH,
// as version 2 of the attribute: capabilities(7).
func setFileCaps(value string) error {
	text, path, _ := strings.Cut(value, ":")
	fields := strings.Split(text, ",")
	if len(fields) < 2 {
		return fmt.Errorf("%q is not PERMITTED,INHERITABLE", text)
	}
	permitted, inheritable := parse(fields[0]), parse(fields[1])
	magic := uint32(0x02000000)
	if len(fields) > 2 {
		magic |= 1
	}
	var data [20]byte
	binary.LittleEndian.PutUint32(data[0:], magic)
	for n := range 2 {
		binary.LittleEndian.PutUint32(data[4+8*n:], uint32(permitted>>(32*n)))
		binary.LittleEndian.PutUint32(data[8+8*n:], uint32(inheritable>>(32*n)))
	}
	if err := unix.Setxattr(path, "security.capability", data[:], 0); err != nil {
		return &os.PathError{Op: "setxattr", Path: path, Err: err}
	}
	return nil
}

// setMachine changes for which machine an ELF file says it is: elf(5).
func setMachine(path string, machine uint16) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	var data [2]byte
	binary.NativeEndian.PutUint16(data[:], machine)
	if _, err := f.WriteAt(data[:], 18); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
