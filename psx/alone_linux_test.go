package psx

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	self "caprun/internal/test/reexec"
	"caprun/internal/test/requires"
)

// aloneVariable names the test that a child process is for.
const aloneVariable = "PSX_TEST_ALONE"

// tooLong is when a child counts as hung.
const tooLong = 5 * time.Minute

// onMainThread runs in a child on the thread that the process began with,
// beside the test.
var onMainThread func()

func TestMain(m *testing.M) {
	if onMainThread != nil {
		go func() { os.Exit(m.Run()) }()
		onMainThread()
	}
	os.Exit(m.Run())
}

// alone says whether this process is the test's own. If not, it makes one,
// has it run the test, and reports what came of it.
func alone(t *testing.T) bool {
	t.Helper()
	if isAlone(t) {
		return true
	}
	output, err := child(t, nil)
	if strings.Contains(output, "--- SKIP") {
		requires.Skip(t, "what the child needs:\n"+output)
	}
	if err != nil || !strings.Contains(output, "--- PASS") {
		t.Errorf("child: %v\n%s", err, output)
	} else if testing.Verbose() {
		t.Log(output)
	}
	return false
}

func isAlone(t *testing.T) bool { return os.Getenv(aloneVariable) == t.Name() }

// child runs this test in a process of its own and returns what it wrote.
func child(t *testing.T, attr *syscall.SysProcAttr) (string, error) {
	t.Helper()
	cmd, output := start(t, attr)
	err := cmd.Wait()
	return output.String(), err
}

// start begins what child does, after it has changed the command by each of
// the functions. The process is ended with a trace of its goroutines when it
// takes too long.
func start(t *testing.T, attr *syscall.SysProcAttr, change ...func(*exec.Cmd)) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	test, _, _ := strings.Cut(t.Name(), "/")
	cmd := self.Self("-test.run=^"+test+"$", "-test.v", "-test.timeout=0")
	cmd.Env = append(os.Environ(), aloneVariable+"="+t.Name())
	cmd.SysProcAttr = attr
	output := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = output, output
	for _, f := range change {
		f(cmd)
	}
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOEXEC) { // the latter under an emulator
			requires.Skip(t, "a child: "+err.Error())
		}
		t.Fatal(err)
	}
	limit := tooLong
	if long {
		limit = 10 * time.Minute
	}
	hung := time.AfterFunc(limit, func() {
		cmd.Process.Signal(syscall.SIGQUIT)
		time.Sleep(5 * time.Second)
		cmd.Process.Kill()
	})
	t.Cleanup(func() { hung.Stop() })
	return cmd, output
}

// dies runs the test's body in a child, which has to end itself, and returns
// its last words. In the child it runs body and does not return.
func dies(t *testing.T, body func()) string {
	t.Helper()
	if isAlone(t) {
		body()
		os.Exit(0)
	}
	output, err := child(t, nil)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("the child ended with %v, want exit status 2\n%s", err, output)
	}
	return output
}
