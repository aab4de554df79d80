package cap

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	roles := reexec.Roles{
		"exec-web":      execWeb,
		"exec-refused":  execRefused,
		"exec-stopped":  execStopped,
		"exec-dumpable": execDumpable,
		"launch-web":    launchWeb,
	}
	maps.Copy(roles, launchRoles)
	maps.Copy(roles, sessionRoles)
	maps.Copy(roles, effectiveRoles)
	maps.Copy(roles, launchSettingRoles)
	maps.Copy(roles, filterRoles)
	maps.Copy(roles, hungRoles)
	maps.Copy(roles, keyringRoles)
	reexec.Main(m, roles)
}

const webCaps = 1 << NET_BIND_SERVICE

// webLauncher returns a Launcher for a web server: another user, one capability, and no
// way to gain more.
func webLauncher() *Launcher {
	l := NewLauncher("/bin/cat", []string{"cat", "/proc/self/status"}, []string{})
	l.SetUID(33)
	l.SetGroups(33, []int{33})
	l.SetIAB(iabOf(webCaps, webCaps, ^Mask(webCaps)))
	l.SetSecbits(SecbitNoRoot | SecbitNoRootLocked)
	l.SetNoNewPrivs()
	return l
}

func execWeb() {
	l := webLauncher()
	l.SetFinal(SetOf(0, webCaps, 0))
	l.SetDescriptors(nil)
	fmt.Fprintln(os.Stderr, l.Exec())
	os.Exit(125)
}

func checkWeb(t *testing.T, r reexec.Result) {
	t.Helper()
	if r.Status != 0 {
		t.Fatalf("status %d: %s", r.Status, r.Stderr)
	}
	got := reexec.Status(r.Stdout)
	want := map[string]string{
		"Uid": "33 33 33 33", "Gid": "33 33 33 33", "Groups": "33",
		"CapInh": "0000000000000400", "CapPrm": "0000000000000400", "CapEff": "0000000000000400",
		"CapBnd": "0000000000000400", "CapAmb": "0000000000000400", "NoNewPrivs": "1",
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
	}
}

func TestExec(t *testing.T) {
	requires.Root(t)
	r := reexec.Run(t, "exec-web", nil)
	checkWeb(t, r)
	if pid := reexec.Status(r.Stdout)["Pid"]; pid != fmt.Sprint(r.Pid) {
		t.Errorf("the target has pid %s, the launcher had %d", pid, r.Pid)
	}
}

func launchWeb() {
	pid, err := webLauncher().Launch(nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(125)
	}
	syscall.Wait4(pid, nil, 0, nil)
}

func TestLaunch(t *testing.T) {
	requires.Root(t)
	checkWeb(t, reexec.Run(t, "launch-web", nil))
}

// execRefused requests a capability that the process has dropped.
func execRefused() {
	l := webLauncher()
	if err := SetOf(0, 0, 0).SetProc(); err != nil {
		panic(err)
	}
	err := l.Exec()
	var step *StepError
	if !errors.As(err, &step) {
		fmt.Println("not a step:", err)
		return
	}
	fmt.Println(step.Step.Kind, step.Call, step.Err)
}

func TestExecNamesTheStep(t *testing.T) {
	requires.Root(t)
	r := reexec.Run(t, "exec-refused", nil)
	if want := "set groups setgroups operation not permitted\n"; r.Stdout != want {
		t.Errorf("got %q, want %q (%s)", r.Stdout, want, r.Stderr)
	}
}

// execStopped has a SetBeforeExec function that returns an error.
func execStopped() {
	l := NewLauncher("/bin/echo", []string{"echo", "the target ran"}, nil)
	l.SetBeforeExec(func() error { return errors.New("no") })
	fmt.Println(l.Exec())
}

func TestBeforeExecStops(t *testing.T) {
	if r := reexec.Run(t, "exec-stopped", nil); r.Stdout != "no\n" {
		t.Errorf("got %q (%s)", r.Stdout, r.Stderr)
	}
}

