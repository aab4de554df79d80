package op

import "fmt"

// Sys is a system call. A back end has its number.
type Sys uint8

// The system calls of a sealed launcher.
const (
	Capget Sys = iota
	Capset
	Prctl
	Getresuid
	Getresgid
	Setresuid
	Setresgid
	Setfsuid
	Setfsgid
	Getgroups
	Setgroups
	Getpid
	Getppid
	Getpgid
	Getsid
	Setsid
	Keyctl
	AddKey
	RequestKey
	Umask
	Prlimit64
	Chroot
	Chdir
	Statx
	Fstatfs
	Getxattr
	Openat
	Pread64
	Read
	Close
	CloseRange
	Eventfd2
	Fcntl
	Ioctl
	Faccessat2
	RtSigaction
	RtSigprocmask
	Setitimer
	Write
	Mmap
	Execve
	ExitGroup
	Syscalls // the number of system calls
)

var sysNames = [Syscalls]string{
	"capget", "capset", "prctl", "getresuid", "getresgid", "setresuid", "setresgid",
	"setfsuid", "setfsgid", "getgroups", "setgroups", "getpid", "getppid", "getpgid",
	"getsid", "setsid", "keyctl", "add_key", "request_key", "umask", "prlimit64", "chroot",
	"chdir", "statx", "fstatfs", "getxattr", "openat", "pread64",
	"read", "close", "close_range", "eventfd2", "fcntl", "ioctl", "faccessat2",
	"rt_sigaction", "rt_sigprocmask", "setitimer", "write", "mmap", "execve",
	"exit_group",
}

// String returns the name of the system call, such as "capget".
func (s Sys) String() string {
	if s < Syscalls {
		return sysNames[s]
	}
	return fmt.Sprintf("system call %d", s)
}
