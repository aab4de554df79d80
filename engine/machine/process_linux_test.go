package machine

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/engine/cred"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"
	"caprun/internal/test/subject"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	reexec.Main(m, reexec.Roles{
		"trust mounts": trustMounts, "trust mounts race": trustMountsRace, "trust owners": trustOwners,
		"subject": subject.Main, "reuse": reuse, "hidden": hidden, "no proc": noProc, "foreign proc": foreignProc, "swapper": swapper,
		"owners": ownersOf,
	})
}

// stepsVariable is the environment variable with the steps of a role.
const stepsVariable = "CAPRUN_TEST_STEPS"

func read(t testing.TB, pid int) *Process {
	t.Helper()
	p, err := ReadProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestReadProcess reads a process with the credentials of the test, and the test itself.
func TestReadProcess(t *testing.T) {
	own, err := CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	own.UserNS, own.Securebits = cred.UserNS{}, 0
	root, err := DirectoryID("/")
	if err != nil {
		t.Fatal(err)
	}
	for name, pid := range map[string]int{"child": subject.Start(t, "", nil).Process.Pid, "self": os.Getpid()} {
		p := read(t, pid)
		if len(p.States) != 1 || len(p.States[0].Threads) < 2 || !slices.Contains(p.States[0].Threads, pid) {
			t.Fatalf("%s: the states are %+v", name, p.States)
		}
		if got := p.States[0].Cred; !got.Equal(own) {
			t.Errorf("%s: other credentials in %v", name, got.Diff(own))
		}
		if p.States[0].Root != root || p.States[0].RootErr != nil || p.UserNS != NamespaceSame {
			t.Errorf("%s: root %v (%v), user namespace %v (%v)", name, p.States[0].Root, p.States[0].RootErr, p.UserNS, p.UserNSErr)
		}
	}
}

// TestReadProcessRefused reads processes that do not exist, or have ended.
func TestReadProcessRefused(t *testing.T) {
	refused := func(what string, pid int, want error) {
		t.Helper()
		p, err := ReadProcess(pid)
		var typed *Error
		if p != nil || !errors.Is(err, want) || !errors.As(err, &typed) || typed.Subject != fmt.Sprintf("process %d", pid) {
			t.Errorf("%s: %v, not %v", what, err, want)
		}
	}
	for _, pid := range []int{0, -1, math.MinInt, 1 << 22, math.MaxInt32, math.MaxInt} {
		refused("no number of a process", pid, ErrNoProcess)
	}
	thread, err := strconv.Atoi(subject.Start(t, "thread", nil).Said)
	if err != nil {
		t.Fatal(err)
	}
	refused("thread", thread, ErrProcessThread)

	if name, err := os.ReadFile("/proc/2/comm"); err == nil && string(name) == "kthreadd\n" {
		refused("kernel thread", 2, ErrProcessKernel)
	}

	// A child that nobody waits for.
	cmd := reexec.Command("subject")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	refused("zombie", cmd.Process.Pid, ErrProcessZombie)
	_ = cmd.Wait()
	refused("reaped", cmd.Process.Pid, ErrNoProcess)
}

// TestReadProcessEnded ends the process after it was opened.
func TestReadProcessEnded(t *testing.T) {
	s := subject.Start(t, "", nil)
	r := opened(t, s.Process.Pid)
	_ = s.Process.Kill()
	_ = s.Wait()
	if err := r.read(); !errors.Is(err, ErrProcessEnded) {
		t.Errorf("reading gives %v", err)
	}
}

func opened(t testing.TB, pid int) *reader {
	t.Helper()
	r := &reader{Process: &Process{PID: pid}}
	var err error
	if r.proc, err = openProc(); err == nil {
		r.dir, err = openDir(r.proc, strconv.Itoa(pid))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(r.dir); unix.Close(r.proc) })
	return r
}

// TestReadProcessReuse gives the number to another process, in a pid namespace where
// numbers can be chosen.
func TestReadProcessReuse(t *testing.T) {
	requires.Root(t)
	r := reexec.Run(t, "reuse", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	})
	if r.Stdout != "ended while caprun read it\nthe other can be read\n" || r.Status != 0 {
		t.Errorf("status %d\n%s%s", r.Status, r.Stdout, r.Stderr)
	}
}

