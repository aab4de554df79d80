package main

import (
	"bufio"
	"errors"
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

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// supervised is a caprun with -init that a test has started.
type supervised struct {
	*exec.Cmd
	t     *testing.T
	stdin io.Closer
	lines chan string
	ended chan struct{} // closed when it has ended
}

// supervise starts a target of a profile under caprun -init. prepare, which may
// be nil, changes the command before it starts.
func supervise(t *testing.T, profile string, prepare func(*exec.Cmd), argv ...string) *supervised {
	t.Helper()
	dir := searchableDir(t)
	file := filepath.Join(dir, "profile.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"+profile), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(caprun(t), append([]string{"-init", "-profile", file, "--"}, argv...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	// Not a pipe of the command's, which Wait would close under the reader.
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
	dir, err := os.MkdirTemp(filepath.Dir(caprun(t)), "init-")
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
	case <-time.After(hangs):
		s.t.Fatal("the target writes nothing")
	}
	return ""
}

// ready returns the pid that signalreport prints first.
func (s *supervised) ready() int {
	s.t.Helper()
	line := s.line()
	pid, err := strconv.Atoi(strings.TrimPrefix(line, "ready "))
	if err != nil {
		s.t.Fatalf("%q", line)
	}
	return pid
}

// status returns the status of caprun when it has ended.
func (s *supervised) status() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(hangs):
		s.t.Fatal("caprun does not end")
	}
	return s.ProcessState.ExitCode()
}

func (s *supervised) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// children returns the pids of the children of a process.
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

// statFields returns the fields of proc_pid_stat(5) from the third on: state,
// ppid, pgrp, session; none when the process is gone.
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

// eventually waits for what a test claims.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(hangs); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not so: %s", what)
}

func signalreport(t *testing.T) string { return program(t, "caprun/internal/test/signalreport") }

const bare = "no_new_privs: true\n"

// TestInitForwards: each signal reaches the target once, under its own number.
func TestInitForwards(t *testing.T) {
	s := supervise(t, bare, nil, signalreport(t))
	pid := s.ready()
	if pid == s.Process.Pid {
		t.Fatal("the target is caprun's process")
	}
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if !forwarded(sig) || sig == unix.SIGTSTP || sig == unix.SIGTTIN || sig == unix.SIGTTOU {
			continue
		}
		s.signal(sig)
		if got := s.line(); got != fmt.Sprint("heard ", int(sig)) {
			t.Errorf("signal %d: %s", sig, got)
		}
	}
	for _, sig := range []syscall.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGCONT} {
		s.signal(sig)
		if got := s.line(); got != fmt.Sprint("heard ", int(sig)) {
			t.Errorf("signal %d: %s", sig, got)
		}
	}
	s.stdin.Close()
	if got := s.status(); got != 0 {
		t.Errorf("status %d", got)
	}
	if line, more := <-s.lines; more {
		t.Errorf("also %q", line)
	}
}

// TestInitFirstRealTime: what cannot be forwarded does not end caprun, and the
// target can still be sent it. The target is no Go program: those cannot catch it.
func TestInitFirstRealTime(t *testing.T) {
	requires.Tool(t, "sleep")
	s := supervise(t, bare, nil, requires.Tool(t, "sh"), "-c",
		`trap 'echo heard 34; exit 5' 34; echo ready $$; n=0; while [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done`)
	pid := s.ready()
	s.signal(firstRealTime)
	if err := syscall.Kill(pid, firstRealTime); err != nil {
		t.Fatal(err)
	}
	if got := s.line(); got != "heard 34" {
		t.Error(got)
	}
	if got := s.status(); got != 5 {
		t.Errorf("status %d", got)
	}
}

// TestInitForwardsToAnotherUser needs cap_kill.
func TestInitForwardsToAnotherUser(t *testing.T) {
	requires.Root(t)
	s := supervise(t, "uid: 65534\ngid: 65534\n", nil, signalreport(t))
	s.ready()
	s.signal(unix.SIGUSR1)
	if got := s.line(); got != "heard 10" {
		t.Error(got)
	}
}

