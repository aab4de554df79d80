package load

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"caprun/cap"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { reexec.Main(m, reexec.Roles{"launches": launches}) }

// environment variables of the roles
const (
	atOnceVariable = "LOAD_AT_ONCE"
	credsVariable  = "LOAD_CREDS"
	sleepVariable  = "LOAD_SLEEP"
)

// TestLoadLaunch makes many launches with cap.Launcher in one process, one by one and
// 64 at a time. Each target must have exactly what was declared, and the process must
// keep nothing of the launches.
func TestLoadLaunch(t *testing.T) {
	requires.Heavy(t, Variable)
	requires.Root(t)
	dir := t.TempDir()
	for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	creds := filepath.Join(dir, "creds")
	build := exec.Command(requires.Tool(t, "go"), "build", "-buildvcs=false", "-o", creds, "caprun/internal/test/creds")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct{ name, atOnce string }{{"one by one", "1"}, {"64 at a time", fmt.Sprint(AtOnce)}} {
		t.Run(c.name, func(t *testing.T) {
			log, err := os.Create(filepath.Join(t.TempDir(), "reports"))
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			cmd := reexec.Command("launches")
			cmd.Env = append(cmd.Env, atOnceVariable+"="+c.atOnce, credsVariable+"="+creds, sleepVariable+"="+requires.Tool(t, "sleep"))
			cmd.Stdout = log
			var said strings.Builder
			cmd.Stderr = &said
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, said.String())
			}
			t.Log(strings.TrimSpace(said.String()))
		})
	}
}

// launches is the process under load. Its standard output is a file, to which the
// targets of launches without a callback write.
func launches() {
	if err := load(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type launching struct {
	launcher, plain, sleeper *cap.Launcher
	from                     cred.Cred
	profile                  *policy.Profile

	same Same

	sync.Mutex
	plains int // how many reports are in the file
	looked int // how many targets were compared from outside
}

func load() error {
	count, err := Count()
	if err != nil {
		return err
	}
	var atOnce int
	if _, err := fmt.Sscan(os.Getenv(atOnceVariable), &atOnce); err != nil {
		return err
	}
	l, err := newLaunching()
	if err != nil {
		return err
	}
	// Launch passes descriptors that are not close-on-exec, and the process that runs
	// the tests may have some.
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return err
	}
	// The runtime starts the threads that it requires.
	if err := Run(4*AtOnce, atOnce, l.launch); err != nil {
		return err
	}
	before, err := Hold()
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := Run(count, atOnce, l.launch); err != nil {
		return err
	}
	took := time.Since(begin)
	after, err := before.Leaked(atOnce + 8)
	if err != nil {
		return err
	}
	if err := l.checkPlain(); err != nil {
		return err
	}
	// No thread keeps what a launch changed.
	self, err := machine.ReadProcess(os.Getpid())
	if err != nil {
		return err
	}
	if len(self.States) != 1 || !self.States[0].Cred.Permitted.Has(cred.SETUID) {
		return fmt.Errorf("the threads are in %d different states", len(self.States))
	}
	fmt.Fprintf(os.Stderr, "%d launches, %d at once, in %v; %d were compared from outside; before %+v, after %+v\n",
		count, atOnce, took.Round(time.Millisecond), l.looked, before, after)
	return nil
}

func newLaunching() (*launching, error) {
	l := &launching{}
	var err error
	if l.from, err = machine.CurrentCred(); err != nil {
		return nil, err
	}
	var found []policy.Diagnostic
	if l.profile, found = policy.Parse("load.yaml", []byte(Profile)); l.profile == nil {
		return nil, fmt.Errorf("%v", found)
	}
	iab := cap.NewIAB()
	for v := range cap.MaxBits() {
		vector := cap.Bound
		if v == cap.NET_BIND_SERVICE {
			vector = cap.Amb
		}
		if err := iab.SetVector(vector, true, v); err != nil {
			return nil, err
		}
	}
	launcher := func(args ...string) *cap.Launcher {
		a := cap.NewLauncher(args[0], args, []string{"LOAD=1"})
		a.SetUID(33)
		a.SetGroups(33, []int{33})
		a.SetIAB(iab)
		a.SetSecbits(cap.SecbitNoRoot | cap.SecbitNoRootLocked)
		a.SetNoNewPrivs()
		return a
	}
	l.launcher, l.plain = launcher(os.Getenv(credsVariable)), launcher(os.Getenv(credsVariable))
	l.sleeper = launcher(os.Getenv(sleepVariable), "600")
	l.launcher.Callback(func(pa *syscall.ProcAttr, data any) error {
		pa.Files = []uintptr{0, data.(*os.File).Fd(), 2}
		return nil
	})
	return l, nil
}

func (l *launching) launch(n int) error {
	switch {
	case n%Every == 0:
		return l.verify()
	case n%2 == 0:
		return l.reported()
	}
	pid, err := l.plain.Launch(nil)
	if err != nil {
		return err
	}
	l.Lock()
	l.plains++
	l.Unlock()
	return await(pid)
}

// reported launches a target that reports through a pipe from a callback.
func (l *launching) reported() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	pid, err := l.launcher.Launch(w)
	w.Close()
	if err != nil {
		return err
	}
	text, err := io.ReadAll(r)
	if err = errors.Join(err, await(pid)); err != nil {
		return err
	}
	return l.same.Add(string(text))
}

// await waits for a child, which must exit with status 0.
func await(pid int) error {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err == nil && (!status.Exited() || status.ExitStatus() != 0) {
			err = fmt.Errorf("process %d: wait status %#x", pid, status)
		}
		return err
	}
}

// verify launches a target that keeps running, and compares it with the profile.
func (l *launching) verify() (err error) {
	pid, err := l.sleeper.Launch(nil)
	if err != nil {
		return err
	}
	defer func() {
		killed := syscall.Kill(pid, syscall.SIGKILL)
		_, waited := syscall.Wait4(pid, nil, 0, nil)
		err = errors.Join(err, killed, waited)
	}()
	if err := AwaitSleep(pid, filepath.Base(os.Getenv(sleepVariable))); err != nil {
		return err
	}
	process, err := machine.ReadProcess(pid)
	if err != nil {
		return err
	}
	v, err := compare.Verify(l.profile, l.from, process)
	if err != nil {
		return err
	}
	if v.Verdict() != compare.VerdictSame {
		return fmt.Errorf("the process is not what the profile declares: %+v", v.States)
	}
	l.Lock()
	l.looked++
	l.Unlock()
	return nil
}

// checkPlain compares the reports in the file, whose lines are interleaved: each line
// must appear once per launch.
func (l *launching) checkPlain() error {
	text, err := os.ReadFile("/proc/self/fd/1")
	if err != nil {
		return err
	}
	have := map[string]int{}
	for line := range strings.Lines(string(text)) {
		have[strings.TrimSuffix(line, "\n")]++
	}
	for _, line := range l.same.First {
		times := 0
		for _, same := range l.same.First {
			if same == line {
				times++
			}
		}
		if have[line] != times*l.plains {
			return fmt.Errorf("%q is in %d of %d reports", line, have[line], l.plains)
		}
	}
	for line := range have {
		if !slices.Contains(l.same.First, line) && !strings.HasPrefix(line, "pid:") {
			return fmt.Errorf("%q is in a report", line)
		}
	}
	return nil
}
