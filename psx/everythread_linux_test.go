package psx

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"caprun/internal/ids"
	"caprun/internal/test/requires"
)

// long makes the stress tests take minutes.
var long = os.Getenv("CAPRUN_TEST_LONG") == "1"

// noSuchCall is far above every system call number.
const noSuchCall = 0xffff

func TestFailureIsReturned(t *testing.T) {
	r1, r2, errno := Syscall3(noSuchCall, 1, 2, 3)
	if r1 != ^uintptr(0) || r2 != 0 || errno != syscall.ENOSYS {
		t.Errorf("Syscall3 = %#x, %d, %v; want -1, 0, ENOSYS", r1, r2, errno)
	}
	r1, r2, errno = Syscall6(noSuchCall, 1, 2, 3, 4, 5, 6)
	if r1 != ^uintptr(0) || r2 != 0 || errno != syscall.ENOSYS {
		t.Errorf("Syscall6 = %#x, %d, %v; want -1, 0, ENOSYS", r1, r2, errno)
	}
}

// setName sets the name of every thread. This is like a change of credentials, but
// needs no privilege: it shows in /proc, new threads inherit it, and the call takes
// a pointer.
func setName(name string) syscall.Errno {
	b := append([]byte(name), 0)
	_, _, errno := Syscall3(syscall.SYS_PRCTL, syscall.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0)
	return errno
}

// threads returns one field of /proc/self/task/*/status by thread number. It
// leaves out dead threads, which may still be listed, unless the field is State.
func threads(t testing.TB, field string) map[int]string {
	t.Helper()
	values := map[int]string{}
	dirs, err := filepath.Glob("/proc/self/task/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	for _, dir := range dirs {
		tid, _ := strconv.Atoi(filepath.Base(dir))
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			continue // it has ended
		}
		dead := strings.Contains(string(status), "\nState:\tX") || strings.Contains(string(status), "\nState:\tZ")
		if dead && field != "State" {
			continue
		}
		for line := range strings.Lines(string(status)) {
			if value, ok := strings.CutPrefix(line, field+":\t"); ok {
				values[tid] = strings.TrimSuffix(value, "\n")
			}
		}
	}
	return values
}

// requireAll fails the test unless the field has this value for every thread.
func requireAll(t testing.TB, field, want string) {
	t.Helper()
	for tid, got := range threads(t, field) {
		for began := time.Now(); got != want && skipsEndingThreads && time.Since(began) < hangLimit/2; {
			time.Sleep(time.Millisecond)
			var alive bool
			if got, alive = threads(t, field)[tid]; !alive {
				got = want
			}
		}
		if got != want {
			t.Errorf("thread %d has %s %q, want %q", tid, field, got, want)
		}
	}
}

// parkThreads keeps n goroutines on threads of their own until release is called.
// One in four wakes up each millisecond; the others sleep.
func parkThreads(n int) (release func()) {
	var ready, gone sync.WaitGroup
	stop := make(chan bool)
	for i := range n {
		ready.Add(1)
		gone.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			if i%4 == 0 {
				for {
					select {
					case <-stop:
						return
					case <-time.After(time.Millisecond):
					}
				}
			}
			<-stop
		})
	}
	ready.Wait()
	return func() { close(stop); gone.Wait() }
}

func TestEveryThread(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	release := parkThreads(20)
	for _, name := range []string{"first", "second", "third"} {
		if errno := setName(name); errno != 0 {
			t.Fatal(errno)
		}
		requireAll(t, "Name", name)
	}
	release()
	if n := len(threads(t, "Name")); n < 20 {
		t.Errorf("only %d threads", n)
	}
	if _, _, errno := Syscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "NoNewPrivs", "1")
}

const prSetNoNewPrivs = 38

// refuseNames makes PR_SET_NAME fail with EPERM on the calling thread: seccomp(2).
func refuseNames() error {
	type instruction struct {
		code            uint16
		ifTrue, ifFalse uint8
		value           uint32
	}
	const load, equal, ret, allow, fail = 0x20, 0x15, 0x06, 0x7fff0000, 0x00050000
	argument := uint32(16)                                     // the lower half of the first argument
	if one := uint16(1); *(*byte)(unsafe.Pointer(&one)) == 0 { // big-endian
		argument += 4
	}
	instructions := []instruction{
		{load, 0, 0, 0},
		{equal, 0, 3, syscall.SYS_PRCTL},
		{load, 0, 0, argument},
		{equal, 0, 1, syscall.PR_SET_NAME},
		{ret, 0, 0, fail | uint32(syscall.EPERM)},
		{ret, 0, 0, allow},
	}
	program := struct {
		length       uint16
		instructions *instruction
	}{uint16(len(instructions)), &instructions[0]}
	const prSetSeccomp, filter = 22, 2
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetSeccomp, filter, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return errno
	}
	runtime.KeepAlive(instructions)
	return nil
}

func TestFailureChangesNoThread(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	defer parkThreads(10)()
	if errno := setName("before"); errno != 0 {
		t.Fatal(errno)
	}
	runtime.LockOSThread()
	if err := refuseNames(); err != nil {
		requires.Skip(t, "seccomp: "+err.Error())
	}
	for range 20 {
		if errno := setName("after"); errno != syscall.EPERM {
			t.Fatalf("got %v, want EPERM", errno)
		}
	}
	requireAll(t, "Name", "before")
}

