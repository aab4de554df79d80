package observe

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// dropBounding drops capabilities, and executes this role again without them.
func dropBounding(capabilities ...uintptr) {
	runtime.LockOSThread() // the bounding set is that of the thread
	for _, c := range capabilities {
		exitOn(unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0))
	}
	exitOn(os.Unsetenv("DROP"))
	role := os.Getenv("ROLE")
	exitOn(syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), "CAPRUN_TEST_CHILD="+role)))
}

// prepareWithout lets a role drop capabilities with dropBounding.
func prepareWithout(role string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Env = append(c.Env, "DROP=1", "ROLE="+role) }
}

// startStopped starts a program, which stops before it executes another one.
func startStopped(target *exec.Cmd) {
	runtime.LockOSThread() // ptrace(2) works in one thread only
	target.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	exitOn(target.Start())
	var status syscall.WaitStatus
	_, err := syscall.Wait4(target.Process.Pid, &status, 0, nil)
	exitOn(err)
}

// openSmall opens an observer without cap_ipc_lock.
func openSmall() {
	if os.Getenv("DROP") != "" {
		dropBounding(unix.CAP_IPC_LOCK)
	}
	// Other processes of this user may use all of perf_event_mlock_kb.
	exitOn(unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}))
	target := reexec.Command("next")
	startStopped(target)
	const asked = 16 << 20
	obs, err := Open(target.Process.Pid, Options{RingSize: asked})
	exitOn(err)
	for _, cpu := range obs.cpus {
		fmt.Println(len(cpu.ring.data) > 0 && len(cpu.ring.data) < asked)
	}
	_, err = obs.Close()
	exitOn(err)
	exitOn(target.Process.Kill())
}

// TestRingLimit: a ring that the limit of locked memory does not permit becomes smaller.
func TestRingLimit(t *testing.T) {
	requireRecording(t)
	result := reexec.Run(t, "small", prepareWithout("small"))
	if result.Status != 0 || strings.Contains(result.Stdout, "false") || !strings.Contains(result.Stdout, "true") {
		t.Errorf("%+v", result)
	}
}

// recordHidden records a target without cap_syslog, and prints the recording.
func recordHidden() {
	if os.Getenv("DROP") != "" {
		dropBounding(unix.CAP_SYSLOG)
	}
	target := reexec.Command("next")
	target.Args = append(target.Args, os.Args[1:]...)
	startStopped(target)
	obs, err := Open(target.Process.Pid, Options{})
	exitOn(err)
	exitOn(syscall.PtraceDetach(target.Process.Pid))
	exitOn(target.Wait())
	rec, err := obs.Close()
	exitOn(err)
	exitOn(json.NewEncoder(os.Stdout).Encode(rec))
}

// manyChowns is a script that starts many short-lived processes. The code of one of them is
// read before it ends.
const manyChowns = `n=1; while [ $n -le 50 ]; do chown $n "$FILE"; n=$((n+1)); done`

// TestNoSymbols: without the kernel's symbols, the registers and the code of the program
// show which system call a check belongs to.
func TestNoSymbols(t *testing.T) {
	requireRecording(t)
	for name, test := range map[string]struct {
		env    []string
		args   []string
		denied bool
	}{
		"the call fails":    {env: []string{nextRole + "=drop"}, denied: true},
		"the call succeeds": {args: []string{requires.Tool(t, "sh"), "-c", manyChowns}},
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			result := reexec.Run(t, "hidden", func(c *exec.Cmd) {
				prepareWithout("hidden")(c)
				c.Env = append(append(c.Env, "FILE="+file), test.env...)
				c.Args = append(c.Args, test.args...)
			})
			var rec Recording
			if err := json.Unmarshal([]byte(result.Stdout), &rec); err != nil {
				t.Fatalf("%v in %+v", err, result)
			}
			if rec.Symbols {
				requires.Skip(t, "kernel symbols hidden by kernel.kptr_restrict or kernel.perf_event_paranoid")
			}
			found := slices.ContainsFunc(rec.Checks, func(c Check) bool {
				return c.Cap == unix.CAP_CHOWN && c.Functions == nil && c.Denied == test.denied && (c.Errno != 0) == test.denied &&
					(strings.HasSuffix(c.Call.Name, "chown") || c.Call.Name == "fchownat")
			})
			if !found {
				t.Errorf("no named check of cap_chown in %+v", rec.Checks)
			}
		})
	}
}
