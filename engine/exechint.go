package engine

import (
	"errors"
	"syscall"
)

// execHint says what to do about an error of execve(2).
func execHint(err error) string {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return "it is neither a program for this machine nor a script with a first line #!"
	case errors.Is(err, syscall.EACCES):
		return "the target's user must be able to search its directories and to execute it, on a mount without noexec"
	case errors.Is(err, syscall.ENOENT):
		return "its dynamic loader is missing inside the root directory; a static program needs none"
	case errors.Is(err, syscall.EAGAIN):
		return "the target's user has more processes than RLIMIT_NPROC allows"
	case errors.Is(err, syscall.E2BIG):
		return "the arguments and the environment are too large"
	case errors.Is(err, syscall.ETXTBSY):
		return "somebody has it open for writing"
	}
	return ""
}
