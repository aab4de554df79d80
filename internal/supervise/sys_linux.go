package supervise

import (
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelAction has room for the struct sigaction of rt_sigaction(2) of any architecture.
type kernelAction [16]uintptr

// sigIgn is SIG_IGN.
const sigIgn = 1

// handlerIndex returns the index of the handler in a kernelAction.
func handlerIndex() int {
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		return 1 // after the flags
	}
	return 0
}

// sigaction is rt_sigaction(2).
func sigaction(sig unix.Signal, set, old *kernelAction) error {
	size := uintptr(lastSignal / 8)
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		size = 128 / 8
	}
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), size, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// hasProcFS reports whether /proc is the proc file system. In any other directory,
// self/exe could be another program.
func hasProcFS() bool {
	var fs unix.Statfs_t
	return unix.Statfs("/proc", &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}

// executedPath returns the path that caprun was executed by, AT_EXECFN of getauxval(3),
// or "".
func executedPath() string {
	const atExecFn = 31
	vector, err := unix.Auxv()
	if err != nil {
		return ""
	}
	for n := range vector {
		if vector[n][0] == atExecFn {
			// The string is on the initial stack, outside the memory that Go manages.
			return unix.BytePtrToString(*(**byte)(unsafe.Pointer(&vector[n][1])))
		}
	}
	return ""
}