func reuse() {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	check(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	self := os.Args[0]
	check(unix.Mount("proc", "/proc", "proc", 0, ""))
	begin := func() *exec.Cmd {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "CAPRUN_TEST_CHILD=subject")
		_, err := cmd.StdinPipe()
		check(err)
		check(cmd.Start())
		return cmd
	}
	end := func(cmd *exec.Cmd) { _ = cmd.Process.Kill(); _ = cmd.Wait() }

	first := begin()
	pid := first.Process.Pid
	proc, err := openProc()
	check(err)
	dir, err := openDir(proc, strconv.Itoa(pid))
	check(err)
	end(first)
	for range 200 {
		check(os.WriteFile("/proc/sys/kernel/ns_last_pid", fmt.Append(nil, pid-1), 0))
		second := begin()
		if second.Process.Pid == pid {
			r := &reader{proc: proc, dir: dir, Process: &Process{PID: pid}}
			fmt.Println(r.read())
			_, err := ReadProcess(pid)
			check(err)
			fmt.Println("the other can be read")
			end(second)
			return
		}
		end(second)
	}
	fmt.Println("no process took the number", pid)
}

// TestReadProcessThread reads a process with one thread in another state.
func TestReadProcessThread(t *testing.T) {
	s := subject.Start(t, "thread", nil)
	odd, err := strconv.Atoi(s.Said)
	if err != nil {
		t.Fatal(err)
	}
	p := read(t, s.Process.Pid)
	if len(p.States) != 2 || !slices.Equal(p.States[1].Threads, []int{odd}) || !p.States[1].Cred.NoNewPrivs {
		t.Fatalf("thread %d has no_new_privs, and the states are %+v", odd, p.States)
	}
	if diff := p.States[0].Cred.Diff(p.States[1].Cred); !slices.Equal(diff, []string{"NoNewPrivs"}) {
		t.Errorf("the states differ in %v", diff)
	}
}

// TestReadProcessLeaderEnded reads a process whose first thread has ended.
func TestReadProcessLeaderEnded(t *testing.T) {
	s := subject.Start(t, "leader-ends", nil)
	p := read(t, s.Process.Pid)
	if len(p.States) != 1 || slices.Contains(p.States[0].Threads, s.Process.Pid) || p.UserNS != NamespaceSame {
		t.Errorf("user namespace %v (%v), states %+v", p.UserNS, p.UserNSErr, p.States)
	}
	if root, err := DirectoryID("/"); err != nil || p.States[0].Root != root {
		t.Errorf("the root directory is %v (%v)", p.States[0].Root, p.States[0].RootErr)
	}
}

// TestReadProcessName reads processes whose names look like other lines of a status file.
func TestReadProcessName(t *testing.T) {
	for _, name := range []string{"x\nUid:\t0\t0", "\nState:\tZ", "\\nUid:\t0", "Uid:\t0\t0\t0\t0", ")\n(", "a b) R 1 0 0", "\x1b[31m\xff"} {
		p := read(t, subject.Start(t, "name="+strings.ReplaceAll(strconv.QuoteToASCII(name), " ", `\x20`), nil).Process.Pid)
		if p.Name != name || len(p.States) != 1 || p.States[0].Cred.UID != uint32(os.Getuid()) {
			t.Errorf("%q: name %q, states %+v", name, p.Name, p.States)
		}
	}
}

// TestReadProcessToggle reads a thread that changes its effective uid continuously. It must
// read only states that the thread was in.
func TestReadProcessToggle(t *testing.T) {
	requires.Root(t)
	own, err := CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"toggle-busy=0", "toggle-busy=5", "toggle-busy=20", "toggle=50", "toggle=1000"} {
		t.Run(step, func(t *testing.T) {
			s := subject.Start(t, step, nil)
			rounds, moved := 0, 0
			seen := map[uint32]int{}
			// A thread that stays in a state for some time is read in both states; how
			// soon depends on the load.
			missing := func() bool { return step == "toggle=1000" && (seen[0] == 0 || seen[33] == 0) }
			for began := time.Now(); time.Since(began) < toggleTime() || missing() && time.Since(began) < subject.Timeout/2; rounds++ {
				p, err := ReadProcess(s.Process.Pid)
				if errors.Is(err, ErrProcessChanging) {
					moved++
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, state := range p.States {
					c := state.Cred
					seen[c.EUID]++
					want := own.Effective
					if c.EUID == 33 {
						want = 0
					}
					if c.Effective != want || c.Permitted != own.Permitted || c.FSUID != c.EUID {
						t.Fatalf("euid %d, fsuid %d with the effective set %v: the thread never was in this state", c.EUID, c.FSUID, c.Effective)
					}
				}
			}
			t.Logf("%[2]d of %[1]d reads failed because the thread changed; states by effective uid: %[3]v", rounds, moved, seen)
			if missing() {
				t.Errorf("%[2]d of %[1]d reads failed because the thread changed; states by effective uid: %[3]v", rounds, moved, seen)
			}
		})
	}
}