// withoutKill starts caprun as root with cap_setgid, cap_setuid and cap_setpcap
// alone: a container that has been given no more.
func withoutKill(t *testing.T) func(cmd *exec.Cmd) {
	return func(cmd *exec.Cmd) {
		runas := program(t, "caprun/internal/test/runas")
		cmd.Args, cmd.Path = append([]string{runas, "bounding=0x1c0", "--", cmd.Path}, cmd.Args[1:]...), runas
	}
}

const anotherUser = "uid: 65534\ngid: 65534\ncaps: \"=\"\n"

// TestInitReaches: without cap_kill, too, another user hears what caprun hears,
// and ends when it is killed. It cannot answer in kind.
func TestInitReaches(t *testing.T) {
	requires.Root(t)
	s := supervise(t, anotherUser, withoutKill(t), signalreport(t))
	s.ready()
	s.signal(unix.SIGUSR1)
	if got := s.line(); got != "heard 10" {
		t.Error(got)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	status := reexec.Status(string(text))
	if status["Uid"] != "0 65534 0 65534" || status["CapPrm"] != "0000000000000000" || status["CapBnd"] != "0000000000000000" {
		t.Errorf("the supervisor: uids %s, permitted %s, bounding %s", status["Uid"], status["CapPrm"], status["CapBnd"])
	}

	s = supervise(t, anotherUser, withoutKill(t), requires.Tool(t, "sh"), "-c",
		`for sig in 0 TERM KILL; do kill -$sig $PPID 2>/dev/null && echo "can send $sig"; done; `+
			`readlink /proc/$PPID/root && echo "can see"; echo ready $$; exec sleep 60`)
	target := s.ready()
	s.signal(unix.SIGKILL)
	s.status()
	eventually(t, "the target is gone", func() bool { st := state(target); return st == "gone" || st == "Z" })
}

// TestInitReachKeepsDeathSignal: what the caller wants of caprun at its own end
// outlasts the change of the effective uid.
func TestInitReachKeepsDeathSignal(t *testing.T) {
	requires.Root(t)
	s := supervise(t, anotherUser, func(cmd *exec.Cmd) {
		withoutKill(t)(cmd)
		caprun := append([]string{cmd.Args[0], fmt.Sprint("pdeathsig=", int(unix.SIGUSR2))}, cmd.Args[1:]...)
		cmd.Path = requires.Tool(t, "sh")
		cmd.Args = append([]string{"sh", "-c", `exec 3<&0; sh -c '
			trap "exit 3" USR1; echo caller $$; "$@" <&3 3<&- & wait' sh "$@"; exec sleep 60`, "sh"}, caprun...)
	}, signalreport(t))
	caller, err := strconv.Atoi(strings.TrimPrefix(s.line(), "caller "))
	if err != nil {
		t.Fatal(err)
	}
	s.ready()
	if err := unix.Kill(caller, unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if got := s.line(); got != "heard 12" {
		t.Error(got)
	}
}

// TestInitNobodyReads: what caprun cannot forward it complains about, and a
// complaint that nobody reads is no signal to forward.
func TestInitNobodyReads(t *testing.T) {
	requires.Root(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := supervise(t, "uid: 65534\ngid: 65534\ncaps: cap_setuid=eip\n", func(cmd *exec.Cmd) {
		withoutKill(t)(cmd)
		cmd.Stderr = w
	}, program(t, "caprun/internal/test/runas"), "uid=3301", "--", requires.Tool(t, "sh"), "-c", "echo ready $$; exec sleep 60")
	target := s.ready()
	t.Cleanup(func() { _ = unix.Kill(target, unix.SIGKILL) })
	s.signal(unix.SIGUSR1)
	complaint := make([]byte, 4096)
	n, _ := r.Read(complaint)
	if got := string(complaint[:n]); !strings.Contains(got, "a program that has changed its user needs caprun to hold cap_kill") {
		t.Errorf("%q", got)
	}
	r.Close()
	ticks := func() (sum int) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')'):]))
		for _, field := range fields[12:14] {
			n, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		return sum
	}
	before := ticks()
	s.signal(unix.SIGTERM)
	time.Sleep(500 * time.Millisecond)
	if busy := ticks() - before; busy > 5 {
		t.Errorf("caprun was busy for %d ticks after one signal that it cannot forward", busy)
	}
	s.signal(unix.SIGKILL)
	s.status()
}

