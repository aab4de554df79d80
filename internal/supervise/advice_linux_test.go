package supervise

import (
	"fmt"
	"os/exec"
	"testing"

	"caprun/internal/test/command"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// verifyOutput returns the status and the messages of verify for a process.
func verifyOutput(t *testing.T, pid int, profile string) (status int, messages string) {
	t.Helper()
	_, messages, status = command.Run(t, exec.Command(command.Caprun(t), "verify", "-as", "current", "-pid", fmt.Sprint(pid), profile))
	return status, messages
}

// TestVerifySupervisor: verify of a supervisor reports which process is its target.
func TestVerifySupervisor(t *testing.T) {
	requires.Root(t) // others may not read a supervisor
	profile := command.ProfileFile(t, command.PlainProfile)
	s := supervise(t, bare, nil, signalreport(t))
	target := s.ready()
	want := fmt.Sprintf("caprun: process %d is a supervisor (-init); to verify its target, use -pid %d\n", s.Process.Pid, target)
	if status, messages := verifyOutput(t, s.Process.Pid, profile); status != 0 || messages != want {
		t.Errorf("status %d, %q, want %q", status, messages, want)
	}
	if status, messages := verifyOutput(t, target, profile); status != 0 || messages != "" {
		t.Errorf("the target: status %d, %q", status, messages)
	}

	// A process that only looks like a supervisor does not change the result.
	sh := requires.Tool(t, "sh")
	requires.Tool(t, "setsid")
	fake := supervise(t, bare, func(cmd *exec.Cmd) {
		cmd.Path = sh
		cmd.Args = []string{"caprun", "-c", `exec setsid sh -c 'echo ready $$; read line'`, "-init", "-profile", "x"}
	})
	if status, messages := verifyOutput(t, fake.ready(), profile); status != 1 || messages != "" {
		t.Errorf("another program: status %d, %q", status, messages)
	}
}

// TestReadBriefly: a file that blocks readers does not block verify.
func TestReadBriefly(t *testing.T) {
	fifo := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := readBriefly(fifo); got != "" {
		t.Errorf("%q", got)
	}
	// End the goroutine that still reads.
	fd, err := unix.Open(fifo, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
}
