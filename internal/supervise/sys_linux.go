package supervise

import (
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelAction has room for struct sigaction as rt_sigaction(2) has it on any
// architecture.
type kernelAction [16]uintptr

// sigIgn is SIG_IGN.
const sigIgn = 1

// handlerIndex says where the handler is in a kernelAction.
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

// hasProcFS reports whether /proc is the proc file system, and not a directory whose
// self/exe is another program.
func hasProcFS() bool {
	var fs unix.Statfs_t
	return unix.Statfs("/proc", &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}

// executedPath returns AT_EXECFN of getauxval(3): what execve(2) was called with.
func executedPath() string {
	const atExecFn = 31
	vector, err := unix.Auxv()
	if err != nil {
		return ""
	}
	for n := range vector {
		if vector[n][0] == atExecFn {
			// The kernel put the string on the stack, outside of what Go manages.
			return unix.BytePtrToString(*(**byte)(unsafe.Pointer(&vector[n][1])))
		}
	}
	return ""
}
