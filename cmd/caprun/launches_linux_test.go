package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/launches"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestLaunches runs random launches of internal/test/launches with the built command:
// random callers, profiles and targets. Each is refused with the error of the compiler,
// or its target has the state that the compiler predicts and the profile declares. For
// each refused one, the test searches a route that the compiler missed.
//
// CAPRUN_TEST_LAUNCHES and CAPRUN_TEST_SEED select other launches. To repeat only launch
// 1717: CAPRUN_TEST_FIRST=1717 CAPRUN_TEST_LAUNCHES=1718.
func TestLaunches(t *testing.T) {
	count := int(testNumber(t, "CAPRUN_TEST_LAUNCHES", uint64(requires.Rounds(60, 300))))
	seed := testNumber(t, "CAPRUN_TEST_SEED", 1)
	next := int(testNumber(t, "CAPRUN_TEST_FIRST", 0))
	const workers = 2
	var places [workers]*launchPlace
	machine := &launches.Machine{}
	for n := range places {
		places[n] = newLaunchPlace(t, machine)
	}
	detectMachine(t, places[0])

	var (
		mu       sync.Mutex
		failures int
		outcomes = map[string]int{}
		began    = time.Now()
		wait     sync.WaitGroup
	)
	for _, place := range places {
		wait.Go(func() {
			for {
				mu.Lock()
				// The cases of one caller are consecutive, because its state is read once.
				first, enough := next, failures >= 5
				next += 4
				mu.Unlock()
				if first >= count || enough {
					return
				}
				for index := first; index < min(first+4, count); index++ {
					c := launches.Make(machine, seed, index)
					outcome, fault := place.launch(c)
					mu.Lock()
					outcomes[outcome]++
					mu.Unlock()
					if fault != "" {
						mu.Lock()
						failures++
						mu.Unlock()
						reportLaunch(t, place, c, index, fault)
					}
				}
			}
		})
	}
	wait.Wait()
	total := 0
	for _, n := range outcomes {
		total += n
	}
	t.Logf("%d launches in %v", total, time.Since(began).Round(time.Second/10))
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%6d %s", outcomes[outcome], outcome)
	}
	if total > 100 && outcomes[launched] < total/5 {
		t.Errorf("only %d of %d targets were started: the cases are too simple", outcomes[launched], total)
	}
}

// launched is the outcome of a case whose target runs.
const launched = "launched"

// reportLaunch reports the smallest case with the same kind of fault.
func reportLaunch(t *testing.T, place *launchPlace, c launches.Case, index int, fault string) {
	respect := func(fault string) string { about, _, _ := strings.Cut(fault, ":"); return about }
	last := fault
	c = launches.Shrink(place.machine, c, 80, func(smaller launches.Case) bool {
		_, got := place.launch(smaller)
		if respect(got) != respect(fault) {
			return false
		}
		last = got
		return true
	})
	t.Errorf("launch %d: %s\n%v", index, last, c)
}

// launchPlace is a directory for launches, one at a time. It has the target, scripts for
// it, an ordinary interpreter and a root directory with the same files.
type launchPlace struct {
	launches.Place
	machine *launches.Machine
	bin     string
	known   map[string]launches.Report // callers whose state was read
}

// launchEnv is the environment of all callers.
var launchEnv = []string{
	"PATH=/usr/bin:/bin", "LANG=C", "HOME=/root", "USER=root", "LOGNAME=root", "LD_LIBRARY_PATH=/nowhere", "TMPDIR=/nowhere",
}

func newLaunchPlace(t *testing.T, machine *launches.Machine) *launchPlace {
	t.Helper()
	for _, pkg := range []string{"internal/test/creds", "internal/test/runas"} {
		// Reading the directory tells go test that its results depend on it.
		if _, err := os.ReadDir(filepath.Join("..", "..", pkg)); err != nil {
			t.Fatal(err)
		}
		program(t, "caprun/"+pkg)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	umask := syscall.Umask(0o022)
	defer syscall.Umask(umask)
	p := &launchPlace{machine: machine, bin: filepath.Dir(caprun(t)), known: map[string]launches.Report{}}
	p.Dir = scriptRoot(t)
	jail := filepath.Join(p.Dir, launches.Jail)
	must(os.Mkdir(jail, 0o755))
	data, err := os.ReadFile(filepath.Join(p.bin, "creds"))
	must(err)
	// A child that is started meanwhile must not have the program open for writing.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for _, name := range []string{"target", "plain"} {
		must(os.WriteFile(filepath.Join(p.Dir, name), data, 0o755))
		must(os.Link(filepath.Join(p.Dir, name), filepath.Join(jail, name)))
	}
	for _, dir := range []string{p.Dir, jail} {
		seen := strings.TrimPrefix(dir, jail)
		must(os.Mkdir(filepath.Join(dir, "dir"), 0o755))
		must(os.WriteFile(filepath.Join(dir, "script"), []byte("#!"+seen+"/target\n"), 0o755))
		must(os.WriteFile(filepath.Join(dir, "plain-script"), []byte("#!"+seen+"/plain\n"), 0o755))
	}
	p.Root, p.Jail = directoryNames(t, "/"), directoryNames(t, jail)
	return p
}