// TestInitIgnored: what the caller has ignored stays so, and is not caught.
func TestInitIgnored(t *testing.T) {
	sh := requires.Tool(t, "sh")
	s := supervise(t, bare, func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `trap '' HUP INT; exec "$0" "$@"`}, cmd.Args...)
		cmd.Path = sh
	}, signalreport(t))
	s.ready()
	for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTERM} {
		s.signal(sig)
	}
	if got := s.line(); got != "heard 15" {
		t.Error(got)
	}
}

// TestInitEarlySignal: a signal that comes at any moment of the start ends the
// launch, or the target.
func TestInitEarlySignal(t *testing.T) {
	sleep := requires.Tool(t, "sleep")
	for n := range 40 {
		s := supervise(t, bare, nil, sleep, "60")
		time.Sleep(time.Duration(n) * 500 * time.Microsecond)
		for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGUSR1, unix.SIGHUP}[:1+n%3] {
			// An earlier one may have ended it.
			if err := s.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		}
		status := s.status()
		ws := s.ProcessState.Sys().(syscall.WaitStatus)
		if status != 143 && status != 138 && status != 129 && !ws.Signaled() {
			t.Errorf("start %d: %v", n, s.ProcessState)
		}
	}
}

// TestInitStops: a stop of the target is one of caprun, and both are continued.
func TestInitStops(t *testing.T) {
	sleep := requires.Tool(t, "sleep")
	s := supervise(t, bare, func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }, sleep, "60")
	var pid int
	eventually(t, "the target runs", func() bool {
		for _, pid = range children(t, s.Process.Pid) {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			return string(name) == "sleep\n"
		}
		return false
	})
	both := func(want string) func() bool {
		return func() bool { return strings.Contains(want, state(pid)) && strings.Contains(want, state(s.Process.Pid)) }
	}
	for _, stop := range []syscall.Signal{unix.SIGTSTP, unix.SIGSTOP, unix.SIGTTIN, unix.SIGTTOU} {
		stopped := both("T")
		eventually(t, fmt.Sprintf("%v stops both", stop), func() bool {
			if stopped() {
				return true
			}
			// Again, for the last SIGCONT may still be on its way and undo it.
			if !both("SR")() {
				return false
			}
			if stop == unix.SIGSTOP {
				if err := syscall.Kill(pid, stop); err != nil {
					t.Fatal(err)
				}
			} else {
				s.signal(stop)
			}
			time.Sleep(10 * time.Millisecond)
			return stopped()
		})
		s.signal(unix.SIGCONT)
		eventually(t, fmt.Sprintf("both run after %v", stop), both("SR"))
	}
	s.signal(unix.SIGTERM)
	eventually(t, "both end", func() bool {
		select {
		case <-s.ended:
			return true
		default:
			// A stop that was sent twice may come only now.
			_ = s.Process.Signal(unix.SIGCONT)
			return false
		}
	})
	if got := s.status(); got != 143 {
		t.Errorf("status %d", got)
	}
}

// TestInitKilled: the target does not outlive caprun, whoever it runs as.
func TestInitKilled(t *testing.T) {
	profiles := []string{bare}
	if os.Geteuid() == 0 {
		profiles = append(profiles, "uid: 65534\ngid: 65534\ncaps: cap_net_raw=eip\n", "caps: cap_net_raw=ep\n", "caps: cap_kill=eip\nsecbits: [noroot, noroot_locked]\n")
	}
	for _, profile := range profiles {
		// Not signalreport, which would end with its input.
		s := supervise(t, profile, nil, requires.Tool(t, "sh"), "-c", "echo ready $$; exec sleep 60")
		pid := s.ready()
		s.signal(unix.SIGKILL)
		s.status()
		eventually(t, "the target is gone: "+profile, func() bool { st := state(pid); return st == "gone" || st == "Z" })
	}
}

