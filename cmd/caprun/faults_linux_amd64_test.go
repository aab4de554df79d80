package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caprun/internal/test/faults"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestFaults makes the system calls of launches fail, one at a time: with the errors that
// they can return, by a success without effect, with a wrong value, and by killing
// caprun. The target never runs in another state than declared, and the outcome is that
// of the table.
//
// The test tries one fault of each kind of call, which depends on CAPRUN_TEST_SEED, and a
// success without effect of each call that changes state. CAPRUN_TEST_FAULTS=all tries
// every fault, and with -update writes the table.
func TestFaults(t *testing.T) {
	tryScenes(t, &faultTable{file: "testdata/faults.md", scenes: faultScenes})
}

// tryScenes runs the scenes of a table, and compares the outcomes with the file.
func tryScenes(t *testing.T, table *faultTable) {
	requires.Heavy(t, "CAPRUN_TEST_FAULTS")
	requires.Root(t)
	all := os.Getenv("CAPRUN_TEST_FAULTS") == "all"
	update := all && *updateScripts
	seed := int(testNumber(t, "CAPRUN_TEST_SEED", 1) % 1000)
	known := table.known(t, update)
	// Orphans of caprun become children of this process.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer func() {
		unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
		reapAll(t)
	}()
	began := time.Now()
	for _, s := range table.scenes {
		t.Run(s.name, func(t *testing.T) {
			place := newFaultPlace(t, s)
			table.results = append(table.results, place.try(t, all, seed)...)
		})
	}
	t.Logf("%s in %v", table.summary(), time.Since(began).Round(time.Millisecond))
	if t.Failed() {
		return
	}
	if update {
		if err := os.WriteFile(table.file, []byte(table.markdown(t.Name())), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	supervised := map[string]bool{}
	for _, s := range table.scenes {
		supervised[s.name] = s.init
	}
	for _, r := range table.results {
		// A launch as declared is correct at any site: calls that the runtime makes at
		// times shift the sites of the launch. With a supervisor they shift too much to
		// compare them with the table.
		if !known[r.cell()] && r.outcome != asDeclared && !supervised[r.scene] {
			t.Errorf("%s: %s %s: %q is not in %s: CAPRUN_TEST_FAULTS=all go test -timeout 1h -run '^%s$' ./cmd/caprun -update",
				r.scene, r.call, r.fault, r.outcome, table.file, t.Name())
		}
	}
}

// reapAll waits for all children.
func reapAll(t *testing.T) {
	for end := time.Now().Add(hangs); time.Now().Before(end); {
		switch pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); {
		case err == unix.ECHILD:
			return
		case pid <= 0:
			time.Sleep(5 * time.Millisecond)
		}
	}
	t.Error("an orphan of a launch does not end")
}

// faultPlace is a directory in which one scene is launched.
type faultPlace struct {
	scene    faultScene
	dir, bin string
	command  []string // the launch, without the target
	keep     *os.File
	words    *strings.Replacer // makes messages the same on every machine
	symbols  []elf.Symbol      // the functions of caprun
	code     [2]uint64         // where the code of a sealed launcher begins and ends
}

