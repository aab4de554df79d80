// Package reexec runs a part of a test in a new process: the test binary, executed
// again. It is for tests of code that changes a process, or replaces it.
package reexec

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const variable = "CAPRUN_TEST_CHILD"

// emulator is the variable that names the program with which to run this test binary,
// if the machine cannot run it.
const emulator = "CAPRUN_TEST_EMULATOR"

// Roles are functions that a test binary can run instead of its tests, by name.
type Roles map[string]func()

// Main runs the tests or, in a child, its role. A role that returns ends the process
// with status 0.
func Main(m interface{ Run() int }, roles Roles) {
	if name := os.Getenv(variable); name != "" {
		os.Unsetenv(variable)
		roles[name]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Self returns the command that runs this test binary again.
func Self(args ...string) *exec.Cmd {
	if program := os.Getenv(emulator); program != "" {
		return exec.Command(program, append([]string{os.Args[0]}, args...)...)
	}
	return exec.Command("/proc/self/exe", args...)
}

// Command returns the command that runs a role.
func Command(role string) *exec.Cmd {
	cmd := Self()
	cmd.Env = append(os.Environ(), variable+"="+role)
	return cmd
}

// Result is the result of a child.
type Result struct {
	Stdout, Stderr string
	Status         int // the exit status; 128+n for a signal
	Pid            int
}

// timeout is the limit for a child: far more than it takes, for slow and busy
// machines.
const timeout = 2 * time.Minute

// Run runs a role to its end. prepare, which may be nil, changes the command
// before it starts.
func Run(t testing.TB, role string, prepare func(*exec.Cmd)) Result {
	t.Helper()
	cmd := Command(role)
	if prepare != nil {
		prepare(cmd)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the child %s: %v", role, err)
	}
	timer := time.AfterFunc(timeout, func() { cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait()
	status := cmd.ProcessState.ExitCode()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		status = 128 + int(ws.Signal())
	}
	return Result{out.String(), errs.String(), status, cmd.Process.Pid}
}

// Status returns the fields of the text of a /proc/PID/status file.
func Status(text string) map[string]string {
	fields := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok {
			fields[key] = strings.Join(strings.Fields(value), " ")
		}
	}
	return fields
}