func TestDifferingResultEndsTheProcess(t *testing.T) {
	output := fatalOutput(t, func() {
		ready := make(chan error)
		go func() {
			runtime.LockOSThread()
			ready <- refuseNames()
			select {}
		}()
		if err := <-ready; err != nil {
			fmt.Println("--- SKIP", err)
			os.Exit(2)
		}
		fmt.Println("returned", setName("after"))
	})
	if strings.Contains(output, "--- SKIP") {
		requires.Skip(t, "seccomp: "+output)
	}
	if !strings.Contains(output, "differ") || strings.Contains(output, "returned") {
		t.Errorf("the child printed: %s", output)
	}
}

// BenchmarkSyscall3 measures a call in a process with 16 additional idle threads.
func BenchmarkSyscall3(b *testing.B) {
	stop := make(chan bool)
	defer close(stop)
	for range 16 {
		ready := make(chan bool)
		go func() {
			runtime.LockOSThread()
			close(ready)
			<-stop
		}()
		<-ready
	}
	for b.Loop() {
		if errno := setName("benchmark"); errno != 0 {
			b.Fatal(errno)
		}
	}
}

func TestManyCallers(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	calls := 30
	if long {
		calls = 1000
	}
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			if i%2 == 0 {
				runtime.LockOSThread()
			}
			for range calls {
				if errno := setName("caller" + strconv.Itoa(i)); errno != 0 {
					t.Error(errno)
				}
			}
		})
	}
	wait.Wait()
	if errno := setName("last"); errno != 0 {
		t.Error(errno)
	}
	requireAll(t, "Name", "last")
}

func TestWithNotifyOfEverySignal(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	all := make(chan os.Signal, 100)
	signal.Notify(all)
	signal.Ignore(syscall.Signal(33), syscall.Signal(34))
	var done atomic.Bool
	var wait sync.WaitGroup
	wait.Go(func() {
		for !done.Load() {
			syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			syscall.Kill(os.Getpid(), syscall.SIGURG)
			select {
			case <-all:
			case <-time.After(time.Millisecond):
			}
		}
	})
	for n := range 200 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
	}
	requireAll(t, "Name", "n199")
	done.Store(true)
	wait.Wait()
	signal.Reset()
	if errno := setName("reset"); errno != 0 {
		t.Error(errno)
	}
	for {
		select {
		case s := <-all:
			if s == syscall.Signal(33) {
				t.Errorf("the program was notified of %v", s)
			}
			continue
		default:
		}
		break
	}
}

// TestRunningGoCode: the signal handler does not damage the stacks of goroutines,
// which are smaller than a handler needs.
func TestRunningGoCode(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	var done atomic.Bool
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for !done.Load() {
				var inner sync.WaitGroup
				for range 50 {
					inner.Go(func() { spin(t, 8) })
				}
				inner.Wait()
			}
		})
	}
	for n := range 300 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
	}
	requireAll(t, "Name", "n299")
	done.Store(true)
	wait.Wait()
}

// spin fills a part of a small stack and fails the test if it changes.
func spin(t *testing.T, depth int) {
	var canary [16]int
	for i := range canary {
		canary[i] = i * depth
	}
	if depth > 0 {
		spin(t, depth-1)
	}
	for range 200 {
		for i := range canary {
			if canary[i] != i*depth {
				t.Errorf("the stack has changed: %v", canary)
				return
			}
		}
	}
}

// TestBlockedReadIsRestarted: a read that sleeps in the kernel does not return
// EINTR, which many programs do not expect.
func TestBlockedReadIsRestarted(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		var b [1]byte
		_, err := syscall.Read(pipe[0], b[:])
		result <- err
	}()
	time.Sleep(20 * time.Millisecond)
	for n := range 100 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
	}
	requireAll(t, "Name", "n99")
	if _, err := syscall.Write(pipe[1], []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Errorf("read: %v", err)
	}
}

// TestIdentityChanges: a change of user and group IDs reaches every thread.
func TestIdentityChanges(t *testing.T) {
	requires.Root(t)
	if !inOwnProcess(t) {
		return
	}
	stop := goChurn()
	const id = 100000 // too large for the system calls with IDs of 16 bits
	if _, _, errno := Syscall3(ids.SysSetresgid, id, id, id); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "Gid", "100000\t100000\t100000\t100000")
	if _, _, errno := Syscall3(ids.SysSetresuid, id, id, id); errno != 0 {
		t.Fatal(errno)
	}
	for range 20 {
		requireAll(t, "Uid", "100000\t100000\t100000\t100000")
		requireAll(t, "CapEff", "0000000000000000")
	}
	if _, _, errno := Syscall3(ids.SysSetresuid, 0, 0, 0); errno != syscall.EPERM {
		t.Errorf("back to root: %v, want EPERM", errno)
	}
	if errno := setName("unprivileged"); errno != 0 {
		t.Errorf("a call without privilege: %v", errno)
	}
	requireAll(t, "Name", "unprivileged")
	stop()
}
