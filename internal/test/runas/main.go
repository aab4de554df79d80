//go:build linux

// Command runas starts a program in a state that a script asks for:
//
//	runas uid=65534 secbits=0xef -- caprun -profile web.yaml
//
// The settings are made in the order in which they are written, by plain
// system calls, and the program takes the place of runas: so it is the caller
// that caprun meets in the tests. Without a program it only makes the
// settings, some of which are about files. Build it with CGO_ENABLED=0.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Credentials, mount namespace and file system state belong to the thread, and
// the program is executed from it.
func init() { runtime.LockOSThread() }

func main() {
	settings, program, path := os.Args[1:], []string(nil), ""
	if sep := slices.Index(os.Args, "--"); sep > 0 && sep < len(os.Args)-1 {
		settings, program = os.Args[1:sep], os.Args[sep+1:]
		if path = program[0]; !strings.Contains(path, "/") {
			var err error
			if path, err = exec.LookPath(path); err != nil {
				fail("find", err)
			}
		}
	}
	env := os.Environ()
	for n, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		switch name {
		case "root":
			// With uid 0 already there is nothing to do.
			if os.Getuid() != 0 {
				inUserNamespace("0", os.Args[n+2:], false)
			}
		case "userns":
			inUserNamespace(value, os.Args[n+2:], false)
		case "outsider":
			// With ids that the namespace does not map.
			inUserNamespace(value, os.Args[n+2:], true)
		case "terminal":
			onTerminal(os.Args[n+2:])
		case "job":
			asJob(os.Args[n+2:])
		case "nobody":
			if os.Getuid() == 0 {
				check(setting, become(65534, 65534, nil))
			}
		case "pid":
			env = append(env, fmt.Sprintf("START_PID=%d", os.Getpid()))
		case "noargs":
			program = nil
		case "noenv":
			env = nil
		case "env":
			variable, _, _ := strings.Cut(value, "=")
			env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, variable+"=") })
			env = append(env, value)
		case "many":
			// Variables of a kilobyte each.
			for n := range parse(value) {
				env = append(env, fmt.Sprintf("MANY_%d=%01000d", n, n))
			}
		case "env-again":
			env = append(env, value)
		default:
			check(setting, apply(name, value))
		}
	}
	if path == "" {
		return
	}
	fail("exec "+path, syscall.Exec(path, program, env))
}

// inUserNamespace starts runas again for the rest of its work, in a new user
// namespace, and ends as that ends. ids is the number that the caller has in
// it, alone and with setgroups denied; or, for a caller with privilege, lines
// INSIDE:OUTSIDE:COUNT of both maps, joined with commas: then the rest of the
// work begins as uid 0 and gid 0 without groups, unless the ids are kept.
func inUserNamespace(ids string, rest []string, keepIDs bool) {
	cmd := exec.Command("/proc/self/exe", rest...)
	cmd.Args[0] = "runas"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
	cmd.SysProcAttr = attr
	if strings.Contains(ids, ":") {
		for line := range strings.SplitSeq(ids, ",") {
			n := list(strings.ReplaceAll(line, ":", ","))
			attr.UidMappings = append(attr.UidMappings, syscall.SysProcIDMap{ContainerID: int(n[0]), HostID: int(n[1]), Size: int(n[2])})
		}
		attr.GidMappings, attr.GidMappingsEnableSetgroups = attr.UidMappings, true
		if !keepIDs {
			attr.Credential = &syscall.Credential{}
		}
	} else {
		id := int(parse(ids))
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getgid(), Size: 1}}
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		os.Exit(exit.ExitCode())
	case err != nil:
		fail("new user namespace", err)
	}
	os.Exit(0)
}

func check(setting string, err error) {
	if err != nil {
		fail(setting, err)
	}
}

// fail ends with a status that neither caprun nor its targets have.
func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "runas: %s: %v\n", what, err)
	os.Exit(99)
}

// prctl acts on the calling thread alone.
func prctl(option int, a, b uintptr) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, uintptr(option), a, b, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
