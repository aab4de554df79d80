package cap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// sessionRoles are the roles of TestNewSession: the shell that starts the launch, the
// launch, and its target.
var sessionRoles = reexec.Roles{
	"session-start":  sessionStart,
	"session-launch": sessionLaunch,
	"session-target": sessionTarget,
}

// openPty returns both ends of a new pseudoterminal.
func openPty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		requires.Skip(t, "a pseudoterminal: "+err.Error())
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "master")
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close(); master.Close() })
	return master, slave
}

// sessionStart acts as the shell. Its standard input is its terminal.
func sessionStart() {
	kind := os.Getenv("KIND")
	if kind == "leader" || kind == "none" {
		sessionLaunch()
		return
	}
	cmd := reexec.Command("session-launch")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: kind == "group"}
	if err := cmd.Run(); err != nil {
		fmt.Println("start:", err)
	}
}

func sessionLaunch() {
	if os.Getenv("HUP") == "ignored" {
		signal.Ignore(syscall.SIGHUP)
	}
	l := NewLauncher("/proc/self/exe", []string{"target"}, append(os.Environ(), fmt.Sprintf("START=%d", os.Getpid()), "CAPRUN_TEST_CHILD=session-target"))
	if os.Getenv("NEW") != "" {
		l.SetNewSession()
	}
	if os.Getuid() == 0 {
		// What is a descriptor of another terminal may be used with
		// CAP_SYS_ADMIN.
		l.SetUID(33)
		l.SetGroups(33, nil)
	}
	if os.Getenv("CLOSED") != "" {
		unix.Close(0)
	}
	if root := os.Getenv("ROOT"); root != "" {
		if err := errors.Join(unix.Chroot(root), unix.Chdir("/")); err != nil {
			fmt.Println("root:", err)
		}
		// Nothing can be executed there: what counts is the step.
		fmt.Println(l.Exec())
		return
	}
	fmt.Println(l.Exec())
}

// sessionTarget tries to push input to the terminal, which another program would read.
func sessionTarget() {
	report := func(what string, err error) {
		text := "works"
		if err != nil {
			text = err.Error()
		}
		fmt.Println(what+":", text)
	}
	key := byte('x')
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, 0, unix.TIOCSTI, uintptr(unsafe.Pointer(&key)))
	if errno != 0 {
		report("push", errno)
	} else {
		report("push", nil)
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY, 0)
	if err == nil {
		unix.Close(fd)
	}
	report("open", err)
	sid, _ := unix.Getsid(0)
	fmt.Println("leads:", sid == os.Getpid())
	fmt.Println("same pid:", os.Getenv("START") == fmt.Sprint(os.Getpid()))
	text, _ := os.ReadFile("/proc/self/status")
	status := reexec.Status(string(text))
	const hup = 1 << (syscall.SIGHUP - 1)
	has := func(field string) bool {
		var mask uint64
		_, _ = fmt.Sscanf(status[field], "%x", &mask)
		return mask&hup != 0
	}
	// A pending one would have ended this program: the Go runtime unblocks it.
	fmt.Println("hup:", "ignored", has("SigIgn"))
}

// TestNewSession starts a target on a pseudoterminal, from a process in every position in
// a session. The target tries to push input to the terminal.
func TestNewSession(t *testing.T) {
	type want map[string]string
	gone := want{"push": "operation not permitted", "open": "no such device or address", "same pid": "true"}
	// Since 6.2 nobody may push where the administrator says so.
	if legacy, err := os.ReadFile("/proc/sys/dev/tty/legacy_tiocsti"); err == nil && string(legacy) == "0\n" {
		gone["push"] = "input/output error"
	}
	for _, c := range []struct {
		name, kind, env string
		want            want
	}{
		{"a member of a group", "member", "NEW=1", want{"leads": "true"}},
		{"the leader of a group", "group", "NEW=1", want{"leads": "false"}},
		// Under nohup it is ignored from the start, and stays so.
		{"the leader of a session", "leader", "NEW=1", want{"leads": "true", "hup": fmt.Sprint("ignored ", signal.Ignored(syscall.SIGHUP))}},
		{"SIGHUP ignored", "leader", "NEW=1 HUP=ignored", want{"hup": "ignored true"}},
		{"no terminal", "none", "NEW=1", want{"leads": "true"}},
		{"standard input closed", "group", "NEW=1 CLOSED=1", want{"leads": "false", "push": "inappropriate ioctl for device"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runOnTerminal(t, c.kind, c.env)
			for _, all := range []want{gone, c.want} {
				for key, value := range all {
					if own, ok := c.want[key]; ok {
						value = own
					}
					if c.kind == "none" && key == "push" {
						continue
					}
					if got[key] != value {
						t.Errorf("%s is %q, not %q", key, got[key], value)
					}
				}
			}
		})
	}
	// Without the step the terminal is the caller's, or the test shows nothing.
	for _, kind := range []string{"member", "group", "leader"} {
		got := runOnTerminal(t, kind, "")
		if got["open"] != "works" || got["push"] != "works" && got["push"] != "input/output error" {
			t.Errorf("%s, without the step: %v", kind, got)
		}
	}
}

// TestNewSessionBlind launches where neither /dev/tty nor /proc can be read.
func TestNewSessionBlind(t *testing.T) {
	requires.Root(t)
	empty := "ROOT=" + t.TempDir()
	if got := runOnTerminal(t, "leader", "NEW=1 "+empty); !strings.Contains(got["exec"], "execve: no such file") {
		t.Errorf("with the terminal as standard input: %v", got)
	}
	if got := runOnTerminal(t, "group", "NEW=1 "+empty+" NOINPUT=1"); !strings.Contains(got["leave the terminal"], "/dev/tty: no such file") {
		t.Errorf("without terminal and /proc: %v", got)
	}
}

// runOnTerminal returns the values that the target prints, by key.
func runOnTerminal(t *testing.T, kind, env string) map[string]string {
	t.Helper()
	master, slave := openPty(t)
	go io.Copy(io.Discard, master)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := reexec.Command("session-start")
	cmd.Env = append(cmd.Env, append(strings.Fields(env), "KIND="+kind)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: kind != "none", Ctty: 0}
	if strings.Contains(env, "NOINPUT") {
		// The terminal stays the controlling one, and is no descriptor.
		cmd.Env = append(cmd.Env, "CLOSED=1")
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	got := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ": "); ok {
			got[key] = value
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		t.Errorf("%s %s: %v, %v", kind, env, exit, got)
	}
	return got
}