// toggleTime is how long TestReadProcessToggle reads a thread.
func toggleTime() time.Duration {
	if os.Getenv("CAPRUN_TEST_LONG") == "1" {
		return 30 * time.Second
	}
	return time.Second / 4
}

// TestReadProcessChurn reads a process whose threads start and end continuously.
func TestReadProcessChurn(t *testing.T) {
	s := subject.Start(t, "churn=8", nil)
	// How many reads succeed depends on the load.
	stable, moved := 0, 0
	for began := time.Now(); stable < 10 && time.Since(began) < subject.Timeout/2; {
		p, err := ReadProcess(s.Process.Pid)
		switch {
		case errors.Is(err, ErrProcessChanging):
			moved++
			continue
		case err != nil:
			t.Fatal(err)
		case len(p.States) != 1:
			t.Fatalf("all threads are in the same state, but the states are %+v", p.States)
		}
		stable++
	}
	if stable < 10 {
		t.Errorf("only %d of %d reads succeeded", stable, stable+moved)
	}
}

// TestReadProcessRelay reads a process in which always one thread differs, but not always
// the same.
func TestReadProcessRelay(t *testing.T) {
	s := subject.Start(t, "relay", nil)
	rounds, moved := 30, 0
	for range rounds {
		p, err := ReadProcess(s.Process.Pid)
		switch {
		case errors.Is(err, ErrProcessChanging):
			moved++
		case err != nil:
			t.Fatal(err)
		case !slices.ContainsFunc(p.States, func(s ProcessState) bool { return s.Cred.NoNewPrivs }):
			t.Fatalf("the thread that differs is missing: %+v", p.States)
		}
	}
	t.Logf("%d of %d reads failed because threads changed", moved, rounds)
}

// TestReadProcessNamespace reads a process in another user namespace.
func TestReadProcessNamespace(t *testing.T) {
	inNamespace(t, func(p *Process) {
		if p.UserNS != NamespaceOther || p.UserNSErr != nil {
			t.Errorf("the user namespace is %v (%v)", p.UserNS, p.UserNSErr)
		}
	})
}

// inNamespace calls f with a process in a new user namespace, where it is root.
func inNamespace(t *testing.T, f func(*Process)) {
	t.Helper()
	f(read(t, subject.StartInNamespace(t).Process.Pid))
}

// TestReadProcessOfOthers reads a process of root as nobody.
func TestReadProcessOfOthers(t *testing.T) {
	requires.Root(t)
	s := subject.Start(t, "", nil)
	onThread(t, func() {
		p, err := ReadProcess(s.Process.Pid)
		if err != nil {
			t.Error(err)
			return
		}
		if p.UserNS != NamespaceUnknown || !errors.Is(p.UserNSErr, unix.EACCES) || !errors.Is(p.States[0].RootErr, unix.EACCES) {
			t.Errorf("user namespace %v (%v), root directory %v", p.UserNS, p.UserNSErr, p.States[0].RootErr)
		}
		if got := p.States[0].Cred; len(p.States) != 1 || got.UID != 0 || got.Permitted == 0 {
			t.Errorf("the states are %+v", p.States)
		}
	})
}

// onThread calls f on a thread of the user nobody, which then ends.
func onThread(t *testing.T, f func()) {
	t.Helper()
	if err := asNobody(func() error { f(); return nil }); err != nil {
		t.Error(err)
	}
}

