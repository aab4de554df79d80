package observe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A process gives access to a process that is being recorded. Its methods return false if
// the process has ended, or does not permit it.
type process interface {
	// read reads from the memory of a process. Less than len(b) bytes are a failure.
	read(pid int, address uint64, b []byte) bool

	// link returns where a link below /proc/PID leads: "cwd", or "fd/3".
	link(pid int, name string) (string, bool)
}

// argument kinds of callArguments.
const (
	argSkip      = '.'
	argPath      = 's' // a path, relative to the working directory
	argDirectory = 'd' // a directory's descriptor, for the path that follows
	argText      = 't' // another string
	argFile      = 'f' // a descriptor, as what it leads to if that can be read
	argInt       = 'i' // signed, 32 bits
	argOctal     = 'o'
	argAddress   = 'a' // a socket address; its length follows
	argGroups    = 'g' // the number of group IDs; their address follows
	argFamily    = 'F' // of a socket
	argType      = 'T' // of a socket
)

// callArguments says which arguments of a system call are printed, and how.
var callArguments = map[string]string{
	"open": "s", "openat": "ds", "openat2": "ds", "creat": "s",
	"stat": "s", "lstat": "s", "newfstatat": "ds", "statx": "ds", "statfs": "s",
	"access": "s", "faccessat": "ds", "faccessat2": "ds",
	"readlink": "s", "readlinkat": "ds", "chdir": "s", "fchdir": "f", "chroot": "s",
	"mkdir": "so", "mkdirat": "dso", "mknod": "so", "mknodat": "dso",
	"unlink": "s", "unlinkat": "ds", "rmdir": "s",
	"rename": "ss", "renameat": "dsds", "renameat2": "dsds",
	"link": "ss", "linkat": "dsds", "symlink": "ts", "symlinkat": "tds",
	"chmod": "so", "fchmod": "fo", "fchmodat": "dso", "fchmodat2": "dso",
	"chown": "sii", "lchown": "sii", "fchown": "fii", "fchownat": "dsii",
	"truncate": "s", "ftruncate": "f", "utime": "s", "utimes": "s", "utimensat": "ds", "futimesat": "ds",
	"setxattr": "st", "lsetxattr": "st", "fsetxattr": "ft", "removexattr": "st", "lremovexattr": "st", "fremovexattr": "ft",
	"getxattr": "st", "lgetxattr": "st", "fgetxattr": "ft",
	"execve": "s", "execveat": "ds", "inotify_add_watch": ".s", "fanotify_mark": "...ds",
	"mount": "tst", "umount2": "s", "pivot_root": "ss", "move_mount": "dsds", "open_tree": "ds", "fsopen": "t",
	"swapon": "s", "swapoff": "s", "acct": "s", "quotactl": ".s", "sethostname": "t", "setdomainname": "t",
	"bind": ".a", "connect": ".a", "sendto": "....a", "socket": "FTi", "setsockopt": ".ii", "getsockopt": ".ii",
	"setuid": "i", "setgid": "i", "setreuid": "ii", "setregid": "ii", "setresuid": "iii", "setresgid": "iii",
	"setfsuid": "i", "setfsgid": "i", "setgroups": "g",
	"kill": "ii", "tkill": "ii", "tgkill": "iii", "pidfd_open": "i", "ptrace": "ii", "kcmp": "iii",
	"process_vm_readv": "i", "process_vm_writev": "i",
	"prctl": "ii", "unshare": "i", "setns": "fi", "personality": "i",
	"setpriority": "iii", "sched_setscheduler": "ii", "sched_setparam": "i", "sched_setaffinity": "i", "sched_setattr": "i",
	"ioprio_set": "iii", "setrlimit": "i", "prlimit64": "ii",
	"ioctl": "fi", "fcntl": "fii", "flock": "fi", "write": "f", "read": "f", "pwrite64": "f", "fallocate": "fi",
	"clock_settime": "i", "clock_adjtime": "i", "timer_create": "i", "syslog": "i", "reboot": "iii",
	"init_module": "", "finit_module": "f", "bpf": "i", "perf_event_open": ".i", "add_key": "tt", "keyctl": "ii",
	"shmctl": "ii", "msgctl": "ii", "semctl": "iii",
}