func directoryNames(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for n, e := range entries {
		names[n] = e.Name()
	}
	return strings.Join(names, " ")
}

// detectMachine determines which cases this machine supports.
func detectMachine(t *testing.T, p *launchPlace) {
	t.Helper()
	m := p.machine
	m.Rules = machine.KernelRules()
	now, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	out, status := p.run(filepath.Join(p.bin, "creds"))
	if status != 0 {
		t.Fatalf("creds: status %d: %s", status, out.messages)
	}
	if m.Start, err = launches.ParseReport(out.text).Cred(now); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root", "nobody", "www-data"} {
		if entry := userEntry(t, name); entry != nil {
			m.Users = append(m.Users, *entry)
		}
	}
	if m.Users == nil {
		t.Fatal("the user database has neither root nor nobody")
	}
	m.Owners, m.Groups = []uint32{m.Start.EUID}, []uint32{m.Start.EGID}
	with := func(settings ...string) bool {
		_, status := p.run(filepath.Join(p.bin, "runas"), append(settings, "--", filepath.Join(p.bin, "creds"))...)
		return status == 0
	}
	if m.Start.EUID == 0 && !m.Start.UserNS.Nested {
		m.Owners, m.Groups = append(m.Owners, 1000, 1001), append(m.Groups, 1000, 1003)
		file := launches.Target{File: cred.File{HasCaps: true, GroupExec: true}}
		m.FileCaps = p.prepare(file) == nil
		m.Namespaces = with("userns=0:100000:65534")
	} else {
		m.Namespaces = with("userns=0")
	}
	m.Mounts = with("root", "mounts", "nosuid="+p.Dir)
	t.Logf("file capabilities: %v, mounts: %v, user namespaces: %v, uid %d", m.FileCaps, m.Mounts, m.Namespaces, m.Start.EUID)
}

// userEntry returns the entry of a user from the standard library, not the engine.
func userEntry(t *testing.T, name string) *machine.User {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		return nil
	}
	number := func(s string) uint32 {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(n)
	}
	entry := &machine.User{Name: u.Username, UID: number(u.Uid), GID: number(u.Gid), Home: u.HomeDir}
	groups, err := u.GroupIds()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if number(g) != entry.GID {
			entry.Groups = append(entry.Groups, number(g))
		}
	}
	slices.Sort(entry.Groups)
	return entry
}

// printed is the output of a program.
type printed struct{ text, messages string }

// run runs a program in the directory, and returns its status: -1 if it could not be run,
// or a signal ended it.
func (p *launchPlace) run(path string, args ...string) (printed, int) {
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env, cmd.Dir = launchEnv, p.Dir
	err := cmd.Run()
	out := printed{stdout.String(), stderr.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return out, exit.ExitCode()
	case err != nil:
		out.messages += err.Error()
		return out, -1
	}
	return out, 0
}

// prepare sets the mode, owner and capabilities of the target.
func (p *launchPlace) prepare(t launches.Target) error {
	name := "target"
	if t.Via == launches.PlainScript {
		name = "plain-script"
	}
	path := filepath.Join(p.Dir, name)
	if err := os.Chown(path, int(t.File.UID), int(t.File.GID)); err != nil {
		return err
	}
	if err := unix.Chmod(path, t.Mode()); err != nil {
		return err
	}
	if !t.File.HasCaps {
		if err := unix.Removexattr(path, "security.capability"); err != nil && !errors.Is(err, unix.ENODATA) && !errors.Is(err, unix.ENOTSUP) && p.machine.FileCaps {
			return err
		}
		return nil
	}
	return unix.Setxattr(path, "security.capability", capabilityAttribute(t), 0)
}

// capabilityAttribute returns the attribute with file capabilities: capabilities(7).
func capabilityAttribute(t launches.Target) []byte {
	magic := uint32(0x02000000)
	if t.RootID != 0 {
		magic = 0x03000000
	}
	if t.File.Effective {
		magic |= 1
	}
	data := binary.LittleEndian.AppendUint32(nil, magic)
	for n := range 2 {
		data = binary.LittleEndian.AppendUint32(data, uint32(t.File.Permitted>>(32*n)))
		data = binary.LittleEndian.AppendUint32(data, uint32(t.File.Inheritable>>(32*n)))
	}
	if t.RootID != 0 {
		data = binary.LittleEndian.AppendUint32(data, t.RootID)
	}
	return data
}

