package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"caprun/internal/test/faults"
	"caprun/internal/test/launches"
	"caprun/internal/test/reexec"

	"golang.org/x/sys/unix"
)

// The outcomes of a launch, apart from a refusal.
const (
	asDeclared    = "the target runs as declared"
	runtimeEnds   = "the Go runtime ends with status 2"
	runtimeUneven = "the Go runtime ends with status 2, because the call had another result on another thread"
	// syscall.ForkExec of the Go library never returns if its pipe to the child does not
	// exist, cannot be read or is not closed: it waits for the pipe, or for the child,
	// which waits for the parent.
	forkHangs     = "the Go library hangs at its pipe to the child, the target has not run"
	childKilled   = "137: the child has killed itself"
	runtimeCrash  = "the Go runtime ends by SIGSEGV"
	runtimeHangs  = "the Go runtime hangs, the target has not run"
	sealedCrash   = "ends by SIGSEGV, the target has not run"
	killedOutcome = "killed, the target has not run"
	killedAfter   = "killed, the target ran as declared"
	badOutcome    = "BAD: "
)

// judge returns the outcome of a run. excess is what a supervisor should not have when
// the target starts.
func (p *faultPlace) judge(state *os.ProcessState, stdout, stderr string, excess []string, hit *faults.Call, killed bool) string {
	status := state.ExitCode()
	ws, _ := state.Sys().(syscall.WaitStatus)
	killed = killed && (ws.Signaled() && ws.Signal() == unix.SIGKILL || hit != nil && hit.Child && status == 128+int(unix.SIGKILL) && stderr == "")
	ran := ""
	if p.scene.refused != "" && (status == 0 || stdout != "") {
		return badOutcome + "the target runs: " + stdout
	}
	if status == 0 || stdout != "" {
		faults := p.reported(stdout, excess)
		switch {
		case status == 0 && stderr != "" && !(hit != nil && hit.Other):
			// One thread of the Go runtime may print a message while another one executes
			// the target.
			faults = append(faults, fmt.Sprintf("message %q", stderr))
		case status != 0 && (!p.scene.init || hit == nil || hit.Child):
			faults = append(faults, fmt.Sprintf("status %d", status))
		}
		switch {
		case faults != nil:
			return badOutcome + "the target runs, and " + strings.Join(faults, "; ")
		case status == 0:
			return asDeclared
		case killed:
			return killedAfter
		}
		// The supervisor failed after the target had ended.
		ran = "the target ran as declared, then "
	}
	switch {
	case killed:
		return killedOutcome
	case ws.Signaled() && ws.Signal() == unix.SIGSEGV && p.scene.sealed:
		return sealedCrash
	case ws.Signaled() && ws.Signal() == unix.SIGSEGV:
		return runtimeCrash
	case p.scene.sealed && stderr == "" && hit != nil && writesMessage(hit.NR) && status >= exitRefused && status <= exitNotFound:
		return fmt.Sprintf("%d: no message", status)
	case p.scene.init && hit != nil && hit.Child && !hit.Restarted && status == 128+int(unix.SIGKILL) && stderr == "":
		return childKilled
	case status == 2 && strings.Contains(stderr, "AllThreadsSyscall6 results differ between threads"):
		return runtimeUneven
	case status == 2 && (strings.Contains(stderr, "runtime: ") || strings.Contains(stderr, "fatal error: ") || strings.Contains(stderr, "SIG")):
		return runtimeEnds
	case status < exitRefused || status > exitNotFound:
		return badOutcome + fmt.Sprintf("status %d (%v), message %q", status, state, stderr)
	}
	if p.scene.init {
		// The child and the supervisor may both report a failure.
		stderr = strings.Replace(stderr, "\ncaprun: ", " / ", 1)
	}
	message, ok := strings.CutPrefix(p.words.Replace(strings.TrimSuffix(stderr, "\n")), "caprun: ")
	if !ok || strings.Contains(message, "\n") || strings.Contains(message, "goroutine ") {
		return badOutcome + fmt.Sprintf("status %d, message %q", status, stderr)
	}
	// The free descriptors depend on the environment of the tests.
	for fd := 3; fd < 9; fd++ {
		message = strings.ReplaceAll(message, fmt.Sprintf("descriptor %d", fd), "descriptor N")
	}
	return fmt.Sprintf("%s%d: %s", ran, status, withoutLimit(message))
}

// reported returns the differences between the report of the target and the declared
// state, and excess.
func (p *faultPlace) reported(stdout string, excess []string) []string {
	report := launches.ParseReport(stdout)
	faults := append(report.Compare(p.scene.want), excess...)
	if env := strings.Join(report.Env, " "); env != p.scene.env {
		faults = append(faults, fmt.Sprintf("env: %q, not %q", env, p.scene.env))
	}
	return faults
}

// excessPrivileges returns what a supervisor should not have: other capabilities than
// cap_kill, or a directory in /proc that a process of its user can read.
func excessPrivileges(pid int) (faults []string) {
	const capKill = 1 << 5
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if tasks == nil {
		return []string{"the supervisor has ended"}
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		status := reexec.Status(string(text))
		for name, most := range map[string]uint64{"CapPrm": capKill, "CapEff": capKill, "CapInh": 0, "CapAmb": 0, "CapBnd": 0} {
			if set, err := strconv.ParseUint(status[name], 16, 64); err != nil || set&^most != 0 {
				faults = append(faults, fmt.Sprintf("the supervisor has %s %s", name, status[name]))
			}
		}
		if status["NoNewPrivs"] != "1" {
			faults = append(faults, "the supervisor has no_new_privs "+status["NoNewPrivs"])
		}
	}
	if canRead(pid) {
		faults = append(faults, "the supervisor can be traced")
	}
	return faults
}

// canRead reports whether this user can read the state of a process without
// cap_sys_ptrace: ptrace(2), PTRACE_MODE_READ.
func canRead(pid int) bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var before, without [2]unix.CapUserData
	if unix.Capget(&header, &before[0]) != nil {
		return true
	}
	without = before
	without[0].Effective &^= 1 << unix.CAP_SYS_PTRACE
	if unix.Capset(&header, &without[0]) != nil {
		return true
	}
	_, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return unix.Capset(&header, &before[0]) != nil || !errors.Is(err, unix.EACCES)
}

// withoutLimit removes the limit of the machine from a message.
func withoutLimit(message string) string {
	const words = "getrlimit: the limits are now "
	before, after, found := strings.Cut(message, words)
	if !found {
		return message
	}
	_, hint, _ := strings.Cut(after, ";")
	return before + words + "others;" + hint
}
