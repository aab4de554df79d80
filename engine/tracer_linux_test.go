package engine

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// ChildRoles are the functions that a child process of the tests calls. The examples add
// theirs.
var ChildRoles = reexec.Roles{"tracer without proc": tracerWithoutProc, "tracer there": tracerThere}

// tracerPlans returns two plans: for depends, a tracer changes what exec grants; for
// indifferent, it does not.
func tracerPlans() (depends, indifferent *Plan, err error) {
	from, err := ParseCaller("uid=1000 gid=1000")
	if err != nil {
		return nil, nil, err
	}
	profile, _ := policy.Parse("test.yaml", []byte("version: 1\n"))
	target := OrdinaryTarget()
	indifferent, _ = Compile(profile, from, target)
	target.File.HasCaps, target.File.Effective, target.File.Permitted = true, true, cred.CapsOf(cred.SETUID)
	depends, _ = Compile(profile, from, target)
	if depends == nil || indifferent == nil {
		err = errors.New("no plan")
	}
	return depends, indifferent, err
}

// tracerThere checks both plans in a process with a tracer.
func tracerThere() {
	depends, indifferent, err := tracerPlans()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(indifferent.checkTracer())
	fmt.Println(depends.checkTracer())
}

// TestTracer checks that a launch is refused if a tracer without cap_sys_ptrace would change
// it, whatever the tracer's capabilities are: those that matter cannot be read.
func TestTracer(t *testing.T) {
	// Requests to a tracee come from the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := reexec.Command("tracer there")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &out, &out, &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	for {
		var ws syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil {
			if err == syscall.EINTR {
				continue
			}
			t.Fatal(err)
		}
		if !ws.Stopped() {
			break
		}
		signal := ws.StopSignal()
		if signal == syscall.SIGTRAP {
			signal = 0
		}
		if err := syscall.PtraceCont(pid, int(signal)); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait() // waits for the output
	lines := strings.Split(out.String(), "\n")
	want := fmt.Sprintf("exec: thread %d traces caprun: what exec grants depends on whether the tracer had cap_sys_ptrace when it attached", unix.Gettid())
	if len(lines) != 3 || lines[0] != "<nil>" || !strings.HasPrefix(lines[1], want) || !strings.Contains(lines[1], "start caprun without the tracer") {
		t.Errorf("%s", out.String())
	}
}

// tracerWithoutProc checks both plans in a process without /proc.
func tracerWithoutProc() {
	depends, indifferent, err := tracerPlans()
	if err == nil {
		err = errors.Join(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("none", "/proc", "tmpfs", 0, ""))
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(indifferent.checkTracer())
	fmt.Println(depends.checkTracer())
}

// TestTracerUnknown checks that a launch is refused if a tracer would change it and caprun
// cannot determine whether there is one.
func TestTracerUnknown(t *testing.T) {
	requires.Root(t)
	depends, indifferent, err := tracerPlans()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(depends.checkTracer(), indifferent.checkTracer()); err != nil {
		t.Errorf("without a tracer: %v", err)
	}
	r := reexec.Run(t, "tracer without proc", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	})
	lines := strings.Split(r.Stdout, "\n")
	if len(lines) != 3 || lines[0] != "<nil>" || !strings.Contains(lines[1], "cannot determine whether a tracer is attached") || !strings.Contains(lines[1], "mount /proc") {
		t.Errorf("%s%s", r.Stdout, r.Stderr)
	}
}
