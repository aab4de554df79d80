package engine

import (
	"errors"
	"syscall"
)

// execHint returns what to do about an error of execve(2); empty for other errors.
func execHint(err error) string {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return "use a program built for this machine, or a script that begins with #!"
	case errors.Is(err, syscall.EACCES):
		return "let the target's user search its directories and execute it, on a mount without noexec"
	case errors.Is(err, syscall.ENOENT):
		return "install its dynamic loader (with chroot: inside that directory), or use a static program"
	case errors.Is(err, syscall.EAGAIN):
		return "raise RLIMIT_NPROC (rlimits.nproc): the target's user has more processes than it allows"
	case errors.Is(err, syscall.E2BIG):
		return "shorten the arguments or the environment"
	case errors.Is(err, syscall.ETXTBSY):
		return "stop the process that has the file open for writing"
	}
	return ""
}
