//go:build linux && (amd64 || arm64)

package cred_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"caprun/engine/cred"
	"caprun/internal/need"
)

// The 32-bit systems are left out: their system calls have other numbers for
// ids of this size.

// The test binary also plays two other parts, told apart by argument 0: the
// worker runs sequences in threads of its own, the reporter is the file that a
// sequence executes at its end.
const (
	workerName   = "cred-test-worker"
	reporterName = "cred-test-reporter"
)

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

// TestKernel runs random sequences of operations through the model and on the
// kernel, and compares every error number and the state at the end.
//
// CAPRUN_TEST_SEQUENCES and CAPRUN_TEST_SEED choose other sequences.
func TestKernel(t *testing.T) {
	count := number(t, "CAPRUN_TEST_SEQUENCES", 3000)
	seed := number(t, "CAPRUN_TEST_SEED", 1)
	share := func(percent int) int { return max(1, int(count)*percent/100) }

	base := suidDirectory(t)
	worker := filepath.Join(base, "worker")
	copyFile(t, testBinary(t), worker)
	initialErr := inInitialNamespace()
	if initialErr == nil {
		initialErr = makeFixed(t, base, worker)
	}
	here, err := observe()
	if err != nil {
		t.Fatal(err)
	}

	ids := []uint32{0, 0, 1000, 1001, 1002, 70000, cred.OverflowID}
	owners := []uint32{0, 1000, 1001, 1002}
	needInitial := func(t *testing.T) {
		if initialErr != nil {
			need.Skip(t, initialErr.Error())
		}
	}

	t.Run("initial namespace", func(t *testing.T) {
		needInitial(t)
		t.Parallel()
		dir := makeHelper(t, base, worker, 0)
		compare(t, worker, dir, nil, run{
			Seed: seed, Count: share(40),
			Start:  executed(t, here.Cred),
			IDs:    ids,
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
			Seed: seed, Count: share(25),
			Start:  executed(t, here.Cred, newUserNamespace(ns), setgroups(), setgid(0), setuid(0)),
			IDs:    ids,
			Owners: owners, Outsider: 1003, FileCaps: true,
			Fixed: linkFixed(t, base, dir, cred.NoID),
		})
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
			Seed: seed, Count: share(15),
			Start:  executed(t, here.Cred, steps...),
			IDs:    ids,
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
			Seed: seed, Count: share(10),
			Start:  executed(t, here.Cred, newUserNamespace(ns)),
			IDs:    ids,
			Owners: []uint32{0}, Outsider: cred.NoID, FileCaps: true,
		})
	})
}

// compare starts a worker in dir and reports what it found.
func compare(t *testing.T, worker, dir string, attr *syscall.SysProcAttr, r run) {
	r.Static = isStatic(t, worker)
	task, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	cmd := exec.Command(worker)
	cmd.Args = []string{workerName}
	cmd.Dir = dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(task), &out, &stderr
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil && attr != nil {
		need.Skip(t, "a new namespace for the worker: "+err.Error())
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
		need.Skip(t, rep.Missing)
	}
	t.Logf("seed %d: %d sequences compared, %d of them to the end of exec", r.Seed, rep.Compared, rep.Executed)
	for _, m := range rep.Mismatches {
		t.Error(m)
	}
	if rep.Compared == 0 {
		t.Error("nothing was compared")
	}
}

// executed returns what a worker starts with: after the steps, and after it
// has been executed itself.
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

// newUserNamespace is a step of [executed] only: the kernel half is in
// [inNamespace].
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

