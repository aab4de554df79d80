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

// ownProcessVariable names the test that a child process runs.
const ownProcessVariable = "PSX_TEST_ALONE"

// hangLimit is the time after which a child counts as hung.
const hangLimit = 5 * time.Minute

// onMainThread runs in a child on the main thread, while the test runs on another
// one.
var onMainThread func()

func TestMain(m *testing.M) {
	if onMainThread != nil {
		go func() { os.Exit(m.Run()) }()
		onMainThread()
	}
	os.Exit(m.Run())
}

// inOwnProcess reports whether this process was started for the test. If not, it
// starts one that runs the test, and reports its result.
func inOwnProcess(t *testing.T) bool {
	t.Helper()
	if isOwnProcess(t) {
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

func isOwnProcess(t *testing.T) bool { return os.Getenv(ownProcessVariable) == t.Name() }

// child runs this test in its own process and returns the output.
func child(t *testing.T, attr *syscall.SysProcAttr) (string, error) {
	t.Helper()
	cmd, output := start(t, attr)
	err := cmd.Wait()
	return output.String(), err
}

// start starts the process of child, after each change has been applied to the
// command. If the process takes too long, it is ended with a trace of its
// goroutines.
func start(t *testing.T, attr *syscall.SysProcAttr, change ...func(*exec.Cmd)) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	test, _, _ := strings.Cut(t.Name(), "/")
	cmd := self.Self("-test.run=^"+test+"$", "-test.v", "-test.timeout=0")
	cmd.Env = append(os.Environ(), ownProcessVariable+"="+t.Name())
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
	limit := hangLimit
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

// fatalOutput runs body in a child, which must end with status 2, and returns the
// output of the child. In the child it does not return.
func fatalOutput(t *testing.T, body func()) string {
	t.Helper()
	if isOwnProcess(t) {
		body()
		os.Exit(0)
	}
	output, err := child(t, nil)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("child: %v, want exit status 2\n%s", err, output)
	}
	return output
}
