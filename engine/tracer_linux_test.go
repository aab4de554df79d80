package engine

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/child"
	"caprun/internal/need"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// tracerPlans returns two plans: one whose outcome a tracer would change, and
// one for which it makes no difference.
func tracerPlans() (depends, indifferent *Plan, err error) {
	from, err := ParseStart("uid=1000 gid=1000")
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

// tracerWithoutProc asks for a tracer where only /proc could tell.
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

// TestTracerUnknown refuses a launch that a tracer could change when it cannot
// be told whether there is one.
func TestTracerUnknown(t *testing.T) {
	need.Root(t)
	depends, indifferent, err := tracerPlans()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(depends.checkTracer(), indifferent.checkTracer()); err != nil {
		t.Errorf("without a tracer: %v", err)
	}
	r := child.Run(t, "tracer without proc", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	})
	lines := strings.Split(r.Stdout, "\n")
	if len(lines) != 3 || lines[0] != "<nil>" || !strings.Contains(lines[1], "whether a tracer is attached cannot be seen") || !strings.Contains(lines[1], "mount /proc") {
		t.Errorf("%s%s", r.Stdout, r.Stderr)
	}
}
