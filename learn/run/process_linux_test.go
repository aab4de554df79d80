package run

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// TestParseStat: names may have any character.
func TestParseStat(t *testing.T) {
	const rest = " S 12 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 %T 0 777 9 9\n"
	for name, want := range map[string]process{
		"sh":            {pid: 5, parent: 12, name: "sh", start: 777},
		") R 1 1 (":     {pid: 5, parent: 12, name: ") R 1 1 (", start: 777},
		"a b\nS 1":      {pid: 5, parent: 12, name: "a b\nS 1", start: 777},
		"":              {pid: 5, parent: 12, name: "", start: 777},
		"\x1b[2J(x)) S": {pid: 5, parent: 12, name: "\x1b[2J(x)) S", start: 777},
	} {
		got, err := parseStat([]byte("5 (" + name + ") S 12 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9\n"))
		if err != nil || got != want {
			t.Errorf("%q: %+v %v", name, got, err)
		}
	}
	for _, text := range []string{"", "5", "5 (x", "5 (x) S", "x (x)" + rest, "5 )x(" + rest} {
		if got, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// FuzzParseStat: no text of /proc/PID/stat causes a panic.
func FuzzParseStat(f *testing.F) {
	f.Add([]byte("5 (a) S 12 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9\n"))
	f.Add([]byte("5 ()) Z 12 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 2 0 777 9 9\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = parseStat(data)
		_, _ = parseIdentity(data)
	})
}

// TestSignalOther: a signal does not reach a process that has got the ID of another one.
func TestSignalOther(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	p, err := readProcess(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	earlier := p
	earlier.start--
	if err := earlier.signal(unix.SIGKILL); err != nil {
		t.Error(err)
	}
	if now, err := readProcess(p.pid); err != nil || now.dead {
		t.Fatalf("the other process has ended: %v", err)
	}
	if err := p.signal(unix.SIGKILL); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if err := p.signal(unix.SIGKILL); err != nil {
		t.Errorf("a process that has ended: %v", err)
	}
}

// TestDescendants finds this process's children, and leaves out a tree.
func TestDescendants(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 1000 & wait")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var child int
	until(t, "the shell has a child", func() bool {
		list, err := descendants()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			if p.parent == cmd.Process.Pid {
				child = p.pid
			}
		}
		return child != 0
	})
	defer unix.Kill(child, unix.SIGKILL)
	list, err := descendants(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.pid == child || p.pid == cmd.Process.Pid {
			t.Errorf("%+v is not left out", p)
		}
	}
	id, err := process{pid: os.Getpid()}.identity()
	if err != nil || id.UIDs[0] != uint32(os.Getuid()) || id.GIDs[1] != uint32(os.Getegid()) {
		t.Errorf("identity %+v %v", id, err)
	}
}