func newFaultPlace(t *testing.T, s faultScene) *faultPlace {
	t.Helper()
	p := &faultPlace{scene: s, dir: scriptRoot(t), bin: filepath.Dir(caprun(t))}
	for _, pkg := range []string{"internal/test/creds", "internal/test/runas", "internal/test/faults/notify"} {
		program(t, "caprun/"+pkg)
	}
	expand := strings.NewReplacer("$DIR", p.dir, "$BIN", p.bin)
	for name, text := range faultFiles {
		path := filepath.Join(p.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(expand.Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	profile := filepath.Join(p.dir, "profile.yaml")
	if err := os.WriteFile(profile, []byte(expand.Replace(s.profile)), 0o644); err != nil {
		t.Fatal(err)
	}
	prepare := exec.Command(filepath.Join(p.bin, "runas"), strings.Fields(expand.Replace(faultPrepare+" "+s.prepare))...)
	if out, err := prepare.CombinedOutput(); err != nil {
		requires.Skip(t, fmt.Sprintf("file capabilities: %s", out))
	}
	for i, a := range s.caller {
		p.scene.caller = slices.Clone(p.scene.caller)
		p.scene.caller[i] = expand.Replace(a)
	}
	p.scene.target, p.scene.env = expand.Replace(s.target), expand.Replace(s.env)
	var err error
	if p.keep, err = os.Open("/"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.keep.Close() })
	if s.sealed {
		p.command = []string{p.seal(t, profile)}
	} else {
		p.symbols = functions(t, filepath.Join(p.bin, "caprun"))
		p.command = []string{filepath.Join(p.bin, "caprun"), "-profile", profile}
		if s.init {
			p.command = slices.Insert(p.command, 1, "-init")
		}
	}
	p.words = strings.NewReplacer(profile, "profile.yaml", p.dir, "DIR", p.bin, "BIN")
	return p
}

// run launches the scene once, with a fault or without.
func (p *faultPlace) run(calls []uintptr, fault *faults.Fault, seen func(faults.Call)) (outcome string, hit *faults.Call, err error) {
	args := slices.Concat(p.scene.caller, []string{"--"}, p.command, []string{"--", p.scene.target})
	cmd := exec.Command(filepath.Join(p.bin, "runas"), args...)
	cmd.Env, cmd.Dir = []string{"PATH=/usr/bin:/bin", "USER=caller"}, p.dir
	// Descriptor 9 is kept by some profiles, 10 by none.
	cmd.ExtraFiles = []*os.File{nil, nil, nil, nil, nil, nil, p.keep, p.keep}
	var excess []string
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	timeout := hangs
	if fault != nil && (p.scene.sealed || fault.Other || p.scene.init && (fault.NR == unix.SYS_CLOSE || fault.NR == unix.SYS_PIPE2 || fault.NR == unix.SYS_READ)) {
		timeout = runtimeTime
	}
	w := faults.Watch{
		Notify: filepath.Join(p.bin, "notify"), Program: p.command[0], Calls: calls,
		Fault: fault, Seen: seen, Timeout: timeout, Other: p.runtimeCall,
		Handed: func(supervisor int) { excess = excessPrivileges(supervisor) },
	}
	hit, err = w.Run(cmd)
	status := cmd.ProcessState.ExitCode()
	switch {
	case errors.Is(err, faults.ErrZombie) && (status < 0 || status == 2):
		// caprun could not wait any more.
		err = nil
	case err != nil && stdout.Len() > 0:
		return "", hit, fmt.Errorf("%v, and the target runs: %s", err, stdout.String())
	case err != nil:
		return "", hit, fmt.Errorf("%w: %s", err, stderr.String())
	}
	killed := fault != nil && fault.Kill
	return p.judge(cmd.ProcessState, stdout.String(), stderr.String(), excess, hit, killed), hit, nil
}

// runtimeTime is the time after which the Go runtime or library counts as hung.
const runtimeTime = 20 * time.Second

// faultWorkers is the number of launches at the same time, each of which mostly waits.
const faultWorkers = 6

// faultResult is the result of one run.
type faultResult struct {
	scene, call, fault, outcome string
	site                        int
	runtime                     bool
}

// try runs the scene without a fault, to record its calls, and then with faults.
func (p *faultPlace) try(t *testing.T, all bool, seed int) []faultResult {
	var calls []faults.Call
	outcome, _, err := p.run(p.calls(), nil, func(c faults.Call) { calls = append(calls, c) })
	switch {
	case err != nil,
		p.scene.refused == "" && outcome != asDeclared,
		p.scene.refused != "" && !(strings.HasPrefix(outcome, "12") && strings.Contains(outcome, p.scene.refused)):
		t.Fatalf("without a fault: %s, %v", outcome, err)
	}
	before := listTree(t, p.dir)
	defer func() {
		if after := listTree(t, p.dir); !slices.Equal(before, after) {
			t.Errorf("the files are %q, and were %q before", after, before)
		}
	}()
	sites := p.sites(calls)
	type job struct {
		site  int
		fault namedFault
	}
	var jobs []job
	seen, similar := map[string]bool{}, map[string]int{}
	for n, s := range sites {
		if p.scene.only != nil && !slices.ContainsFunc(p.scene.only, func(begin string) bool { return strings.HasPrefix(s.label, begin) }) {
			continue
		}
		if s.runtime && p.scene.name != faultScenes[0].name {
			continue
		}
		list := p.faultsOf(s.call)
		switch {
		case all && (s.loop > 0 || s.call.Child && s.call.Restarted && !setsState(s.call)):
			// One of many similar calls, or one that caprun also makes without a supervisor:
			// each gets one of the faults. Calls that the runtime makes at times must not
			// change which one.
			jobs = append(jobs, job{n, list[similar[s.label]%len(list)]})
			similar[s.label]++
			continue
		case all:
			for _, f := range list {
				jobs = append(jobs, job{n, f})
			}
			continue
		case seen[s.label]:
			continue
		case s.call.Child && s.call.Restarted && n%childShare != seed%childShare && !setsState(s.call):
			// caprun also makes this call without a supervisor.
			continue
		}
		seen[s.label] = true
		jobs = append(jobs, job{n, list[(n+seed)%len(list)]})
		if last := list[len(list)-1]; last.Errno == 0 && setsState(s.call) {
			jobs = append(jobs, job{n, last})
		}
	}
	results := make([]faultResult, len(jobs))
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		next int
	)
	for range faultWorkers {
		wait.Go(func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				if n >= len(jobs) {
					return
				}
				s, f := sites[jobs[n].site], jobs[n].fault
				outcome, err := p.inject(s, f)
				if errors.Is(err, errNotRepeated) && (p.scene.init || s.call.NR == unix.SYS_PREAD64) {
					continue
				}
				if err != nil {
					t.Errorf("%s with %s: %v", s.label, f.name, err)
				}
				if strings.HasPrefix(outcome, badOutcome) {
					t.Errorf("%s, call %d, with %s: %s", s.label, s.call.N, f.name, outcome)
				}
				if fault := wrongOutcome(s, f, outcome); fault != "" {
					t.Errorf("%s, call %d, with %s: %s: %s", s.label, s.call.N, f.name, fault, outcome)
				}
				outcome = processNumber.ReplaceAllString(strings.ReplaceAll(outcome, unix.Errno(f.Errno).Error(), "ERRNO"), "process PID")
				outcome = threadNumber.ReplaceAllString(outcome, "thread TID differs")
				if strings.HasPrefix(s.label, "prctl PR_CAPBSET_") {
					// One message stands for those about each capability.
					outcome = capabilityNames.ReplaceAllString(outcome, "CAP")
				}
				outcome = sealedErrno.ReplaceAllString(outcome, ": ERRNO")
				results[n] = faultResult{p.scene.name, s.label, f.name, outcome, jobs[n].site, s.runtime}
			}
		})
	}
	wait.Wait()
	return slices.DeleteFunc(results, func(r faultResult) bool { return r.scene == "" })
}

