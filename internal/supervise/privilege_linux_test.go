package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"caprun/internal/test/command"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"
)

// TestInitSupervisor: while the target runs, caprun has cap_kill at most, and no
// descriptors of the target.
func TestInitSupervisor(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := supervise(t, bare+"keep_fds: [3]\n", func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{file, file} }, signalreport(t))
	pid := s.ready()
	has := func(pid int) (list []string) {
		names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, name := range names {
			if to, err := os.Readlink(name); err == nil && to == file.Name() {
				list = append(list, filepath.Base(name))
			}
		}
		return list
	}
	if os.Geteuid() != 0 {
		// Only root can read the descriptors of a supervisor.
		if got := has(pid); len(got) != 1 || got[0] != "3" {
			t.Errorf("the target has the file as %v", got)
		}
	} else if got := has(s.Process.Pid); got != nil {
		t.Errorf("caprun has the file as %v", got)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", s.Process.Pid))
	if err != nil || len(tasks) == 0 {
		requires.Skip(t, "needs /proc")
	}
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	const killBit, setpcapBit = 1 << 5, 1 << 8
	permitted, err := strconv.ParseUint(reexec.Status(string(own))["CapPrm"], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			t.Fatal(err)
		}
		got := reexec.Status(string(text))
		kill := fmt.Sprintf("%016x", permitted&killBit)
		if got["CapPrm"] != kill || got["CapEff"] != kill || got["CapInh"] != "0000000000000000" || got["CapAmb"] != "0000000000000000" || got["NoNewPrivs"] != "1" {
			t.Errorf("%s: %v", task, got)
		}
		if permitted&setpcapBit != 0 && got["CapBnd"] != "0000000000000000" {
			t.Errorf("%s: bounding set %s", task, got["CapBnd"])
		}
	}
}

// TestInitNotReadable: the target cannot trace the supervisor of the same user, nor use it
// to reach what the profile removes, such as the root directory.
func TestInitNotReadable(t *testing.T) {
	sh := requires.Tool(t, "sh")
	type launch struct{ profile, caller string }
	launches := []launch{{bare, ""}}
	if os.Geteuid() == 0 {
		launches = []launch{{bare, "nobody"}, {"uid: 0\ngid: 0\ncaps: cap_kill=ep\n", ""}, {"uid: 0\ngid: 0\nmode: NOPRIV\n", "bounding=0x401c0"}}
	}
	for _, c := range launches {
		s := supervise(t, c.profile, func(cmd *exec.Cmd) {
			if c.caller != "" {
				with := command.Program(t, "caprun/internal/test/runas")
				cmd.Args, cmd.Path = append([]string{with, c.caller, "--", cmd.Path}, cmd.Args[1:]...), with
			}
		}, sh, "-c", "for f in root cwd exe fd/0; do readlink /proc/$$/$f >/dev/null || echo itself; readlink /proc/$PPID/$f; done; echo end")
		if got := s.line(); got != "end" {
			t.Errorf("%+v: the target can read %s", c, got)
		}
	}
}