// work is the worker: it reads a run and writes a report.
func work(in io.Reader, out io.Writer) error {
	var r run
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return err
	}
	if r.NoSuid {
		if err := remountNoSuid(); err != nil {
			return err
		}
	}
	rules, err := uname()
	if err != nil {
		return err
	}
	here, err := observe()
	if err != nil {
		return err
	}
	w := worker{run: r, rules: rules, root: here.Root}

	var rep report
	if d := difference(here.complete(r.Start, w.root), r.Start); d != "" {
		rep.Mismatches = append(rep.Mismatches, "the worker itself starts otherwise than predicted:\n"+d)
		return json.NewEncoder(out).Encode(rep)
	}
	if rep.Missing = missing(r); rep.Missing != "" {
		return json.NewEncoder(out).Encode(rep)
	}
	const enough = 3
	for index := 0; index < r.Count && len(rep.Mismatches) < enough; index++ {
		s := generate(r, rules, index)
		o, err := w.perform(s)
		if err != nil {
			return fmt.Errorf("seed %d, sequence %d: %w\n%s", r.Seed, index, err, s)
		}
		rep.Compared++
		if o.child != nil {
			rep.Executed++
		}
		if w.judge(s, o) != "" {
			rep.Mismatches = append(rep.Mismatches, w.explain(s, index))
		}
	}
	return json.NewEncoder(out).Encode(rep)
}

type worker struct {
	run   run
	rules cred.Rules
	root  inode
}

// An outcome is what a sequence did on the kernel.
type outcome struct {
	errnos []cred.Errno
	thread observation // after the operations
	exec   cred.Errno
	child  *observation // after exec, nil when it failed
}

// judge runs the sequence through the model and returns how the outcome
// differs, "" if it does not.
func (w worker) judge(s sequence, o outcome) string {
	c := w.run.Start
	for i, step := range s.operations {
		before := c
		var errno cred.Errno
		if c, errno = step.model(c, w.rules); errno != o.errnos[i] {
			return fmt.Sprintf("operation %d, %s: kernel %v, model %v\n", i+1, step.text, o.errnos[i], errno)
		}
		if errno != 0 && !c.Equal(before) {
			return fmt.Sprintf("operation %d, %s: refused, and yet it changes %v\n", i+1, step.text, c.Diff(before))
		}
	}
	if d := difference(o.thread.complete(c, w.root), c); d != "" {
		return "after the operations:\n" + d
	}
	if s.ending == nil {
		return ""
	}
	// Ids that a new namespace does not map differ for the kernel, and for
	// nobody inside.
	blurred := s.ending.newUserNS && (c.UID != c.EUID || c.GID != c.EGID || c.EGID != c.FSGID)
	c, result, errno := s.ending.model(c, w.rules)
	if errno != o.exec {
		return fmt.Sprintf("exec: kernel %v, model %v\n", o.exec, errno)
	}
	if errno != 0 {
		return ""
	}
	if d := difference(o.child.complete(c, w.root), c); d != "" {
		return "after exec:\n" + d
	}
	if result.Secure != o.child.Secure && !blurred {
		return fmt.Sprintf("AT_SECURE: kernel %v, model %v\n", o.child.Secure, result.Secure)
	}
	return ""
}

// difference lists in which fields the kernel and the model differ.
func difference(kernel, model cred.Cred) string {
	var b strings.Builder
	for _, field := range kernel.Diff(model) {
		k := reflect.ValueOf(kernel).FieldByName(field).Interface()
		m := reflect.ValueOf(model).FieldByName(field).Interface()
		verb := "%v"
		if _, set := k.(cred.Caps); set {
			verb = "%#x"
		}
		fmt.Fprintf(&b, "\t%s: kernel "+verb+", model "+verb+"\n", field, k, m)
	}
	return b.String()
}

// explain returns the message for a sequence that fails: the shortest one
// found, and what differs.
func (w worker) explain(s sequence, index int) string {
	short := shrink(s, func(t sequence) bool {
		o, err := w.perform(t)
		return err == nil && w.judge(t, o) != ""
	})
	o, err := w.perform(short)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("seed %d, sequence %d:\n%s%s", w.run.Seed, index, short, w.judge(short, o))
}

// missing returns what keeps sequences from running at all, "" if nothing does.
func missing(r run) (what string) {
	f := cred.File{UID: r.Owners[0], GID: r.Owners[0], Setuid: true, Setgid: true, GroupExec: true, HasCaps: r.FileCaps}
	for _, f.UID = range r.Owners {
		if err := setAttributes("helper", f); err != nil {
			return fmt.Sprintf("files of others with privileges: %v", err)
		}
	}
	inThread(func() {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			what = fmt.Sprintf("a working directory for one thread: unshare: %v", err)
			return
		}
		// Some systems let everybody make a user namespace, and then take
		// the capabilities away without a trace in the credentials.
		if err := unix.Chroot("."); err != nil && r.Start.Effective.Has(cred.SYS_CHROOT) {
			what = fmt.Sprintf("capabilities that count: chroot: %v", err)
		}
	})
	return what
}