// childShare: one of so many calls of the child of a supervisor is tried.
const childShare = 5

// listTree returns the files below a directory.
func listTree(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		list = append(list, path)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return list
}

// inject runs the scene with a fault. The Go runtime makes its calls in no fixed order,
// so the fault may hit another call; then inject tries again.
func (p *faultPlace) inject(s faultSite, f namedFault) (string, error) {
	fault := f.Fault
	fault.Place = s.call.Place
	for range 20 {
		outcome, hit, err := p.run([]uintptr{s.call.NR}, &fault, nil)
		switch {
		case errors.Is(err, faults.ErrTimeout) && s.runtime:
			return runtimeHangs, nil
		case errors.Is(err, faults.ErrTimeout) && p.scene.init && (s.label == "close" || s.label == "pipe2" || s.label == "read") && hit != nil && !strings.Contains(err.Error(), "the target runs"):
			return forkHangs, nil
		case err != nil:
			return outcome, err
		case hit == nil && s.runtime:
			return outcome, nil
		case hit == nil:
			continue
		}
		// The runtime reads the limits of its cgroup, with other lengths.
		if p.label(*hit) == s.label && (hit.NR != unix.SYS_PREAD64 || hit.Args[2] == s.call.Args[2]) {
			return outcome, nil
		}
	}
	return "", errNotRepeated
}

// What messages have that is different in each run, or for each of many similar calls.
var (
	processNumber   = regexp.MustCompile(`process \d+`)
	threadNumber    = regexp.MustCompile(`thread \d+ differs`)
	capabilityNames = regexp.MustCompile(`\bcap_[a-z_]+(,cap_[a-z_]+)*`)
)

// errNotRepeated is the error for a call that was not made again. A supervisor makes some
// calls for each of its threads, whose number varies. The Go runtime reads its limit of
// processors again each second, with pread64.
var errNotRepeated = errors.New("the call was not made again")

// wrongOutcome returns why an outcome is wrong for a fault, or "".
func wrongOutcome(s faultSite, f namedFault, outcome string) string {
	switch {
	case f.Kill && outcome != killedOutcome && outcome != killedAfter && !(s.runtime && outcome == asDeclared):
		return "it was killed"
	case !s.runtime && (outcome == runtimeEnds || outcome == runtimeCrash):
		return "the call is not one of the runtime"
	case outcome == sealedCrash && (s.call.NR != unix.SYS_MMAP || f.Errno != 0):
		return "the call returns no address"
	case f.Errno != 0 && strings.Contains(outcome, "errno 0"):
		return "the error is missing"
	}
	return ""
}