// execDumpable prints before exec whether the process is dumpable.
func execDumpable() {
	l := webLauncher()
	l.SetBeforeExec(func() error {
		n, err := Prctl(unix.PR_GET_DUMPABLE)
		return fmt.Errorf("dumpable %d %w", n, err)
	})
	fmt.Println(l.Exec())
}

// TestNotDumpable: between the change of user and exec, the process still has
// capabilities, so another process of that user must not trace it or get a core dump.
// fs.suid_dumpable may be 2: core dumps only for root.
func TestNotDumpable(t *testing.T) {
	requires.Root(t)
	if r := reexec.Run(t, "exec-dumpable", nil); !strings.HasPrefix(r.Stdout, "dumpable 0 ") && !strings.HasPrefix(r.Stdout, "dumpable 2 ") {
		t.Errorf("got %q (%s)", r.Stdout, r.Stderr)
	}
}

// TestEveryStepIsExecuted: each kind of step has a name and an executor.
func TestEveryStepIsExecuted(t *testing.T) {
	if StepKinds != StepExec+1 || len(executors) != int(StepKinds) {
		t.Errorf("the last kind is %d, and there are %d names and %d executors", StepExec, StepKinds, len(executors))
	}
	for k := StepKind(1); k < min(StepKinds, StepKind(len(executors))); k++ {
		if stepNames[k] == "" {
			t.Errorf("kind %d has no name", k)
		}
		if executors[k] == nil {
			t.Errorf("%v has no executor", k)
		}
	}
	for _, k := range []StepKind{0, StepKinds, ^StepKind(0)} {
		var failed *StepError
		if err := execute(&Step{Kind: k}); !errors.As(err, &failed) || failed.Call != "none" {
			t.Errorf("the unknown kind %d gave %v", k, err)
		}
	}
}

func TestSteps(t *testing.T) {
	l := webLauncher()
	l.SetFinal(SetOf(0, webCaps, 0))
	l.SetDescriptors([]int{5})
	l.SetChroot("/srv")
	l.SetCwd("/www")
	l.SetNewSession()
	l.SetUmask(0o27)
	l.SetRlimit(7, 64, 128)
	l.SetRlimit(7, 32, 64)
	l.SetDeathSignal(9, 1)
	steps, err := l.Steps()
	if err != nil {
		t.Fatal(err)
	}
	var kinds []StepKind
	for _, s := range steps {
		kinds = append(kinds, s.Kind)
	}
	want := []StepKind{StepCloseOnExec, StepRaise, StepNewSession, StepGroups, StepGID, StepChroot, StepChdir, StepInheritable, StepBound, StepUID,
		StepAmbient, StepSecbits, StepUmask, StepRlimit, StepFinal, StepNoNewPrivs, StepDeathSignal, StepExec}
	if !slices.Equal(kinds, want) {
		t.Errorf("got %v\nwant %v", kinds, want)
	}
}