// perform runs a sequence on the kernel.
func (w worker) perform(s sequence) (o outcome, err error) {
	if e := s.ending; e != nil && e.path == "helper" {
		if err := setAttributes(e.path, e.file); err != nil {
			return o, err
		}
	}
	inThread(func() { o, err = performHere(s) })
	return o, err
}

// inThread calls f in a thread that ends with it, so that nobody sees what f
// does to the thread's credentials.
func inThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		f()
	}()
	<-done
}

func performHere(s sequence) (o outcome, err error) {
	// Root and working directory are of this thread from here on.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return o, fmt.Errorf("unshare: %w", err)
	}
	for _, step := range s.operations {
		o.errnos = append(o.errnos, step.kernel())
	}
	if o.thread, err = observe(); err != nil {
		return o, err
	}
	if s.ending != nil {
		o.child, o.exec, err = s.ending.perform()
	}
	return o, err
}

// perform starts the child and returns what it reports, or the error number
// that kept it from starting.
func (e ending) perform() (*observation, cred.Errno, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, 0, err
	}
	out := os.NewFile(uintptr(fds[0]), "report")
	defer out.Close()

	attr := &syscall.ProcAttr{
		Files: []uintptr{0, uintptr(fds[1]), 2},
		Env:   []string{"GOMAXPROCS=1", "GOGC=off"},
		Sys:   &syscall.SysProcAttr{Ptrace: e.traced},
	}
	if e.newUserNS {
		attr.Sys.Cloneflags |= unix.CLONE_NEWUSER
	}
	if e.sharedFS {
		attr.Sys.Cloneflags |= unix.CLONE_FS
	}
	pid, err := syscall.ForkExec("./"+e.path, []string{reporterName}, attr)
	unix.Close(fds[1])
	if number, ok := err.(syscall.Errno); ok {
		return nil, cred.Errno(number), nil
	}
	if err != nil {
		return nil, 0, err
	}

	var status unix.WaitStatus
	if e.traced {
		if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
			return nil, 0, fmt.Errorf("wait for exec: %w", err)
		}
		if err := unix.PtraceDetach(pid); err != nil {
			return nil, 0, fmt.Errorf("detach: %w", err)
		}
	}
	text, err := io.ReadAll(out)
	if err != nil {
		return nil, 0, err
	}
	for {
		if _, err = unix.Wait4(pid, &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	if err != nil || status != 0 {
		return nil, 0, fmt.Errorf("reporter: status %#x, %v", int(status), err)
	}
	var o observation
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, 0, fmt.Errorf("reporter: %w", err)
	}
	return &o, 0, nil
}

// setAttributes gives path the facts f. A change of owner takes set-id bits
// and capabilities away, so it comes first.
func setAttributes(path string, f cred.File) error {
	if err := unix.Chown(path, int(f.UID), int(f.GID)); err != nil {
		return fmt.Errorf("chown %d:%d: %w", f.UID, f.GID, err)
	}
	mode := uint32(0o705)
	if f.Setuid {
		mode |= unix.S_ISUID
	}
	if f.Setgid {
		mode |= unix.S_ISGID
	}
	if f.GroupExec {
		mode |= 0o050
	}
	if err := unix.Chmod(path, mode); err != nil {
		return fmt.Errorf("chmod %o: %w", mode, err)
	}
	if f.HasCaps {
		return setFileCaps(path, f, nil)
	}
	return nil
}

// setFileCaps writes the attribute security.capability, of version 3 when
// there is a root uid.
func setFileCaps(path string, f cred.File, rootID *uint32) error {
	var magic uint32 = 0x02000000
	if rootID != nil {
		magic = 0x03000000
	}
	if f.Effective {
		magic |= 1
	}
	words := []uint32{
		magic,
		uint32(f.Permitted), uint32(f.Inheritable),
		uint32(f.Permitted >> 32), uint32(f.Inheritable >> 32),
	}
	if rootID != nil {
		words = append(words, *rootID)
	}
	var data []byte
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		return fmt.Errorf("set capabilities of %s: %w", path, err)
	}
	return nil
}

