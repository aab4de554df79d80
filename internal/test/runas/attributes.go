//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// applyAttribute makes a setting of an attribute that execve(2) preserves and that no
// profile sets: internal/test/attributes reports it.
func applyAttribute(name, value string) error {
	switch name {
	case "audit":
		return os.WriteFile("/proc/self/loginuid", []byte(value), 0)
	case "request-keyring":
		_, err := unix.KeyctlInt(unix.KEYCTL_SET_REQKEY_KEYRING, int(parse(value)), 0, 0, 0)
		return err
	case "landlock":
		return forbidFIFO()
	case "ports":
		// One port, from 0x80 on.
		call, ok := map[string]uintptr{"amd64": 173, "386": 101}[runtime.GOARCH]
		if !ok {
			return unix.ENOSYS
		}
		return raw(call, 0x80, 1, 1)
	case "speculation":
		return prctl(unix.PR_SET_SPECULATION_CTRL, unix.PR_SPEC_STORE_BYPASS, unix.PR_SPEC_DISABLE)
	case "mdwe":
		return prctl(unix.PR_SET_MDWE, uintptr(parse(value)), 0)

	case "child":
		return leaveChild()
	case "group":
		return unix.Setpgid(0, 0)
	case "unshare":
		// The host name.
		err := unix.Unshare(unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWNS)
		return errors.Join(err, unix.Sethostname([]byte(value)))
	case "burn":
		// Milliseconds of processor time.
		for used := new(unix.Rusage); used.Utime.Nano()+used.Stime.Nano() < int64(parse(value))*1e6; {
			if err := unix.Getrusage(unix.RUSAGE_SELF, used); err != nil {
				return err
			}
		}
		return nil
	case "semaphore":
		// Adds 1 to a semaphore, and takes it back when the process ends.
		call, ok := map[string]uintptr{"amd64": 65, "arm64": 193}[runtime.GOARCH]
		if !ok {
			return unix.ENOSYS
		}
		operation := struct{ number, add, flags int16 }{0, 1, 0x1000}
		return raw(call, uintptr(parse(value)), uintptr(unsafe.Pointer(&operation)), 1)
	case "timers":
		// Seconds.
		for _, which := range []unix.ItimerWhich{unix.ITIMER_REAL, unix.ITIMER_VIRTUAL, unix.ITIMER_PROF} {
			long := unix.NsecToTimeval(int64(parse(value)) * 1e9)
			timer := unix.Itimerval{Value: long, Interval: long}
			if _, err := unix.Setitimer(which, timer); err != nil {
				return err
			}
		}
		return nil

	case "scheduler":
		// POLICY:PRIORITY, with 0x40000000 for SCHED_RESET_ON_FORK.
		policy, priority, _ := strings.Cut(value, ":")
		param := int32(parse(priority))
		return raw(unix.SYS_SCHED_SETSCHEDULER, 0, uintptr(parse(policy)), uintptr(unsafe.Pointer(&param)))
	case "cookie":
		_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SCHED_CORE, unix.PR_SCHED_CORE_CREATE, 0, 0, 0, 0)
		return result(errno)
	case "io":
		return raw(unix.SYS_IOPRIO_SET, 1, 0, uintptr(parse(value)))
	case "io-flusher":
		return prctl(unix.PR_SET_IO_FLUSHER, 1, 0)
	case "numa":
		mask := [16]uint64{parse(value)}
		return raw(unix.SYS_SET_MEMPOLICY, unix.MPOL_BIND, uintptr(unsafe.Pointer(&mask)), 64*16)
	case "merge":
		return prctl(unix.PR_SET_MEMORY_MERGE, 1, 0)
	case "corruption":
		return prctl(unix.PR_MCE_KILL, unix.PR_MCE_KILL_SET, uintptr(parse(value)))
	case "lock":
		// Of the file that is open as descriptor 0.
		return unix.FcntlFlock(0, unix.F_SETLK, &unix.Flock_t{Type: unix.F_RDLCK})
	}
	return errors.New("unknown setting")
}

// result returns nil for errno 0.
func result(errno unix.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

// forbidFIFO enters a Landlock domain in which nobody can make a FIFO: landlock(7).
func forbidFIFO() error {
	access := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_FIFO)
	fd, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&access)), unsafe.Sizeof(access), 0)
	if errno != 0 {
		return errno
	}
	return errors.Join(raw(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0), unix.Close(int(fd)))
}

// leaveChild leaves a child that has ended and that nobody has waited for.
func leaveChild() error {
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"runas", "--"}, &syscall.ProcAttr{})
	if err != nil {
		return err
	}
	return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
}

// startVariables tell the target which process runas was, and in which namespaces.
func startVariables() []string {
	session, _ := unix.Getsid(0)
	var namespaces []string
	entries, _ := os.ReadDir("/proc/self/ns")
	for _, e := range entries {
		link, _ := os.Readlink("/proc/self/ns/" + e.Name())
		namespaces = append(namespaces, link)
	}
	return []string{
		fmt.Sprintf("START_PID=%d", unix.Getpid()), fmt.Sprintf("START_PARENT=%d", unix.Getppid()),
		fmt.Sprintf("START_GROUP=%d", unix.Getpgrp()), fmt.Sprintf("START_SESSION=%d", session),
		"START_NAMESPACES=" + strings.Join(namespaces, " "),
	}
}
