//go:build linux && amd64

// Command notify puts itself under a filter of system calls, hands its
// listener over on descriptor 3, a Unix socket, and runs a program in its
// place:
//
//	notify 59,157 -- PROGRAM [ARG...]
//
// The numbers are those of the system calls that wait for the listener. Build
// it with CGO_ENABLED=0.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data, and BPF operations: seccomp(2).
const (
	offsetNR  = 0
	offsetArg = 16 // the lower half of the first argument, little-endian

	load      = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	jumpEqual = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jumpAbove = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	ret       = unix.BPF_RET | unix.BPF_K
)

// prSetVMA names memory; the Go runtime calls it at any time.
const prSetVMA = 0x53564d41

// lastFD is the last descriptor whose fcntl waits: internal/test/creds checks a
// thousand.
const lastFD = 31

const socket = 3

func main() {
	if len(os.Args) < 4 || os.Args[2] != "--" {
		fail("usage", fmt.Errorf("notify N,N -- PROGRAM [ARG...]"))
	}
	runtime.LockOSThread()
	filter := build(os.Args[1])
	prog := &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	argv, err := syscall.SlicePtrFromStrings(os.Args[3:])
	check("arguments", err)
	envv, err := syscall.SlicePtrFromStrings(os.Environ())
	check("environment", err)
	unix.CloseOnExec(socket)

	// From here on any call may wait for the listener: do not allocate.
	control := unix.UnixRights(0)
	payload := []byte{0}
	vector := &unix.Iovec{Base: &payload[0], Len: 1}
	// sendmmsg(2), because sendmsg may be among the calls that wait.
	message := &struct {
		unix.Msghdr
		sent uint32
	}{Msghdr: unix.Msghdr{Iov: vector, Iovlen: 1, Control: &control[0], Controllen: uint64(len(control))}}
	place := (*int32)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(prog)))
	if errno != 0 {
		fail("seccomp", errno)
	}
	*place = int32(fd)
	if _, _, errno = unix.RawSyscall6(unix.SYS_SENDMMSG, socket, uintptr(unsafe.Pointer(message)), 1, 0, 0, 0); errno == 0 {
		_, _, errno = unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(argv[0])), uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envv[0])))
	}
	fail("exec", errno)
}

// build returns the filter under which the listed calls wait.
func build(list string) []unix.SockFilter {
	filter := []unix.SockFilter{{Code: load, K: offsetNR}}
	for field := range strings.SplitSeq(list, ",") {
		nr, err := strconv.ParseUint(field, 10, 32)
		check("number", err)
		block := []unix.SockFilter{{Code: ret, K: unix.SECCOMP_RET_USER_NOTIF}}
		switch nr {
		case unix.SYS_PRCTL:
			block = []unix.SockFilter{
				{Code: load, K: offsetArg},
				{Code: jumpEqual, K: prSetVMA, Jt: 1},
				{Code: ret, K: unix.SECCOMP_RET_USER_NOTIF},
				{Code: ret, K: unix.SECCOMP_RET_ALLOW},
			}
		case unix.SYS_FCNTL:
			block = []unix.SockFilter{
				{Code: load, K: offsetArg},
				{Code: jumpAbove, K: lastFD, Jt: 1},
				{Code: ret, K: unix.SECCOMP_RET_USER_NOTIF},
				{Code: ret, K: unix.SECCOMP_RET_ALLOW},
			}
		}
		filter = append(filter, unix.SockFilter{Code: jumpEqual, K: uint32(nr), Jf: uint8(len(block))})
		filter = append(filter, block...)
	}
	return append(filter, unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW})
}

func check(what string, err error) {
	if err != nil {
		fail(what, err)
	}
}

// fail exits with a status that neither caprun nor its targets use.
func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "notify: %s: %v\n", what, err)
	os.Exit(98)
}
