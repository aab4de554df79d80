//go:build linux && (amd64 || arm64)

package cred_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/command"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// The 32-bit systems are left out: their system calls have other numbers for
// IDs of this size.

// The test binary also plays two other parts, told apart by argument 0: the
// worker runs sequences in threads of its own, the reporter is the file that a
// sequence executes at its end.
const (
	workerName   = "cred-test-worker"
	reporterName = "cred-test-reporter"
)

// noRaceDelay keeps the race detector from waiting a second at every exit.
const noRaceDelay = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case workerName:
		exitAfter(work(os.Stdin, os.Stdout))
	case reporterName:
		o, err := observe()
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(o)
		}
		exitAfter(err)
	}
	os.Exit(m.Run())
}

func exitAfter(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A run is the task of one worker process, which it reads as JSON.
type run struct {
	Seed  uint64
	Count int

	Start  cred.Cred // of the worker, as the model predicts it
	IDs    []uint32  // that operations use, mapped or not
	NoSuid bool      // mount the working directory nosuid
	Static bool      // the helper can be executed in any root directory

	Owners   []uint32 // that the helper can have
	Outsider uint32   // a group that nobody is ever in, or NoID
	FileCaps bool     // the helper can have capabilities
	Fixed    []fixed  // files of which the worker cannot or need not set the facts

	Directed string // the one sequence of this run, a key of directed, or ""
}

// A fixed file has been made before the worker starts.
type fixed struct {
	Path string
	File cred.File
}

// A report is the result of a run, which the worker writes as JSON.
type report struct {
	Missing            string // what the worker cannot do here
	Compared, Executed int
	Mismatches         []string
}

// TestKernel runs random sequences of operations in the model and in the kernel, and
// compares every error number and the final state.
//
// CAPRUN_TEST_SEQUENCES and CAPRUN_TEST_SEED select other sequences.
func TestKernel(t *testing.T) {
	base := suidDirectory(t)
	worker := filepath.Join(base, "worker")
	copyFile(t, testBinary(t), worker)

	static := isStatic(t, worker)
	otherwise := uint64(requires.Rounds(1500, 3000))
	if !static {
		otherwise = 300 // the race detector makes exec slow
	}
	count := command.Number(t, "CAPRUN_TEST_SEQUENCES", otherwise)
	seed := command.Number(t, "CAPRUN_TEST_SEED", 1)
	share := func(percent int) int { return max(1, int(count)*percent/100) }

	initialErr := inInitialNamespace()
	if initialErr == nil {
		initialErr = makeFixed(t, base, worker)
	}
	here, err := observe()
	if err != nil {
		t.Fatal(err)
	}

	ids := []uint32{0, 0, 1, 1000, 1001, 1002, 70000, cred.OverflowID}
	owners := []uint32{0, 1000, 1001, 1002}
	wide := run{Seed: seed, IDs: ids, Static: static, Owners: owners}
	needInitial := func(t *testing.T) {
		if initialErr != nil {
			requires.Skip(t, initialErr.Error())
		}
	}

	t.Run("initial namespace", func(t *testing.T) {
		needInitial(t)
		t.Parallel()
		dir := makeHelper(t, base, worker, 0)
		compare(t, worker, dir, nil, run{
			Seed: seed, Count: share(30),
			Start:  executed(t, here.Cred),
			IDs:    ids,
			Static: static,
			Owners: owners, Outsider: 1003, FileCaps: true,
			Fixed: linkFixed(t, base, dir, 0),
		})
	})

	t.Run("nosuid mount", func(t *testing.T) {
		needInitial(t)
		t.Parallel()
		dir := makeHelper(t, base, worker, 0)
		compare(t, worker, dir, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}, run{
			Seed: seed, Count: share(10),
			Start:  executed(t, here.Cred),
			IDs:    ids,
			Static: static,
			NoSuid: true,
			Owners: owners, Outsider: 1003, FileCaps: true,
			Fixed: linkFixed(t, base, dir, 0),
		})
	})

	t.Run("user namespace", func(t *testing.T) {
		needInitial(t)
		t.Parallel()
		dir := makeHelper(t, base, worker, 100000)
		ns := cred.UserNS{
			UIDs: []cred.Extent{{Inside: 0, Outside: 100000, Count: 1001}, {Inside: 1001, Outside: 200000, Count: 1000}},
			GIDs: []cred.Extent{{Inside: 0, Outside: 100000, Count: 1001}, {Inside: 1001, Outside: 300000, Count: 1000}},
		}
		attr := inNamespace(ns)
		attr.GidMappingsEnableSetgroups = true
		attr.Credential = &syscall.Credential{}
		compare(t, worker, dir, attr, run{
			Seed: seed, Count: share(15),
			Start:  executed(t, here.Cred, newUserNamespace(ns), setgroups(), setgid(0), setuid(0)),
			IDs:    ids,
			Static: static,
			Owners: owners, Outsider: 1003, FileCaps: true,
			Fixed: linkFixed(t, base, dir, cred.NoID),
		})
	})

	t.Run("wide user namespace", func(t *testing.T) {
		needInitial(t)
		t.Parallel()
		r := wide
		r.Count = share(20)
		testWide(t, base, worker, here.Cred, false, r)
	})

	t.Run("wide user namespace, unmapped user", func(t *testing.T) {
		needInitial(t)
		t.Parallel()
		r := wide
		r.Count = share(10)
		testWide(t, base, worker, here.Cred, true, r)
	})

	t.Run("user namespace without root", func(t *testing.T) {
		needInitial(t)
		t.Parallel()
		dir := makeHelper(t, base, worker, 100000)
		ns := cred.UserNS{
			UIDs: []cred.Extent{{Inside: 1000, Outside: 100000, Count: 10}},
			GIDs: []cred.Extent{{Inside: 1000, Outside: 100000, Count: 10}},
		}
		attr := inNamespace(ns)
		attr.GidMappingsEnableSetgroups = true
		attr.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
		all := here.Cred.All
		steps := []operation{
			newUserNamespace(ns), keepCaps(true), setgroups(), setgid(1000), setuid(1000), capset(all, all, all),
		}
		for n := 0; all.Has(n); n++ {
			attr.AmbientCaps = append(attr.AmbientCaps, uintptr(n))
			steps = append(steps, raiseAmbient(n))
		}
		compare(t, worker, dir, attr, run{
			Seed: seed, Count: share(10),
			Start:  executed(t, here.Cred, steps...),
			IDs:    ids,
			Static: static,
			Owners: owners[1:], Outsider: 1003,
			Fixed: linkFixed(t, base, dir, cred.NoID),
		})
	})

	t.Run("user namespace of one id", func(t *testing.T) {
		t.Parallel()
		dir := makeHelper(t, base, worker, os.Getuid())
		ns := cred.UserNS{
			UIDs:            []cred.Extent{{Inside: 0, Outside: uint32(os.Getuid()), Count: 1}},
			GIDs:            []cred.Extent{{Inside: 0, Outside: uint32(os.Getgid()), Count: 1}},
			SetgroupsDenied: true,
		}
		compare(t, worker, dir, inNamespace(ns), run{
			Seed: seed, Count: share(5),
			Start:  executed(t, here.Cred, newUserNamespace(ns)),
			IDs:    ids,
			Static: static,
			Owners: []uint32{0}, Outsider: cred.NoID, FileCaps: true,
		})
	})
}

