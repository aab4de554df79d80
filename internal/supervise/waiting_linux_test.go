package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"caprun/internal/render"
	"caprun/internal/test/reexec"

	"golang.org/x/sys/unix"
)

// waitingRole starts a caprun that waits, and launches its arguments with the profile in
// PROFILE, or only closes the channel.
func waitingRole() {
	runtime.LockOSThread()
	child, err := StartWaiting(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Println(err)
		return
	}
	if os.Getenv("PROFILE") == "" {
		child.Close()
	} else {
		executed, err := child.Launch(Request{Profile: "memory", Text: []byte(os.Getenv("PROFILE")), Strict: true})
		fmt.Println("executed", executed, err)
	}
	var ws unix.WaitStatus
	pid, err := unix.Wait4(child.PID, &ws, 0, nil)
	fmt.Println("status", ws.ExitStatus(), pid == child.PID, err)
}

// TestWaiting: the caller learns whether the target was executed, whatever its status is.
func TestWaiting(t *testing.T) {
	for _, test := range []struct {
		profile, script string
		want, message   string
	}{
		{"version: 1\nno_new_privs: true\n", "exit 0", "executed true <nil>\nstatus 0 true <nil>\n", ""},
		{"version: 1\nno_new_privs: true\n", "exit 125", "executed true <nil>\nstatus 125 true <nil>\n", ""},
		{"version: 1\nkeep_fds: [99]\n", "exit 0", "executed false <nil>\nstatus 125 true <nil>\n", "caprun: memory:2:12:"},
		{"version: 2\n", "exit 0", "executed false <nil>\nstatus 125 true <nil>\n", "caprun: memory:1:10:"},
		{"", "exit 0", "status 125 true <nil>\n", "malformed request"},
	} {
		r := reexec.Run(t, "waiting", func(cmd *exec.Cmd) {
			cmd.Env = append(cmd.Env, "PROFILE="+test.profile)
			cmd.Args = append(cmd.Args, "/bin/sh", "-c", test.script)
		})
		if r.Stdout != test.want || !strings.Contains(r.Stderr, test.message) {
			t.Errorf("%q, %s: %q, %q", test.profile, test.script, r.Stdout, r.Stderr)
		}
	}
}

// runChild is the main function of a process that StartWaiting has started.
func runChild() {
	os.Exit(RunChild(&render.Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}, os.Args[2:]))
}