// maxPath is PATH_MAX of linux/limits.h, and the limit of any string that is read.
const maxPath = 4096

// maxGroups is NGROUPS_MAX of linux/limits.h.
const maxGroups = 65536

// A callReader reads the arguments of a system call.
type callReader struct {
	process
	pid   int
	known [6]bool // arguments whose register was recorded
	args  [6]uint64
}

// text returns the arguments of a call as Call.Args has them. It ends before the first one
// that cannot be read.
func (c callReader) text(name string) string {
	var words []string
	directory := "cwd"
	for n, kind := range callArguments[name] {
		if kind == argSkip {
			continue
		}
		if !c.known[n] {
			break
		}
		if kind == argDirectory {
			directory = descriptorLink(c.args[n])
			continue
		}
		word, ok := c.word(kind, n, directory)
		if !ok {
			break
		}
		directory = "cwd"
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func (c callReader) word(kind rune, n int, directory string) (string, bool) {
	value := c.args[n]
	switch kind {
	case argPath:
		s, ok := c.string(value)
		return strconv.QuoteToASCII(c.absolute(s, directory)), ok
	case argText:
		s, ok := c.string(value)
		return strconv.QuoteToASCII(s), ok
	case argFile:
		if path, ok := c.link(c.pid, descriptorLink(value)); ok {
			return strconv.QuoteToASCII(path), true
		}
		return strconv.Itoa(int(int32(value))), true
	case argInt:
		return strconv.Itoa(int(int32(value))), true
	case argOctal:
		return fmt.Sprintf("%#o", uint32(value)), true
	case argFamily:
		return named(families, value, "AF_"), true
	case argType:
		return named(socketTypes, value&0xf, "SOCK_"), true // without SOCK_CLOEXEC and SOCK_NONBLOCK
	case argAddress:
		return c.socketAddress(value, c.args[n+1], c.known[n+1])
	case argGroups:
		// Only the number: programs free the list soon after the call.
		if value == 1 {
			return "1 group", true
		}
		return fmt.Sprintf("%d groups", uint32(value)), true
	}
	return "", false
}

// descriptorLink returns the name below /proc/PID of a descriptor, or of the working
// directory for AT_FDCWD.
func descriptorLink(value uint64) string {
	const atFDCWD = -100
	if int32(value) == atFDCWD {
		return "cwd"
	}
	return "fd/" + strconv.Itoa(int(int32(value)))
}

// absolute puts the directory before a relative path, if the directory can be read.
func (c callReader) absolute(path, directory string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	at, ok := c.link(c.pid, directory)
	switch {
	case !ok || !strings.HasPrefix(at, "/"):
		return path
	case path == "" || path == ".":
		return at
	}
	return strings.TrimSuffix(at, "/") + "/" + strings.TrimPrefix(path, "./")
}

// string reads a string that ends with a zero byte.
func (c callReader) string(address uint64) (string, bool) {
	const page, chunk = 4096, 256
	var text []byte
	for address != 0 && len(text) < maxPath {
		// Not beyond the page, as the next one may be unmapped.
		b := make([]byte, min(chunk, page-address%page))
		if !c.read(c.pid, address, b) {
			return "", false
		}
		if end := slices.Index(b, 0); end >= 0 {
			return string(append(text, b[:end]...)), true
		}
		text = append(text, b...)
		address += uint64(len(b))
	}
	return "", false
}

// groups reads a list of group IDs.
func (c callReader) groups(count, address uint64, known bool) ([]uint32, bool) {
	count = uint64(uint32(count))
	if !known || count > maxGroups {
		return nil, false
	}
	groups := make([]uint32, 0, count)
	if count == 0 {
		return groups, true
	}
	b := make([]byte, 4*count)
	if !c.read(c.pid, address, b) {
		return nil, false
	}
	r := &fieldReader{b, true}
	for range count {
		groups = append(groups, r.u32())
	}
	return groups, true
}