// caller returns the state of a caller, as creds reports it instead of caprun.
func (p *launchPlace) caller(c launches.Caller) (launches.Report, cred.Cred, bool, error) {
	from, secure, ok := c.State(p.machine)
	if !ok {
		return launches.Report{}, from, false, errors.New("the model refuses a setting")
	}
	args := c.Arguments(p.Dir)
	key := strings.Join(args, " ")
	report, known := p.known[key]
	if !known {
		out, status := p.run(filepath.Join(p.bin, "runas"), append(args, "--", filepath.Join(p.bin, "creds"))...)
		if status != 0 {
			return report, from, secure, fmt.Errorf("status %d: %s", status, out.messages)
		}
		report = launches.ParseReport(out.text)
		if faults := report.Compare(launches.Expect(from, secure)); faults != nil {
			return report, from, secure, errors.New(strings.Join(faults, "; "))
		}
		if len(p.known) > 64 {
			clear(p.known)
		}
		p.known[key] = report
	}
	from, err := report.Cred(from)
	return report, from, secure, err
}

// launch runs one case. It returns the outcome and the fault, which is a field, a colon
// and the details, or "".
func (p *launchPlace) launch(c launches.Case) (outcome, fault string) {
	caller, from, secure, err := p.caller(c.Caller)
	if err != nil {
		return "fault", fmt.Sprintf("caller: %v", err)
	}
	if err := p.prepare(c.Target); err != nil {
		return "fault", fmt.Sprintf("target: %v", err)
	}
	profile := filepath.Join(p.Dir, "profile.yaml")
	if err := os.WriteFile(profile, []byte(c.Profile.Text(p.Dir)), 0o644); err != nil {
		return "fault", fmt.Sprintf("profile: %v", err)
	}
	args := append(c.Caller.Arguments(p.Dir), "--", filepath.Join(p.bin, "caprun"), "-profile", profile, "--", c.Target.Path(p.Dir, c.Profile.Chroot))
	out, status := p.run(filepath.Join(p.bin, "runas"), args...)
	verdict, expected := c.Compile(p.machine, p.Dir, from), c.ExpectedRefusal(from, caller)
	keepsClosed := strings.HasPrefix(expected, "keep descriptor ")
	switch {
	case status == 0:
		return launched, p.checkTarget(c, verdict, from, secure, caller, launches.ParseReport(out.text))
	case out.text != "" || status < exitRefused || status > exitNotFound:
		return "fault", fmt.Sprintf("status: %d, output %q, message %q", status, out.text, out.messages)
	case !strings.HasPrefix(out.messages, "caprun: ") || strings.Contains(out.messages, "goroutine "):
		return "fault", fmt.Sprintf("message: %q", out.messages)
	case secure:
		return "refused: the caller is not trusted", mentions(out, "(AT_SECURE)")
	case c.Excluded(p.machine, from) && strings.Contains(out.messages, "may not execute it"):
		return "refused: for the surroundings", ""
	case strings.Contains(out.messages, launches.UnknownFileCaps) && expected != "":
		return "refused: for the surroundings", ""
	case keepsClosed && strings.Contains(out.messages, expected):
		// The first step fails before a step that lacks a capability.
		return "refused: for the surroundings", ""
	case verdict.Plan == nil:
		outcome := "refused: " + verdict.Rule()
		if fault := mentions(out, verdict.Diagnostics[0].Message); fault != "" {
			return outcome, fault
		}
		if calls := c.Missed(p.machine, verdict, from); calls != nil {
			return outcome, fmt.Sprintf("missed: %sthere is a way:\n%s", out.messages, launches.RouteText(calls))
		}
		return outcome, ""
	}
	if expected == "" {
		return "refused", fmt.Sprintf("refused: although there is a plan: %s", out.messages)
	}
	return "refused: for the surroundings", mentions(out, expected)
}

func mentions(out printed, words string) (fault string) {
	if !strings.Contains(out.messages, words) {
		return fmt.Sprintf("reason: %q, not %q", out.messages, words)
	}
	return ""
}

// checkTarget compares the report of the target with the prediction and the profile.
func (p *launchPlace) checkTarget(c launches.Case, v launches.Verdict, from cred.Cred, secure bool, caller, target launches.Report) string {
	if v.Plan == nil {
		return fmt.Sprintf("started: although %v", v.Diagnostics)
	}
	if secure {
		return "started: although AT_SECURE is set"
	}
	if faults := target.Compare(launches.Expect(v.Plan.AfterExec, v.Plan.SecureExec)); faults != nil {
		return "prediction: " + strings.Join(faults, "; ")
	}
	env := v.Plan.Environ(launchEnv)
	if slices.Sort(env); !slices.Equal(env, target.Env) {
		return fmt.Sprintf("prediction: environment %q, not %q", target.Env, env)
	}
	after, err := target.Cred(from)
	if err != nil {
		return fmt.Sprintf("report: %v", err)
	}
	promise := c.Profile.Promise(p.machine.Users)
	if faults := promise.Broken(from, after); faults != nil {
		return "promise: " + strings.Join(faults, "; ")
	}
	if faults := c.Around(p.Place, promise, from, caller, target); faults != nil {
		return "surroundings: " + strings.Join(faults, "; ")
	}
	return ""
}
