package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

const anotherUser = "uid: 65534\ngid: 65534\ncaps: \"=\"\n"

// TestInitWithoutKill: a target of another user gets signals, and ends with caprun, also
// without cap_kill. It cannot send signals to caprun.
func TestInitWithoutKill(t *testing.T) {
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
			`readlink /proc/$PPID/root && echo "can read"; echo ready $$; exec sleep 60`)
	target := s.ready()
	s.signal(unix.SIGKILL)
	s.status()
	eventually(t, "the target has ended", func() bool { st := state(target); return st == "gone" || st == "Z" })
}

// TestInitWithoutKillDeathSignal: the change of the effective uid does not clear the
// parent-death signal of the caller.
func TestInitWithoutKillDeathSignal(t *testing.T) {
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
