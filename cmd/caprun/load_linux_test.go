package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/load"
	"caprun/internal/test/requires"
)

// TestLoad launches many programs, one after the other and 64 at a time. Each target has
// exactly the declared state and the process ID of caprun.
func TestLoad(t *testing.T) {
	requires.Heavy(t, load.Variable)
	requires.Root(t)
	count, err := load.Count()
	if err != nil {
		t.Fatal(err)
	}
	l := &launchLoad{caprun: caprun(t), creds: program(t, "caprun/internal/test/creds"), sleep: requires.Tool(t, "sleep")}
	l.profile = filepath.Join(filepath.Dir(l.caprun), "load.yaml")
	if err := os.WriteFile(l.profile, []byte(load.Profile), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, atOnce := range []int{1, load.AtOnce} {
		t.Run(fmt.Sprintf("%d at once", atOnce), func(t *testing.T) {
			if err := load.Run(2*load.AtOnce, atOnce, l.launch); err != nil {
				t.Fatal(err)
			}
			before, err := load.Hold()
			if err != nil {
				t.Fatal(err)
			}
			l.verified.Store(0)
			begin := time.Now()
			if err := load.Run(count, atOnce, l.launch); err != nil {
				t.Fatal(err)
			}
			took := time.Since(begin)
			after, err := before.Leaked(2*atOnce + 8)
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d launches, %d at once, in %v; %d verified; resources of the test before %+v, after %+v",
				count, atOnce, took.Round(time.Millisecond), l.verified.Load(), before, after)
		})
	}
}

// launchLoad launches programs, and keeps the report of the first target.
type launchLoad struct {
	caprun, creds, sleep, profile string

	verified atomic.Int64
	same     load.Same
}

func (l *launchLoad) launch(n int) error {
	if n%load.Every == 0 {
		return l.verify()
	}
	cmd := exec.Command(l.caprun, "-profile", l.profile, "--", l.creds)
	cmd.Env = []string{"LOAD=1"}
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, messages.String())
	}
	if messages.Len() > 0 {
		return fmt.Errorf("unexpected message: %s", messages.String())
	}
	if own := fmt.Sprintf("\npid: %d\n", cmd.Process.Pid); !strings.HasSuffix(out.String(), own) {
		return fmt.Errorf("the target is not process %d: %s", cmd.Process.Pid, out.String())
	}
	return l.same.Add(out.String())
}

// verify launches a target that keeps running, and verifies it.
func (l *launchLoad) verify() (err error) {
	cmd := exec.Command(l.caprun, "-profile", l.profile, "--", l.sleep, "600")
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		killed := cmd.Process.Kill()
		// It ends by that signal.
		_ = cmd.Wait()
		if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
			err = errors.Join(err, fmt.Errorf("the target ended with %v", cmd.ProcessState))
		}
		err = errors.Join(err, killed)
	}()
	if err := load.AwaitSleep(cmd.Process.Pid, filepath.Base(l.sleep)); err != nil {
		return err
	}
	out, err := exec.Command(l.caprun, "verify", "-pid", fmt.Sprint(cmd.Process.Pid), l.profile).CombinedOutput()
	if err != nil {
		return fmt.Errorf("verify: %w: %s", err, out)
	}
	if !strings.Contains(string(out), " has the privileges that ") {
		return fmt.Errorf("verify reports a difference: %s", out)
	}
	l.verified.Add(1)
	return nil
}