// asNobody calls f on a thread of the user nobody.
func asNobody(f func() error) error {
	var err error
	done := make(chan bool)
	var run func()
	run = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The first thread does not end with its goroutine.
			go run()
			<-done
			runtime.UnlockOSThread()
			return
		}
		if err = nobody(); err == nil {
			err = f()
		}
		close(done)
	}
	go run()
	<-done
	return err
}

// nobody changes the user of the calling thread to nobody.
func nobody() error {
	const id = 65534
	for _, call := range [][4]uintptr{{unix.SYS_SETGROUPS}, {unix.SYS_SETRESGID, id, id, id}, {unix.SYS_SETRESUID, id, id, id}} {
		if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
			return errno
		}
	}
	return nil
}

// TestReadProcessProc reads with a /proc that hides processes, is missing, or belongs to
// another pid namespace.
func TestReadProcessProc(t *testing.T) {
	requires.Root(t)
	for role, want := range map[string]string{
		"hidden":       "hidepid=2: hidden true\nhidepid=1: hidden true\nhidepid=0: hidden false\n",
		"no proc":      "no proc: true\n",
		"foreign proc": "no proc: true\n",
	} {
		r := reexec.Run(t, role, func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
			if role == "foreign proc" {
				cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWPID
			}
		})
		if r.Stdout != want || r.Status != 0 {
			t.Errorf("%s: status %d\n%s%s", role, r.Status, r.Stdout, r.Stderr)
		}
	}
}

func hidden() {
	parent := os.Getppid()
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Println(err)
	}
	for _, option := range []string{"hidepid=2", "hidepid=1", "hidepid=0"} {
		if err := unix.Mount("proc", "/proc", "proc", 0, option); err != nil {
			fmt.Println(err)
		}
		err := asNobody(func() error {
			_, err := ReadProcess(parent)
			return err
		})
		fmt.Printf("%s: hidden %v\n", option, errors.Is(err, ErrProcessHidden))
		if err != nil && !errors.Is(err, ErrProcessHidden) {
			fmt.Println(err)
		}
	}
}

func noProc() {
	if err := errors.Join(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("none", "/proc", "tmpfs", 0, ""),
		os.Symlink(strconv.Itoa(os.Getpid()), "/proc/self"), os.Mkdir("/proc/1", 0o755)); err != nil {
		fmt.Println(err)
	}
	foreignProc()
}

func foreignProc() {
	_, err := ReadProcess(1)
	fmt.Println("no proc:", errors.Is(err, ErrNoProc))
}

// TestReadProcessDescriptors checks that reading leaves no descriptor open.
func TestReadProcessDescriptors(t *testing.T) {
	s := subject.Start(t, "thread", nil)
	read(t, s.Process.Pid)
	before := openDescriptors(t)
	for range 20 {
		read(t, s.Process.Pid)
		_, _ = ReadProcess(1 << 22)
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors are open, before %d", after, before)
	}
}

func openDescriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestReadProcessFile reads processes that execute the same file, through a mount of this
// mount namespace and of another one. The latter must not be opened.
func TestReadProcessFile(t *testing.T) {
	requires.Root(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[FileID]bool{}
	for name, test := range map[string]struct {
		flags uintptr
		err   error
		opens bool
	}{
		"this namespace":  {0, nil, true},
		"other namespace": {syscall.CLONE_NEWNS, errForeignFile, false},
	} {
		s := subject.Start(t, "", func(cmd *exec.Cmd) {
			cmd.Path = exe // /proc/self/exe stays below the mount of this namespace
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: test.flags}
		})
		watch, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(watch)
		if _, err := unix.InotifyAddWatch(watch, exe, unix.IN_OPEN); err != nil {
			t.Fatal(err)
		}
		p := read(t, s.Process.Pid)
		n, err := unix.Read(watch, make([]byte, 4096))
		if opened := err == nil && n > 0; opened != test.opens {
			t.Errorf("%s: opened %v (%v)", name, opened, err)
		}
		if p.FileErr != test.err || p.FileID == (FileID{}) {
			t.Errorf("%s: the file %v: %v", name, p.FileID, p.FileErr)
		}
		ids[p.FileID] = true
	}
	if len(ids) != 1 {
		t.Errorf("one file is %v", ids)
	}
}
