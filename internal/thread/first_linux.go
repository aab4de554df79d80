package thread

import "syscall"

// onFirst reports whether the first thread of the process is the calling one.
func onFirst() bool { return syscall.Gettid() == syscall.Getpid() }
