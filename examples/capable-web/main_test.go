//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/cap"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// fileCaps are the capabilities that the walk-through sets on the file.
const fileCaps = "cap_setpcap,cap_net_bind_service=p"

// builds are the ways in which the server is built, by environment.
var builds = []struct{ name, env string }{
	{"without cgo", "CGO_ENABLED=0"},
	{"with cgo", "CGO_ENABLED=1"},
}

// user runs the server.
const user = 65534

func TestMain(m *testing.M) {
	reexec.Main(m, reexec.Roles{"bracket": bracket})
}

// bracket listens twice on one port, without dropPrivileges, and prints what is
// effective afterwards.
func bracket() {
	if err := cap.SetUID(user); err != nil {
		fmt.Println(err)
		return
	}
	var last net.Listener
	for range 2 {
		l, err := listen("127.0.0.1:"+os.Getenv("PORT"), false)
		c := cap.GetProc()
		effective := cap.NewSet()
		fmt.Println(l != nil, errors.Is(err, syscall.EADDRINUSE), effective.FillFlag(cap.Effective, c, cap.Effective), effective)
		if l != nil {
			last = l
		}
	}
	last.Close()
}

// TestBracket: the capability is effective for the call only, whether it succeeds or
// fails.
func TestBracket(t *testing.T) {
	requires.Root(t)
	port := fmt.Sprint("PORT=", freeLowPort(t))
	r := reexec.Run(t, "bracket", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, port) })
	if want := "true false <nil> =\nfalse true <nil> =\n"; r.Stdout != want || r.Status != 0 {
		t.Errorf("status %d, %q, want %q\n%s", r.Status, r.Stdout, want, r.Stderr)
	}
}

// TestWalkThrough runs the steps of the README, with each build.
func TestWalkThrough(t *testing.T) {
	requires.Root(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range builds {
		t.Run(b.name, func(t *testing.T) {
			if b.env == "CGO_ENABLED=1" {
				requires.Heavy(t) // it compiles the HTTP server again
				requires.Tool(t, "gcc")
			}
			path := build(t, b.env)
			t.Run("help", func(t *testing.T) { help(t, path, string(readme)) })
			t.Run("refused", func(t *testing.T) { refused(t, path, string(readme)) })
			t.Run("high port", func(t *testing.T) { highPort(t, path) })
			t.Run("file capabilities", func(t *testing.T) { lowPort(t, path) })
		})
	}
}

// help compares the flags with those in the README.
func help(t *testing.T, path, readme string) {
	prepare(t, path, "", 0)
	s := start(t, path, user, "-h")
	status := s.wait()
	_, flags, found := strings.Cut(s.log.String(), "\n")
	if status != 0 || !found || !strings.Contains(readme, flags) {
		t.Errorf("status %d, and the README lacks %q", status, s.log.String())
	}
}

// refused runs the steps that fail. The README has the message of each.
func refused(t *testing.T, path, readme string) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	low, high := fmt.Sprint(freeLowPort(t)), fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	for _, c := range []struct {
		name string
		caps string
		mode os.FileMode
		uid  uint32
		args []string
		want string
	}{
		{"no port", "", 0, user, nil, "flag -port is required: a number from 1 to 65535"},
		{"invalid port", "", 0, user, []string{"-port", "65536"}, "flag -port is required: a number from 1 to 65535"},
		{"no privilege", "", 0, user, []string{"-port", low}, `missing capabilities for a low port: need "cap_setpcap,cap_net_bind_service=p", have "="`},
		{"privilege skipped", fileCaps, 0, user, []string{"-skip", "-port", low}, "bind: permission denied"},
		{"no cap_setpcap", "cap_net_bind_service=p", 0, user, []string{"-port", low}, `have "cap_net_bind_service=p"`},
		{"port in use", fileCaps, 0, user, []string{"-port", high}, "bind: address already in use"},
		{"root", "", 0, 0, []string{"-port", low}, "running as root, which a port does not require"},
		{"setuid root", "", os.ModeSetuid, user, []string{"-port", low}, "the file is set-user-ID or set-group-ID: uid 65534 became 0, gid 65534 became 65534"},
		{"setgid root", "", os.ModeSetgid, user, []string{"-port", low}, "uid 65534 became 65534, gid 65534 became 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			prepare(t, path, c.caps, c.mode)
			s := start(t, path, c.uid, c.args...)
			if url := s.url(); url != "" {
				t.Fatalf("it serves %s", url)
			}
			if status := s.wait(); status != 1 || !strings.Contains(s.log.String(), c.want) {
				t.Errorf("status %d, log %q, want %q", status, s.log.String(), c.want)
			}
			if !strings.Contains(readme, c.want) {
				t.Errorf("the README lacks %q", c.want)
			}
		})
	}
}

// highPort runs the server without any privilege.
func highPort(t *testing.T, path string) {
	prepare(t, path, "", 0)
	s := serve(t, path, freePort, "-skip")
	s.greets(t)
	s.everyThread(t, map[string]string{"CapPrm": none, "CapEff": none, "CapAmb": none, "NoNewPrivs": "0"})
}

// lowPort runs the server with file capabilities, and checks that it drops them.
func lowPort(t *testing.T, path string) {
	prepare(t, path, fileCaps, 0)
	s := serve(t, path, freeLowPort)
	s.greets(t)
	s.everyThread(t, map[string]string{
		"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1"})
}

// none is an empty set in /proc/PID/status.
const none = "0000000000000000"

