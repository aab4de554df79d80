//go:build linux

// Command runas starts a program in a state that a script asks for:
//
//	runas uid=65534 secbits=0xef -- caprun -profile web.yaml
//
// runas applies the settings in this order, with plain system calls, and executes the
// program, which is the caller or the target in tests. Without a program it only applies
// the settings, some of which change files. Build it with CGO_ENABLED=0.
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
			// Not needed with uid 0.
			if os.Getuid() != 0 {
				inUserNamespace("0", os.Args[n+2:], false)
			}
		case "userns":
			inUserNamespace(value, os.Args[n+2:], false)
		case "outsider":
			// With IDs that the namespace does not map.
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
			env = append(env, startVariables()...)
		case "noargs":
			program = nil
		case "noenv":
			env = nil
		case "env":
			variable, _, _ := strings.Cut(value, "=")
			env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, variable+"=") })
			env = append(env, value)
		case "many":
			// Variables of one kilobyte each.
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

// inUserNamespace starts runas with the remaining arguments in a new user namespace,
// and exits as it exits. ids is the caller's ID in the namespace, as the only one,
// and setgroups is denied. For a caller with privilege, ids may be lines
// INSIDE:OUTSIDE:COUNT of both maps, comma-separated: then the new runas has uid 0
// and gid 0 without groups, unless the IDs are kept.
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

// fail exits with a status that neither caprun nor its targets use.
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