// compare starts a worker in dir and fails the test with the differences that it reports.
func compare(t *testing.T, worker, dir string, attr *syscall.SysProcAttr, r run) {
	task, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	cmd := exec.Command(worker)
	cmd.Args = []string{workerName}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), noRaceDelay)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(task), &out, &stderr
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil && attr != nil {
		requires.Skip(t, "a new namespace for the worker: "+err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("worker: %v\n%s", err, stderr.Bytes())
	}
	var rep report
	if err := json.Unmarshal(out.Bytes(), &rep); err != nil {
		t.Fatalf("worker's report: %v\n%s", err, out.Bytes())
	}
	if rep.Missing != "" {
		requires.Skip(t, rep.Missing)
	}
	t.Logf("seed %d: %d sequences compared, %d of them to the end of exec", r.Seed, rep.Compared, rep.Executed)
	for _, m := range rep.Mismatches {
		t.Error(m)
	}
	if rep.Compared == 0 {
		t.Error("nothing was compared")
	}
}

// executed returns the state in which a worker starts: after the steps and its own exec.
func executed(t *testing.T, c cred.Cred, steps ...operation) cred.Cred {
	rules := kernelRules(t)
	for _, s := range steps {
		var errno cred.Errno
		if c, errno = s.model(c, rules); errno != 0 {
			t.Fatalf("start of the worker: %s: %v", s.text, errno)
		}
	}
	c, _, errno := c.Exec(cred.File{}, rules)
	if errno != 0 {
		t.Fatalf("start of the worker: Exec: %v", errno)
	}
	return c
}

// newUserNamespace is an operation for [executed] only. [inNamespace] is its counterpart in
// the kernel.
func newUserNamespace(ns cred.UserNS) operation {
	return operation{
		text:  fmt.Sprintf("NewUserNamespace(%+v)", ns),
		model: func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.NewUserNamespace(ns) },
	}
}

func inNamespace(ns cred.UserNS) *syscall.SysProcAttr {
	maps := func(extents []cred.Extent) (m []syscall.SysProcIDMap) {
		for _, x := range extents {
			m = append(m, syscall.SysProcIDMap{ContainerID: int(x.Inside), HostID: int(x.Outside), Size: int(x.Count)})
		}
		return m
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: maps(ns.UIDs),
		GidMappings: maps(ns.GIDs),
	}
}

func kernelRules(t *testing.T) cred.Rules {
	rules, err := uname()
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// uname returns the rules of the running kernel.
func uname() (cred.Rules, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return cred.Rules{}, err
	}
	release := unix.ByteSliceToString(u.Release[:])
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return cred.Rules{}, fmt.Errorf("kernel release %q: %w", release, err)
	}
	return cred.Linux(major, minor), nil
}