func TestStepsRefuse(t *testing.T) {
	cases := map[string]struct {
		set  func(*Launcher)
		want error
	}{
		"negative uid":         {func(l *Launcher) { l.SetUID(-1) }, ErrBadID},
		"negative gid":         {func(l *Launcher) { l.SetGroups(-1, nil) }, ErrBadID},
		"negative group":       {func(l *Launcher) { l.SetGroups(1, []int{-1}) }, ErrBadID},
		"umask":                {func(l *Launcher) { l.SetUmask(0o1000) }, ErrBadLimit},
		"soft over hard":       {func(l *Launcher) { l.SetRlimit(7, 2, 1) }, ErrBadLimit},
		"descriptor":           {func(l *Launcher) { l.SetDescriptors([]int{-1}) }, ErrBadLimit},
		"no signal":            {func(l *Launcher) { l.SetDeathSignal(0, 1) }, ErrBadLimit},
		"no such signal":       {func(l *Launcher) { l.SetDeathSignal(65, 1) }, ErrBadLimit},
		"no parent":            {func(l *Launcher) { l.SetDeathSignal(9, -1) }, ErrBadLimit},
		"final of no set":      {func(l *Launcher) { l.SetFinal(nil) }, ErrBadSet},
		"tuple of no IAB":      {func(l *Launcher) { l.SetIAB(&IAB{}) }, ErrBadValue},
		"ambient and PURE1E":   {func(l *Launcher) { l.SetIAB(iabOf(1, 1, 0)); l.SetMode(ModePure1E) }, ErrBadMode},
		"ambient and NOPRIV":   {func(l *Launcher) { l.SetIAB(iabOf(1, 1, 0)); l.SetMode(ModeNoPriv) }, ErrBadMode},
		"inherited and INIT":   {func(l *Launcher) { l.SetIAB(iabOf(1, 0, 0)); l.SetMode(ModePure1EInit) }, ErrBadMode},
		"a mode that is none":  {func(l *Launcher) { l.SetMode(ModeUncertain) }, ErrBadMode},
		"mode and securebits":  {func(l *Launcher) { l.SetMode(ModeHybrid); l.SetSecbits(0) }, ErrBadMode},
		"final set and NOPRIV": {func(l *Launcher) { l.SetMode(ModeNoPriv); l.SetFinal(SetOf(0, 1, 0)) }, ErrBadMode},
	}
	for name, c := range cases {
		l := NewLauncher("/bin/true", []string{"true"}, nil)
		c.set(l)
		if _, err := l.Steps(); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestExecOnly(t *testing.T) {
	for name, set := range map[string]func(*Launcher){
		"cwd":         func(l *Launcher) { l.SetCwd("/") },
		"umask":       func(l *Launcher) { l.SetUmask(0) },
		"rlimit":      func(l *Launcher) { l.SetRlimit(7, 1, 1) },
		"final":       func(l *Launcher) { l.SetFinal(NewSet()) },
		"signal":      func(l *Launcher) { l.SetDeathSignal(9, 1) },
		"descriptors": func(l *Launcher) { l.SetDescriptors(nil) },
		"session":     func(l *Launcher) { l.SetNewSession() },
		"keyring":     func(l *Launcher) { l.SetNewKeyring() },
		"before exec": func(l *Launcher) { l.SetBeforeExec(func() error { return nil }) },
	} {
		l := NewLauncher("/bin/true", []string{"true"}, nil)
		set(l)
		if pid, err := l.Launch(nil); pid != -1 || err != ErrExecOnly {
			t.Errorf("%s: got %d, %v", name, pid, err)
		}
	}
}

// TestKernelID tests the limits of IDs; some do not fit in an int of 32 bits.
func TestKernelID(t *testing.T) {
	for _, id := range []int64{-1, 1<<32 - 1, 1 << 32, 1<<32 + 33, math.MinInt64, math.MaxInt64} {
		if int64(int(id)) != id {
			continue
		}
		if _, err := kernelID(int(id)); !errors.Is(err, ErrBadID) {
			t.Errorf("%d: %v", id, err)
		}
	}
	for _, id := range []int64{0, 33, 65534, 1<<31 - 1, 1<<32 - 2} {
		if int64(int(id)) != id {
			continue
		}
		if got, err := kernelID(int(id)); err != nil || int64(got) != id {
			t.Errorf("%d: %d, %v", id, got, err)
		}
	}
}

// TestSetIDs: every ID of the kernel can be set, also where an int has 32 bits.
func TestSetIDs(t *testing.T) {
	l := NewLauncher("", nil, nil)
	l.SetIDs(1<<32-2, 1<<31, []uint32{1<<32 - 2, 0})
	steps, err := l.Steps()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		ok := true
		switch s.Kind {
		case StepUID:
			ok = s.ID == 1<<32-2
		case StepGID:
			ok = s.ID == 1<<31
		case StepGroups:
			ok = slices.Equal(s.Groups, []uint32{1<<32 - 2, 0})
		}
		if !ok {
			t.Errorf("%v", s)
		}
	}
}
