package process

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"caprun/engine/machine"
	"caprun/internal/test/requires"
)

// TestRead: the profile of a running process leads to its state.
func TestRead(t *testing.T) {
	requires.Root(t)
	cmd := exec.Command(requires.Tool(t, "setpriv"), "--reuid=33", "--regid=33", "--groups=4,33", "--inh-caps=-all,+kill", "--ambient-caps=-all,+kill",
		"--bounding-set=-all,+kill,+chown", "--no-new-privs", requires.Tool(t, "sleep"), "600")
	cmd.Env = []string{"SECRET=hunter2"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var state *machine.Process
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if state, err = machine.ReadProcess(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
		if state.Name == "sleep" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("setpriv has not started sleep")
		}
	}
	p, err := Read(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	want := state.States[0].Cred
	got := planOf(t, p).AfterExec
	want.All, got.All = 0, 0
	if differ := got.Diff(want); differ != nil {
		t.Errorf("%v differ:\n%s", differ, d.Text)
	}
	if strings.Contains(string(d.Text), "hunter2") || len(p.Profile.Rlimits) != 16 || p.Profile.Umask == nil {
		t.Errorf("%s", d.Text)
	}
}

func TestReadErrors(t *testing.T) {
	if _, err := Read(1 << 30); err == nil || !strings.Contains(err.Error(), "no such process") {
		t.Error(err)
	}
	p, err := Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Document(); err != nil {
		t.Error(err)
	}
}
