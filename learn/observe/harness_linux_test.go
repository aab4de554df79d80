package observe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// requireRecording skips the test if nothing can be recorded here.
func requireRecording(t *testing.T) {
	t.Helper()
	requires.Root(t)
	if err := Available(); err != nil {
		requires.Skip(t, err.Error())
	}
}

// methods says what this kernel has.
type methods struct{ tracepoint, probes bool }

func methodsOf(t *testing.T) (m methods) {
	t.Helper()
	points, trace, err := findTracepoints(false)
	if err != nil {
		t.Fatal(err)
	}
	defer trace.close()
	_, err = trace.read(probeEvents)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		t.Fatal(err)
	}
	return methods{tracepoint: points.check.id != 0, probes: err == nil}
}

// A target is what a test records.
type target struct {
	cmd    *exec.Cmd
	errors bytes.Buffer

	// If it holds, it writes to output when it is done, and ends at the end of input: what
	// is read from it is then read while it runs.
	input  io.Closer
	output io.Reader
}

// hold waits at the end of a role, if the test asked for it.
func hold() {
	if os.Getenv(holdVariable) != "" {
		fmt.Println("done")
		io.Copy(io.Discard, os.Stdin)
	}
}

const holdVariable = "OBSERVE_TEST_HOLD"

// holding makes the target wait after what it does.
func (p *target) holding(t *testing.T) *target {
	t.Helper()
	input, errInput := p.cmd.StdinPipe()
	output, errOutput := p.cmd.StdoutPipe()
	if err := errors.Join(errInput, errOutput); err != nil {
		t.Fatal(err)
	}
	p.input, p.output = input, output
	return p.env(holdVariable + "=1")
}

// role is a target that executes a role of this test binary.
func role(name string, env ...string) *target {
	return program().env(append(env, nextRole+"="+name)...)
}

// program is a target that executes a program.
func program(args ...string) *target {
	p := &target{cmd: reexec.Command("next")}
	p.cmd.Args = append(p.cmd.Args, args...)
	p.cmd.Stderr = &p.errors
	// It stops at its first exec, when it has one thread.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	return p
}

func (p *target) env(env ...string) *target {
	p.cmd.Env = append(p.cmd.Env, env...)
	return p
}

func (p *target) with(change func(*exec.Cmd)) *target {
	change(p.cmd)
	return p
}

func (p *target) pid() int { return p.cmd.Process.Pid }

// start starts a target, which waits until run.
func start(t *testing.T, p *target) *target {
	t.Helper()
	runtime.LockOSThread() // ptrace(2) works in one thread only
	t.Cleanup(runtime.UnlockOSThread)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.pid(), &status, 0, nil); err != nil || !status.Stopped() {
		t.Fatalf("the process did not stop: %v %v", status, err)
	}
	return p
}

// run lets a target run to the end of all its processes.
func (p *target) run(t *testing.T) {
	t.Helper()
	p.resume(t)
	p.wait(t)
}

// resume lets a target run until it holds.
func (p *target) resume(t *testing.T) {
	t.Helper()
	if err := syscall.PtraceDetach(p.pid()); err != nil {
		t.Fatal(err)
	}
	if p.output != nil {
		if _, err := p.output.Read(make([]byte, 1)); err != nil {
			t.Errorf("%q: %v", p.cmd.Args, err)
		}
	}
}

// wait waits for the end of a target.
func (p *target) wait(t *testing.T) {
	t.Helper()
	if p.input != nil {
		p.input.Close()
	}
	timer := time.AfterFunc(2*time.Minute, func() { p.cmd.Process.Kill() })
	defer timer.Stop()
	// Wait waits for the end of the pipe of errors, too, which all its processes have.
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%q: %v: %s", p.cmd.Args, err, p.errors.Bytes())
	}
}

// recordTarget returns what was recorded of a target.
func recordTarget(t *testing.T, o Options, p *target) *Recording {
	t.Helper()
	start(t, p)
	obs, err := Open(p.pid(), o)
	if err != nil {
		t.Fatal(err)
	}
	p.resume(t)
	if p.output == nil {
		p.wait(t)
	}
	rec, err := obs.Close()
	if err != nil {
		t.Fatal(err)
	}
	if p.output != nil {
		p.wait(t)
	}
	if rec.Lost != 0 {
		t.Errorf("%d events were lost", rec.Lost)
	}
	return rec
}

// openUnread opens the events of a process, without a reader of their rings.
func openUnread(t *testing.T, pid, size int) (*tracepoints, []cpuEvents) {
	t.Helper()
	points, trace, err := findTracepoints(false)
	if err == nil {
		err = points.makeProbes(trace)
	}
	if err != nil {
		t.Fatal(err)
	}
	cpus, err := readCPUs()
	if err != nil {
		t.Fatal(err)
	}
	if points.namespace, err = points.ownNamespace(); err != nil {
		t.Fatal(err)
	}
	obs := &Observer{points: points, trace: trace, stop: -1}
	t.Cleanup(func() {
		if err := obs.release(); err != nil {
			t.Error(err)
		}
	})
	if obs.cpus, err = points.openCPUs(pid, cpus, size); err != nil {
		t.Fatal(err)
	}
	return points, obs.cpus
}

func checksOf(rec *Recording, capability int) (checks []Check) {
	for _, c := range rec.Checks {
		if c.Cap == capability && !c.Memory {
			checks = append(checks, c)
		}
	}
	return checks
}

// newDir returns a directory that every user can search.
func newDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newFile returns the path of a file of root.
func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(newDir(t), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// copyProgram copies a program into a new directory, and returns its path. busybox needs
// the name.
func copyProgram(t *testing.T, program, path string) string {
	t.Helper()
	data, err := os.ReadFile(program)
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// setNetRaw gives a file the capability cap_net_raw, permitted and effective.
func setNetRaw(path string) error {
	const revision2, effective = 0x02000000, 1
	var b []byte
	for _, word := range []uint32{revision2 | effective, 1 << unix.CAP_NET_RAW, 0, 0, 0} {
		b = binary.LittleEndian.AppendUint32(b, word)
	}
	return unix.Setxattr(path, "security.capability", b, 0)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