// TestInitCannotWait: a program that caprun cannot wait for is ended, also where
// the kernel would not do it, and the status claims nothing.
func TestInitCannotWait(t *testing.T) {
	requires.Root(t)
	runas := program(t, "caprun/internal/test/runas")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := supervise(t, "uid: 65534\ngid: 65534\n", func(cmd *exec.Cmd) {
		cmd.Args, cmd.Path = append([]string{runas, "forbid=wait4:1", "--", cmd.Path}, cmd.Args[1:]...), runas
		cmd.Stderr = w
	}, runas, "pdeathsig=0", "--", requires.Tool(t, "sh"), "-c", "echo ready $$; exec sleep 60")
	pid := s.ready()
	t.Cleanup(func() { _ = unix.Kill(pid, unix.SIGKILL) })
	s.signal(unix.SIGCHLD)
	if got := s.status(); got != exitRefused {
		t.Errorf("status %d", got)
	}
	eventually(t, "the target is gone", func() bool { st := state(pid); return st == "gone" || st == "Z" })
	w.Close()
	message := make([]byte, 4096)
	n, _ := r.Read(message)
	if got := string(message[:n]); !strings.Contains(got, "-init: wait for the program: wait4: operation not permitted; if it still ran, it was killed") {
		t.Errorf("%q", got)
	}
}

// TestInitSupervisor: while the target runs, caprun holds cap_kill at most, and
// none of its descriptors.
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
		// A process that holds less than its caller shows itself to root alone.
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
	held, err := strconv.ParseUint(reexec.Status(string(own))["CapPrm"], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			t.Fatal(err)
		}
		got := reexec.Status(string(text))
		kill := fmt.Sprintf("%016x", held&killBit)
		if got["CapPrm"] != kill || got["CapEff"] != kill || got["CapInh"] != "0000000000000000" || got["CapAmb"] != "0000000000000000" || got["NoNewPrivs"] != "1" {
			t.Errorf("%s: %v", task, got)
		}
		if held&setpcapBit != 0 && got["CapBnd"] != "0000000000000000" {
			t.Errorf("%s: bounding set %s", task, got["CapBnd"])
		}
	}
}

// TestInitClosed: the target cannot trace the supervisor of its own user, nor
// see through it what the profile keeps from it, such as the root directory.
func TestInitClosed(t *testing.T) {
	sh := requires.Tool(t, "sh")
	type start struct{ profile, caller string }
	// A caller without any capability keeps none to protect the supervisor.
	starts := []start{{bare, ""}}
	if os.Geteuid() == 0 {
		starts = []start{{bare, "nobody"}, {"uid: 0\ngid: 0\ncaps: cap_kill=ep\n", ""}, {"uid: 0\ngid: 0\nmode: NOPRIV\n", "bounding=0x401c0"}}
	}
	for _, c := range starts {
		s := supervise(t, c.profile, func(cmd *exec.Cmd) {
			if c.caller != "" {
				runas := program(t, "caprun/internal/test/runas")
				cmd.Args, cmd.Path = append([]string{runas, c.caller, "--", cmd.Path}, cmd.Args[1:]...), runas
			}
		}, sh, "-c", "for f in root cwd exe fd/0; do readlink /proc/$$/$f >/dev/null || echo blind; readlink /proc/$PPID/$f; done; echo end")
		if got := s.line(); got != "end" {
			t.Errorf("%+v: the target sees %s", c, got)
		}
	}
}

