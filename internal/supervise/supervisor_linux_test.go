package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/command"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestInitStops: caprun stops when the target stops, and both continue.
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
			// Again, because the last SIGCONT may arrive late and continue it.
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
			// A stop that was sent twice may arrive only now.
			_ = s.Process.Signal(unix.SIGCONT)
			return false
		}
	})
	if got := s.status(); got != 143 {
		t.Errorf("status %d", got)
	}
}

// TestInitKilled: the target ends when caprun is killed, for each kind of target user.
func TestInitKilled(t *testing.T) {
	profiles := []string{bare}
	if os.Geteuid() == 0 {
		profiles = append(profiles, "uid: 65534\ngid: 65534\ncaps: cap_net_raw=eip\n", "caps: cap_net_raw=ep\n", "caps: cap_kill=eip\nsecbits: [noroot, noroot_locked]\n")
	}
	for _, profile := range profiles {
		// Not signalreport, which ends with its input.
		s := supervise(t, profile, nil, requires.Tool(t, "sh"), "-c", "echo ready $$; exec sleep 60")
		pid := s.ready()
		s.signal(unix.SIGKILL)
		s.status()
		eventually(t, "the target has ended: "+profile, func() bool { st := state(pid); return st == "gone" || st == "Z" })
	}
}

// TestInitCannotWait: if caprun cannot wait for the target, it kills it, also if the kernel
// would not, and exits with StatusRefused.
func TestInitCannotWait(t *testing.T) {
	requires.Root(t)
	with := command.Program(t, "caprun/internal/test/runas")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := supervise(t, "uid: 65534\ngid: 65534\n", func(cmd *exec.Cmd) {
		cmd.Args, cmd.Path = append([]string{with, "forbid=wait4:1", "--", cmd.Path}, cmd.Args[1:]...), with
		cmd.Stderr = w
	}, with, "pdeathsig=0", "--", requires.Tool(t, "sh"), "-c", "echo ready $$; exec sleep 60")
	pid := s.ready()
	t.Cleanup(func() { _ = unix.Kill(pid, unix.SIGKILL) })
	s.signal(unix.SIGCHLD)
	if got := s.status(); got != StatusRefused {
		t.Errorf("status %d", got)
	}
	eventually(t, "the target has ended", func() bool { st := state(pid); return st == "gone" || st == "Z" })
	w.Close()
	message := make([]byte, 4096)
	n, _ := r.Read(message)
	if got := string(message[:n]); !strings.Contains(got, "-init: wait for the target: wait4: operation not permitted; if it was still running, it was killed") {
		t.Errorf("%q", got)
	}
}

// TestInitSocketActivation: a variable with the process ID of caprun has that of the target
// in the target, with -init and without.
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