// build returns the path of the server, which every user can run.
func build(t *testing.T, env string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "capable-web-")
	if err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "capable-web")
	cmd := exec.Command(requires.Tool(t, "go"), "build", "-o", path, ".")
	cmd.Env = append(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// prepare sets or removes the file's capabilities, and sets its mode.
func prepare(t *testing.T, path, caps string, mode os.FileMode) {
	t.Helper()
	if caps != "" || mode != 0 {
		needPrivilegedFiles(t, path)
	}
	if err := os.Chmod(path, 0o755|mode); err != nil {
		t.Fatal(err)
	}
	if caps == "" {
		if err := (*cap.Set)(nil).SetFile(path); err != nil && !errors.Is(err, syscall.ENODATA) {
			t.Fatal(err)
		}
		return
	}
	set, err := cap.FromText(caps)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.SetFile(path); err != nil {
		t.Fatal(err)
	}
}

// needPrivilegedFiles skips the test where the kernel does not honour file
// capabilities or setuid bits.
func needPrivilegedFiles(t *testing.T, path string) {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		t.Fatal(err)
	}
	if fs.Flags&unix.ST_NOSUID != 0 {
		requires.Skip(t, path+" on a file system that is not mounted nosuid")
	}
	if on, err := cap.Prctl(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || on == 1 {
		requires.Skip(t, "tests without no_new_privs")
	}
	for _, c := range []cap.Value{cap.SETPCAP, cap.NET_BIND_SERVICE} {
		if has, err := cap.GetBound(c); err != nil || !has {
			requires.Skip(t, c.String()+" in the bounding set")
		}
	}
}

// freePort returns a port that no process has bound.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// freeLowPort returns a port that requires privilege and that no process has bound.
func freeLowPort(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		t.Fatal(err)
	}
	start, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	const first = 80
	if start <= first {
		requires.Skip(t, "a port that needs privilege")
	}
	// Other tests search for ports too: each starts at another one.
	for _, n := range rand.Perm(min(start, 1024) - first) {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+n))
		if err == nil {
			l.Close()
			return first + n
		}
	}
	requires.Skip(t, "a free port that needs privilege")
	return 0
}

// server is a running capable-web.
type server struct {
	cmd    *exec.Cmd
	stderr *bufio.Reader
	log    bytes.Buffer // what has been read of stderr
	at     string       // its URL, once the log has it
	exited bool
}

func start(t *testing.T, path string, uid uint32, args ...string) *server {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: cmd, stderr: bufio.NewReader(stderr)}
	timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		if !s.exited {
			cmd.Process.Kill()
			s.wait()
		}
	})
	return s
}

// url reads the log until it has the server's URL. It returns the empty string if the
// server exits first.
func (s *server) url() string {
	for {
		line, err := s.stderr.ReadString('\n')
		s.log.WriteString(line)
		if _, url, ok := strings.Cut(strings.TrimSpace(line), " serves "); ok {
			return url
		}
		if err != nil {
			return ""
		}
	}
}

// wait returns the exit status, -1 for a signal.
func (s *server) wait() int {
	_, _ = io.Copy(&s.log, s.stderr)
	_ = s.cmd.Wait()
	s.exited = true
	return s.cmd.ProcessState.ExitCode()
}

// serve starts the server on a port that is free, and waits until it serves.
func serve(t *testing.T, path string, free func(*testing.T) int, args ...string) *server {
	t.Helper()
	for range 10 {
		port := free(t)
		s := start(t, path, user, append(args, "-port", strconv.Itoa(port))...)
		s.at = s.url()
		if s.at == "" && strings.Contains(s.log.String(), "address already in use") {
			continue // another process was faster
		}
		if want := fmt.Sprintf("http://127.0.0.1:%d/", port); s.at != want {
			t.Fatalf("it serves %q, want %q: %s", s.at, want, s.log.String())
		}
		return s
	}
	t.Fatal("every free port was taken before the server bound it")
	return nil
}

// greets makes some requests, each on a new connection.
func (s *server) greets(t *testing.T) {
	t.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 8 {
		r, err := client.Get(s.at)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var pid, tid int
		if _, err := fmt.Sscanf(string(body), "Hello from process %d, thread %d, caps=\"=\"\n", &pid, &tid); err != nil || pid != s.cmd.Process.Pid {
			t.Fatalf("%q, %v; the process is %d", body, err, s.cmd.Process.Pid)
		}
		if !slices.Contains(s.threads(t), strconv.Itoa(tid)) {
			t.Errorf("thread %d is not among %v", tid, s.threads(t))
		}
		line, err := s.stderr.ReadString('\n')
		if err != nil || !strings.HasSuffix(line, string(body)) {
			t.Errorf("the answer %q is logged as %q, %v", body, line, err)
		}
	}
}

// threads returns the IDs of the server's threads.
func (s *server) threads(t *testing.T) []string {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, task := range tasks {
		ids = append(ids, task.Name())
	}
	return ids
}

// everyThread compares the status of each thread with want, and its user with user.
func (s *server) everyThread(t *testing.T, want map[string]string) {
	t.Helper()
	checked := 0
	for _, id := range s.threads(t) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", s.cmd.Process.Pid, id))
		if err != nil {
			continue // The thread has ended.
		}
		checked++
		got := reexec.Status(string(text))
		for _, key := range []string{"Uid", "Gid"} {
			if got[key] != "65534 65534 65534 65534" {
				t.Errorf("thread %s has %s %q", id, key, got[key])
			}
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("thread %s has %s %q, want %q", id, key, got[key], value)
			}
		}
	}
	if checked < 2 {
		t.Errorf("only %d threads were checked", checked)
	}
}
