package supervise

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/command"
	"caprun/internal/test/requires"
)

// supervised is a caprun -init that a test has started.
type supervised struct {
	*exec.Cmd
	t     *testing.T
	stdin io.Closer
	lines chan string
	ended chan struct{} // closed after it has ended
}

// supervise runs caprun -init with a profile and a target. prepare, which may be nil,
// changes the command before it starts.
func supervise(t *testing.T, profile string, prepare func(*exec.Cmd), argv ...string) *supervised {
	t.Helper()
	dir := searchableDir(t)
	file := filepath.Join(dir, "profile.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"+profile), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command.Caprun(t), append([]string{"-init", "-profile", file, "--"}, argv...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	// Not StdoutPipe, which Wait would close before everything is read.
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = in
	if prepare != nil {
		prepare(cmd)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	s := &supervised{cmd, t, stdin, make(chan string, 100), make(chan struct{})}
	go func() {
		defer close(s.lines)
		defer out.Close()
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
	go func() {
		_ = cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-s.ended
	})
	return s
}

// searchableDir returns a directory that every user can search.
func searchableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(command.Caprun(t)), "init-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// line returns the next line that the target writes.
func (s *supervised) line() string {
	s.t.Helper()
	select {
	case line, ok := <-s.lines:
		if !ok {
			s.t.Fatal("the target has ended")
		}
		return line
	case <-time.After(command.Hangs):
		s.t.Fatal("the target writes nothing")
	}
	return ""
}

// ready returns the process ID that signalreport prints first.
func (s *supervised) ready() int {
	s.t.Helper()
	line := s.line()
	pid, err := strconv.Atoi(strings.TrimPrefix(line, "ready "))
	if err != nil {
		s.t.Fatalf("%q", line)
	}
	return pid
}

// status waits until caprun has ended, and returns its status: 128+n for a signal.
func (s *supervised) status() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(command.Hangs):
		s.t.Fatal("caprun does not end")
	}
	if ws := s.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ProcessState.ExitCode()
}

func (s *supervised) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// children returns the process IDs of the children of a process.
func children(t *testing.T, parent int) []int {
	t.Helper()
	var list []int
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(names) == 0 {
		requires.Skip(t, "needs /proc")
	}
	for _, name := range names {
		if fields := statFields(name); len(fields) > 1 && fields[1] == fmt.Sprint(parent) {
			pid, _ := strconv.Atoi(filepath.Base(name))
			list = append(list, pid)
		}
	}
	return list
}

// statFields returns the fields of proc_pid_stat(5) from the third on: state, ppid, pgrp,
// session; none after the process has ended.
func statFields(dir string) []string {
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
}

func state(pid int) string {
	if fields := statFields(fmt.Sprint("/proc/", pid)); fields != nil {
		return fields[0]
	}
	return "gone"
}

// eventually waits until a condition is true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(command.Hangs); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("timeout: %s", what)
}

func signalreport(t *testing.T) string {
	return command.Program(t, "caprun/internal/test/signalreport")
}

const bare = "no_new_privs: true\n"

// withoutKill starts caprun as root with only cap_setgid, cap_setuid and cap_setpcap, as
// in a container that adds no other capability.
func withoutKill(t *testing.T) func(cmd *exec.Cmd) {
	return func(cmd *exec.Cmd) {
		with := command.Program(t, "caprun/internal/test/runas")
		cmd.Args, cmd.Path = append([]string{with, "bounding=0x1c0", "--", cmd.Path}, cmd.Args[1:]...), with
	}
}