// remountNoSuid puts a nosuid mount of the working directory over itself.
func remountNoSuid() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_NOSUID, ""); err != nil {
		return fmt.Errorf("remount nosuid: %w", err)
	}
	return os.Chdir(dir)
}

// makeHelper returns a new directory below base with a copy of the test binary
// in it, owned by uid and gid owner.
func makeHelper(t *testing.T, base, binary string, owner int) string {
	dir, err := os.MkdirTemp(base, "")
	if err != nil {
		t.Fatal(err)
	}
	chmod(t, dir, 0o755)
	helper := filepath.Join(dir, "helper")
	copyFile(t, binary, helper)
	if owner != os.Getuid() {
		if err := os.Chown(helper, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// hostCaps are the capabilities of the fixed files that have some.
var hostCaps = cred.File{
	HasCaps: true, Effective: true,
	Permitted: 1<<cred.CHOWN | 1<<netRaw, Inheritable: 1<<cred.SETUID | 1<<sysPtrace,
}

// makeFixed puts files into base that belong to root of the initial user
// namespace: one with capabilities, one with set-id bits, and one with
// capabilities for a namespace that does not exist.
func makeFixed(t *testing.T, base, binary string) error {
	path := func(name string) string {
		path := filepath.Join(base, name)
		copyFile(t, binary, path)
		return path
	}
	chmod(t, path("host-setid"), 0o755|os.ModeSetuid|os.ModeSetgid)
	nobodysRoot := uint32(5555)
	return errors.Join(
		setFileCaps(path("host-caps"), hostCaps, nil),
		setFileCaps(path("other-caps"), hostCaps, &nobodysRoot),
	)
}

// linkFixed links the fixed files into dir. Their owner is what a worker sees
// as it.
func linkFixed(t *testing.T, base, dir string, owner uint32) []fixed {
	plain := cred.File{UID: owner, GID: owner, GroupExec: true}
	caps, setid := plain, plain
	caps.HasCaps, caps.Effective, caps.Permitted, caps.Inheritable = true, true, hostCaps.Permitted, hostCaps.Inheritable
	setid.Setuid, setid.Setgid = true, true

	files := []fixed{{"host-caps", caps}, {"host-setid", setid}, {"other-caps", plain}}
	for _, f := range files {
		if err := os.Link(filepath.Join(base, f.Path), filepath.Join(dir, f.Path)); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// inInitialNamespace returns an error unless the test is root where every id
// exists. Root of another user namespace does not get to all the states.
func inInitialNamespace() error {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return err
	}
	everything := []string{"0", "0", "4294967295"}
	if os.Geteuid() != 0 || !slices.Equal(strings.Fields(string(text)), everything) {
		return errors.New("uid 0 of the initial user namespace")
	}
	return nil
}

// isStatic reports whether the binary needs no dynamic loader. The race
// detector makes it need one.
func isStatic(t *testing.T, binary string) bool {
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// suidDirectory returns a new directory that everybody can search, on a mount
// that honours set-id bits and execution.
func suidDirectory(t *testing.T) string {
	for _, parent := range []string{os.TempDir(), "/var/tmp"} {
		var st unix.Statfs_t
		if unix.Statfs(parent, &st) != nil || st.Flags&(unix.ST_NOSUID|unix.ST_NOEXEC) != 0 {
			continue
		}
		dir, err := os.MkdirTemp(parent, "cred-test-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		chmod(t, dir, 0o755)
		return dir
	}
	need.Skip(t, "a temporary directory without nosuid and noexec")
	return ""
}

func copyFile(t *testing.T, from, to string) {
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
	chmod(t, to, 0o755)
}

// chmod does not leave bits out as the umask says.
func chmod(t *testing.T, path string, mode os.FileMode) {
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func testBinary(t *testing.T) string {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
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

// number returns the environment variable name, or otherwise.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
