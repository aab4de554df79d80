package supervise

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/command"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// calledBy starts caprun with a parent-death signal as a child of a shell, which ends on
// SIGUSR1. The first line of output is the process ID of the shell.
func calledBy(t *testing.T, signal syscall.Signal, settings []string, args ...string) func(cmd *exec.Cmd) {
	return func(cmd *exec.Cmd) {
		with := command.Program(t, "caprun/internal/test/runas")
		caprun := append([]string{with, fmt.Sprint("pdeathsig=", int(signal))}, settings...)
		caprun = append(append(caprun, "--", cmd.Path), args...)
		cmd.Path = requires.Tool(t, "sh")
		// The outer shell keeps the output open after the caller has ended.
		cmd.Args = append([]string{"sh", "-c", `exec 3<&0; sh -c '
			trap "exit 3" USR1; echo $$; "$@" <&3 3<&- & wait' sh "$@"; exec sleep 60`, "sh"}, caprun...)
	}
}

// TestDeathSignalOfCaller: a target of another user ends with its caller if that set a
// parent-death signal, also with -init.
func TestDeathSignalOfCaller(t *testing.T) {
	requires.Root(t)
	const another = "uid: 65534\ngid: 65534\n"
	for name, profile := range map[string]string{"none": another + "caps: \"=\"\n", "ambient": another + "caps: cap_net_raw=eip\n", "root": "uid: 0\ngid: 0\ncaps: cap_net_raw=ep\n", "same": bare} {
		for _, init := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,%v", name, init), func(t *testing.T) {
				s := supervise(t, profile, func(cmd *exec.Cmd) {
					args := cmd.Args[1:]
					if !init {
						args = args[1:]
					}
					calledBy(t, unix.SIGKILL, nil, args...)(cmd)
				}, requires.Tool(t, "sh"), "-c", "echo ready $$; exec sleep 60")
				caller, err := strconv.Atoi(s.line())
				if err != nil {
					t.Fatal(err)
				}
				target := s.ready()
				t.Cleanup(func() { _ = unix.Kill(target, unix.SIGKILL) })
				if err := unix.Kill(caller, unix.SIGUSR1); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the target has ended", func() bool { st := state(target); return st == "gone" || st == "Z" })
			})
		}
	}
}

// TestDeathSignalCallerEnds: caprun notices a caller that ends while caprun starts,
// although a Go program ignores the signal.
func TestDeathSignalCallerEnds(t *testing.T) {
	profiles := map[string]string{"same": command.PlainProfile}
	if os.Geteuid() == 0 {
		profiles["another user"] = "version: 1\nuid: 65534\ngid: 65534\ncaps: \"=\"\n"
	}
	for name, profile := range profiles {
		for _, init := range []string{"", "-init"} {
			t.Run(name+init, func(t *testing.T) {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				s := supervise(t, bare, func(cmd *exec.Cmd) {
					args := []string{"-profile", "-", "--", requires.Tool(t, "echo"), "started"}
					if init != "" {
						args = append([]string{init}, args...)
					}
					calledBy(t, unix.SIGUSR2, nil, args...)(cmd)
					cmd.Stderr = w
				})
				w.Close()
				caller, err := strconv.Atoi(s.line())
				if err != nil {
					t.Fatal(err)
				}
				eventually(t, "caprun waits for its profile", func() bool {
					for _, pid := range children(t, caller) {
						call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
						name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
						if string(name) == "caprun\n" && strings.HasPrefix(string(call), fmt.Sprint(unix.SYS_READ, " 0x0 ")) {
							return true
						}
					}
					return false
				})
				if err := unix.Kill(caller, unix.SIGUSR1); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the caller has ended", func() bool { st := state(caller); return st == "gone" || st == "Z" })
				if _, err := io.WriteString(s.stdin.(io.Writer), profile); err != nil {
					t.Fatal(err)
				}
				s.stdin.Close()
				message := make([]byte, 4096)
				n, _ := r.Read(message)
				if got := string(message[:n]); !strings.Contains(got, "its parent process has ended") && !strings.Contains(got, "the caller has ended, and set a parent-death signal to end caprun with it") {
					t.Errorf("%q", got)
				}
				_ = s.Process.Kill()
				for line := range s.lines {
					t.Errorf("the target runs: %s", line)
				}
			})
		}
	}
}

// TestDeathSignalFromOutside: the parent may be outside of the PID namespace.
func TestDeathSignalFromOutside(t *testing.T) {
	requires.Root(t)
	// The kernel sends the signal when the thread that forked ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, init := range []bool{false, true} {
		want := "pdeathsig: 10"
		s := supervise(t, "uid: 65534\ngid: 65534\ncaps: \"=\"\n", func(cmd *exec.Cmd) {
			if !init {
				cmd.Args = append(cmd.Args[:1:1], cmd.Args[2:]...)
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Pdeathsig: unix.SIGUSR1}
		}, command.Program(t, "caprun/internal/test/creds"))
		s.stdin.Close() // creds reads it
		if init {
			want = "pdeathsig: 9"
		}
		for got := ""; got != want; {
			got = s.line()
		}
		if got := s.status(); got != 0 {
			t.Errorf("status %d", got)
		}
	}
}