// TestInitSocketActivation: the target finds its own pid where caprun found its
// own, with -init and without.
func TestInitSocketActivation(t *testing.T) {
	sh := requires.Tool(t, "sh")
	const tell = `echo $$ $LISTEN_PID $LISTEN_FDS $LISTEN_PIDFDID $WATCHDOG_PID; test -e /proc/self/fd/3 && echo open`
	file, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, c := range map[string]struct {
		before, want string
		init         bool
	}{
		"init":    {`LISTEN_PIDFDID=7 LISTEN_PID=$$ WATCHDOG_PID=$$`, "PID PID 1 PID", true},
		"other":   {`LISTEN_PIDFDID=7 LISTEN_PID=1 WATCHDOG_PID=2`, "PID 1 1 7 2", true},
		"none":    {`LISTEN_FDS=1`, "PID 1", true},
		"without": {`LISTEN_PIDFDID=7 LISTEN_PID=$$ WATCHDOG_PID=$$`, "PID PID 1 7 PID", false},
	} {
		s := supervise(t, "keep_fds: [3]\n"+bare, func(cmd *exec.Cmd) {
			if !c.init {
				cmd.Args = append(cmd.Args[:1:1], cmd.Args[2:]...)
			}
			cmd.Args = append([]string{"sh", "-c", "LISTEN_FDS=1 " + c.before + ` exec "$0" "$@"`}, cmd.Args...)
			cmd.Path, cmd.ExtraFiles = sh, []*os.File{file}
		}, sh, "-c", tell)
		got := s.line()
		pid, _, _ := strings.Cut(got, " ")
		if want := strings.ReplaceAll(c.want, "PID", pid); got != want || (pid == fmt.Sprint(s.Process.Pid)) == c.init {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if got := s.line(); got != "open" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// orphans is what a script makes: it starts what ends later than its parent.
const orphans = `n=0; while [ $n -lt $1 ]; do (: &) ; n=$((n+1)); done; echo done; read line`

// TestInitReaps: orphans leave nothing behind, also where caprun is pid 1.
func TestInitReaps(t *testing.T) {
	sh := requires.Tool(t, "sh")
	for name, c := range map[string]struct {
		flags uintptr
		count string
	}{"subreaper": {0, "300"}, "pid1": {syscall.CLONE_NEWPID, strconv.Itoa(requires.Rounds(1000, 10000))}} {
		t.Run(name, func(t *testing.T) {
			if c.flags != 0 {
				requires.Root(t)
			}
			s := supervise(t, bare, func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: c.flags} }, sh, "-c", orphans, "sh", c.count)
			peak := 0
			for finished := false; !finished; {
				select {
				case line := <-s.lines:
					if finished = true; line != "done" {
						t.Fatalf("%q", line)
					}
				case <-time.After(100 * time.Millisecond):
					peak = max(peak, len(children(t, s.Process.Pid)))
				}
			}
			eventually(t, "only the target is left", func() bool { return len(children(t, s.Process.Pid)) == 1 })
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
			if err != nil {
				t.Fatal(err)
			}
			rss := reexec.Status(string(text))["VmRSS"]
			kib, err := strconv.Atoi(strings.TrimSuffix(rss, " kB"))
			if err != nil || kib > 64<<10 {
				t.Errorf("caprun has %s", rss)
			}
			t.Logf("at most %d children at a time, %s", peak, rss)
			s.stdin.Close()
			s.status()
		})
	}
}

// TestInitAdopts: an orphan becomes a child of caprun.
func TestInitAdopts(t *testing.T) {
	requires.Tool(t, "mkfifo")
	// The shell waits for its child, the parent of the orphan, before it writes.
	s := supervise(t, bare, nil, requires.Tool(t, "sh"), "-c",
		`mkfifo go; (sh -c 'read line <go; cut -d " " -f 4 /proc/$$/stat' &); echo >go; read line`)
	if got := s.line(); got != fmt.Sprint(s.Process.Pid) {
		t.Errorf("its parent is %s, not %d", got, s.Process.Pid)
	}
}

// TestInitLeavesNothing: many starts in a row leave no process and no zombie.
func TestInitLeavesNothing(t *testing.T) {
	dir := searchableDir(t)
	file := filepath.Join(dir, "profile.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"+bare), 0o644); err != nil {
		t.Fatal(err)
	}
	creds := program(t, "caprun/internal/test/creds")
	// What a caprun left behind would become a child of this process.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	before := len(children(t, os.Getpid()))
	for range testNumber(t, "CAPRUN_TEST_LOAD", uint64(requires.Rounds(20, 200))) {
		cmd := exec.Command(caprun(t), "-init", "-profile", file, "--", creds, "-exit", "7")
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 7 {
			t.Fatal(err)
		}
	}
	if after := len(children(t, os.Getpid())); after > before {
		t.Errorf("%d children before, %d after", before, after)
	}
}
