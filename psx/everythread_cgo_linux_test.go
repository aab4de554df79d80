//go:build cgo

package psx

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"caprun/internal/test/requires"
	"caprun/psx/internal/churn"
)

const skipsEndingThreads = false

// must returns the value, or ends the test if there is an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testChurn(t *testing.T, kind churn.Kind, calls int, pause time.Duration) {
	if !inOwnProcess(t) {
		return
	}
	if long {
		calls *= 20
	}
	stress(t, calls, must[func() uint64](t)(churn.Start(kind, 3, pause)))
}

func TestJoinedThreadsComeAndGo(t *testing.T)   { testChurn(t, churn.Joined, 200, time.Millisecond) }
func TestDetachedThreadsComeAndGo(t *testing.T) { testChurn(t, churn.Detached, 200, time.Millisecond) }
func TestClonedThreadsComeAndGo(t *testing.T)   { testChurn(t, churn.Cloned, 200, time.Millisecond) }
func TestQueuedThreadsComeAndGo(t *testing.T)   { testChurn(t, churn.Queued, 60, time.Millisecond) }
func TestRelayedThreadsComeAndGo(t *testing.T)  { testChurn(t, churn.Relay, 200, time.Millisecond) }

// Without a pause between two threads, the list of threads changes all the time.
func TestJoinedThreadsWithoutPause(t *testing.T)   { testChurn(t, churn.Joined, 30, 0) }
func TestDetachedThreadsWithoutPause(t *testing.T) { testChurn(t, churn.Detached, 30, 0) }
func TestClonedThreadsWithoutPause(t *testing.T)   { testChurn(t, churn.Cloned, 30, 0) }
func TestQueuedThreadsWithoutPause(t *testing.T)   { testChurn(t, churn.Queued, 30, 0) }
func TestRelayedThreadsWithoutPause(t *testing.T)  { testChurn(t, churn.Relay, 30, 0) }

// TestCredentialsUnderChurn: each call changes the inheritable set of every thread.
func TestCredentialsUnderChurn(t *testing.T) {
	requires.Root(t)
	if !inOwnProcess(t) {
		return
	}
	type capability struct {
		_                      uint32 // effective
		permitted, inheritable uint32
	}
	header := struct {
		version uint32
		pid     int32
	}{0x20080522, 0}
	var own, data [2]capability
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&own)), 0); errno != 0 {
		t.Fatal(errno)
	}
	calls := 300
	if long {
		calls = 5000
	}
	stop := must[func() uint64](t)(churn.Start(churn.Joined, 3, time.Millisecond))
	for n := range calls {
		data = own
		data[0].inheritable = uint32(n) & own[0].permitted
		if _, _, errno := Syscall3(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0); errno != 0 {
			t.Fatal(errno)
		}
		if requireAll(t, "CapInh", fmt.Sprintf("%016x", data[0].inheritable)); t.Failed() {
			t.Fatalf("after call %d", n)
		}
	}
	t.Logf("%d calls, %d threads came and went", calls, stop())
}

func TestThreadThatBlocksEverySignal(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	if errno := setName("before"); errno != 0 {
		t.Fatal(errno)
	}
	guest := must[churn.Guest](t)(churn.NewGuest())
	check(t, guest.BlockRaw())
	probeTimeout = 300 * time.Millisecond
	for range 2 {
		if errno := setName("after"); errno != syscall.ETIMEDOUT {
			t.Fatalf("got %v, want ETIMEDOUT", errno)
		}
		requireAll(t, "Name", "before")
	}

	// It answers late, but in time.
	probeTimeout = hangLimit
	time.AfterFunc(100*time.Millisecond, func() { guest.Unblock() })
	if errno := setName("late"); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "Name", "late")

	// It ends instead of answering.
	check(t, must[churn.Guest](t)(churn.NewGuest()).End())
	other := must[churn.Guest](t)(churn.NewClonedGuest())
	check(t, other.BlockRaw())
	time.AfterFunc(100*time.Millisecond, func() { other.End() })
	if errno := setName("ended"); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "Name", "ended")
}

func TestThreadThatBlocksThroughLibrary(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	check(t, must[churn.Guest](t)(churn.NewGuest()).BlockByLibrary())
	if errno := setName("named"); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "Name", "named")
}

// sleepUninterruptibly makes a guest sleep uninterruptibly. wake wakes it up, and
// returns when it is awake.
func sleepUninterruptibly(t *testing.T, guest churn.Guest) (wake func()) {
	done := make(chan error, 1)
	go func() { done <- guest.Vfork() }()
	for state := ""; !strings.HasPrefix(state, "D"); state = threads(t, "State")[int(guest)] {
		select {
		case err := <-done:
			t.Fatal("vfork:", err)
		case <-time.After(time.Millisecond):
		}
	}
	return func() { churn.EndVfork(); check(t, <-done) }
}

// TestWaitsForSleepingThread: a call waits for a thread that sleeps uninterruptibly,
// as until its child has executed a program on a file system that does not respond.
// The process does not end, because such a thread executes nothing.
func TestWaitsForSleepingThread(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	runTimeout = 300 * time.Millisecond
	guest := must[churn.Guest](t)(churn.NewGuest())
	if errno := setName("before"); errno != 0 {
		t.Fatal(errno)
	}
	// Other threads come and go faster than they can be listed.
	stop := must[func() uint64](t)(churn.Start(churn.Relay, 2, time.Millisecond))
	wake := sleepUninterruptibly(t, guest)
	var woken atomic.Bool
	time.AfterFunc(10*runTimeout, func() { woken.Store(true); wake() })
	if errno := setName("after"); errno != 0 {
		t.Fatal(errno)
	}
	if !woken.Load() {
		t.Error("the call returned before the thread had run it")
	}
	requireAll(t, "Name", "after")
	stop()
}

// TestSleepingThreadTimesOutBeforeChange: before any thread has changed, the timeout
// applies to a sleeping thread, too.
func TestSleepingThreadTimesOutBeforeChange(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	probeTimeout = 300 * time.Millisecond
	wake := sleepUninterruptibly(t, must[churn.Guest](t)(churn.NewGuest()))
	requireUnchanged(t, syscall.ETIMEDOUT)
	wake()
	probeTimeout = hangLimit
	if errno := setName("after"); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "Name", "after")
}

// TestInterruptedCallerTimesOut: signals that interrupt the caller repeatedly do not
// postpone its timeout.
func TestInterruptedCallerTimesOut(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	guest := must[churn.Guest](t)(churn.NewGuest())
	check(t, guest.BlockRaw())
	runtime.LockOSThread()
	pid, caller := os.Getpid(), syscall.Gettid()
	defer repeat(t, 1, func() error { return tgkill(pid, caller, syscall.SIGURG) }).stop()
	probeTimeout = 300 * time.Millisecond
	limit := time.AfterFunc(30*time.Second, func() { guest.Unblock() })
	defer limit.Stop()
	begin := time.Now()
	if errno := setName("after"); errno != syscall.ETIMEDOUT {
		t.Errorf("got %v, want ETIMEDOUT", errno)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the call took %v, want %v", took, probeTimeout)
	}
}

// TestLateThreadEndsTheProcess: a thread that has answered before is not asked again
// before the change. If it does not answer later, the process ends.
func TestLateThreadEndsTheProcess(t *testing.T) {
	output := fatalOutput(t, func() {
		guest, err := churn.NewGuest()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("guest", guest, "named", setName("before"))
		if err := guest.BlockRaw(); err != nil {
			t.Fatal(err)
		}
		runTimeout = time.Second
		fmt.Println("returned", setName("after"))
	})
	_, rest, _ := strings.Cut(output, "guest ")
	tid, _, _ := strings.Cut(rest, " ")
	if !strings.Contains(output, "psx: thread "+tid+" has not run the call in time") || strings.Contains(output, "returned") {
		t.Errorf("the child printed: %s", output)
	}
}

func testDiffering(t *testing.T, newGuest func() (churn.Guest, error)) {
	output := fatalOutput(t, func() {
		guest, err := newGuest()
		if err != nil {
			t.Fatal(err)
		}
		if err := guest.RefuseNames(); err != nil {
			fmt.Println("--- SKIP", err)
			os.Exit(2)
		}
		fmt.Println("guest", guest, "")
		fmt.Println("returned", setName("after"))
	})
	if strings.Contains(output, "--- SKIP") {
		requires.Skip(t, "seccomp: "+output)
	}
	_, rest, _ := strings.Cut(output, "guest ")
	tid, _, _ := strings.Cut(rest, " ")
	want := "psx: thread " + tid + " got a different result than the first thread (system call " + strconv.Itoa(syscall.SYS_PRCTL) + ", result -1, errno 1)"
	if !strings.Contains(output, want) || strings.Contains(output, "returned") {
		t.Errorf("the child printed: %s", output)
	}
}

func TestDifferingResultOfCThread(t *testing.T)      { testDiffering(t, churn.NewGuest) }
func TestDifferingResultOfClonedThread(t *testing.T) { testDiffering(t, churn.NewClonedGuest) }

var endMainThread = make(chan bool)

func init() {
	// On a busy machine a thread may wait long until it runs.
	probeTimeout, runTimeout = hangLimit/2, hangLimit/2
	if strings.HasPrefix(os.Getenv(ownProcessVariable), "TestMainThread") {
		runtime.LockOSThread()
		onMainThread = func() {
			<-endMainThread
			churn.EndThread()
		}
	}
}

func TestMainThreadHasEnded(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	if errno := setName("before"); errno != 0 {
		t.Fatal(errno)
	}
	close(endMainThread)
	for threads(t, "State")[os.Getpid()] != "Z (zombie)" {
		time.Sleep(time.Millisecond)
	}
	for n := range 100 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
	}
	requireAll(t, "Name", "n99")
}

func TestMainThreadEndsDuringCalls(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	time.AfterFunc(20*time.Millisecond, func() { close(endMainThread) })
	for n := 0; threads(t, "State")[os.Getpid()] != "Z (zombie)" || n < 200; n++ {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
	}
}

func tgkill(pid, tid int, signal syscall.Signal) error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(pid), uintptr(tid), uintptr(signal)); errno != 0 {
		return errno
	}
	return nil
}

// background is work that is repeated while calls are made.
type background struct {
	times func() uint64        // how often it has been done
	stop  func() (last uint64) // ends it and returns the final number
}

// repeat runs f on n goroutines until stopped.
func repeat(t *testing.T, n int, f func() error) background {
	var done atomic.Bool
	var times atomic.Uint64
	var wait sync.WaitGroup
	for range n {
		wait.Go(func() {
			for !done.Load() {
				if err := f(); err != nil {
					t.Error(err)
					return
				}
				times.Add(1)
			}
		})
	}
	return background{times.Load, func() uint64 { done.Store(true); wait.Wait(); return times.Load() }}
}

// callDuring makes calls while background work is done. It makes more calls if that
// work begins late.
func callDuring(t *testing.T, calls int, work ...background) {
	t.Helper()
	if long {
		calls *= 20
	}
	idle := func(b background) bool { return b.times() == 0 }
	for n := 0; n < calls || n < 100*calls && slices.ContainsFunc(work, idle); n++ {
		name := "n" + strconv.Itoa(n)
		if errno := setName(name); errno != 0 {
			t.Fatal(errno)
		}
		if n%10 == 0 {
			requireAll(t, "Name", name)
			runtime.Gosched() // the calls leave the other goroutines little time
		}
	}
	for _, b := range work {
		times := b.stop()
		t.Logf("%d calls, background work done %d times", calls, times)
		if times == 0 {
			t.Error("no background work was done")
		}
	}
}

// requireSafeBroadcasts skips a test that makes the C library run calls on all
// threads, if that damages the stacks of goroutines.
func requireSafeBroadcasts(t *testing.T) {
	t.Helper()
	if !churn.BroadcastsAreSafe() {
		requires.Skip(t, "a C library whose signal handler does not need more than the stack of a goroutine")
	}
}

func TestDuringLibraryBroadcasts(t *testing.T) {
	requireSafeBroadcasts(t)
	if !inOwnProcess(t) {
		return
	}
	callDuring(t, 300,
		background{func() uint64 { return 1 }, must[func() uint64](t)(churn.Start(churn.Joined, 2, time.Millisecond))},
		repeat(t, 2, func() error { return syscall.Setgid(syscall.Getgid()) }),
		repeat(t, 2, churn.SetuidSame))
}

// TestLibraryBroadcastIsForwarded: a call that the C library runs on every thread
// still reaches every thread.
func TestLibraryBroadcastIsForwarded(t *testing.T) {
	requireSafeBroadcasts(t)
	requires.Root(t)
	if !inOwnProcess(t) {
		return
	}
	defer parkThreads(10)()
	if errno := setName("before"); errno != 0 {
		t.Fatal(errno)
	}
	check(t, syscall.Setgid(100000))
	requireAll(t, "Gid", "100000\t100000\t100000\t100000")
}

func TestDuringForks(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	callDuring(t, 200, repeat(t, 2, churn.Fork), repeat(t, 1, churn.Spawn))
}

func TestDuringCancellation(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	// The library may set its handler when it first cancels a thread.
	for n := range 3 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
		if !churn.Cancel() {
			t.Error("a thread was not cancelled")
		}
	}
	callDuring(t, 100, repeat(t, 1, func() error {
		if !churn.Cancel() {
			return fmt.Errorf("a thread was not cancelled")
		}
		return nil
	}))
}

func TestTimersWithThreads(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	check(t, churn.Timer())
	if errno := setName("n"); errno != 0 {
		t.Fatal(errno)
	}
	callDuring(t, 100, repeat(t, 1, churn.Timer))
}

// installLibraryHandler makes the C library set its handler. Without it, a signal
// that is not from psx ends the process. musl sets it when it first cancels a thread.
func installLibraryHandler() { churn.Cancel() }

func TestForgedSignals(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	installLibraryHandler()
	guest := must[churn.Guest](t)(churn.NewGuest())
	n := 0
	callDuring(t, 200, repeat(t, 1, func() error {
		n++
		const queued, ours = -1, -0x707378
		err := churn.Forge(int(guest), queued, n, n)
		for _, index := range []int{-1, -2, 0, 1, n % 50, 1 << 20, 1<<31 - 1, -1 << 31} {
			if err == nil {
				err = churn.Forge(int(guest), ours, n, index)
			}
		}
		time.Sleep(50 * time.Microsecond)
		return err
	}))
}

func TestHandlerIsReplaced(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	installLibraryHandler()
	defer parkThreads(5)()
	for n, replace := range []func() error{
		func() error { return nil },
		churn.ReplaceHandler, churn.PrependHandler, churn.ReplaceHandler, churn.PrependHandler, churn.ReplaceHandler,
	} {
		check(t, replace())
		name := "n" + strconv.Itoa(n)
		if errno := setName(name); errno != 0 {
			t.Fatal(errno)
		}
		requireAll(t, "Name", name)
		// Two handlers must not call each other without end.
		check(t, churn.Forge(syscall.Gettid(), -1, 0, 0))
	}
	callDuring(t, 50, repeat(t, 1, func() error {
		time.Sleep(5 * time.Millisecond)
		return churn.ReplaceHandler()
	}))
}

// TestDefaultActionIsKept: where no other handler is set, a signal that is not from
// psx takes the default action.
func TestDefaultActionIsKept(t *testing.T) {
	if isOwnProcess(t) {
		check(t, churn.RemoveHandler())
		if errno := setName("n"); errno != 0 {
			t.Fatal(errno)
		}
		fmt.Println("forged", churn.Forge(syscall.Gettid(), -1, 0, 0))
		time.Sleep(time.Second)
		return
	}
	output, err := child(t, nil)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != 33 {
		t.Errorf("the child ended with %v, want signal 33\n%s", err, output)
	}
}

func TestLongCallsAreRestarted(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	end := must[func() []error](t)(churn.StartLongCalls())
	for n := range 100 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
	}
	requireAll(t, "Name", "n99")
	for i, err := range end() {
		switch {
		case i < churn.Restarted && err != nil:
			t.Errorf("%s: %v", churn.LongCalls[i], err)
		case i >= churn.Restarted && err != syscall.EINTR && err != nil: // some libraries repeat the call
			t.Errorf("%s: %v", churn.LongCalls[i], err)
		}
	}
}

// requireUnchanged makes a call that must fail before any thread has changed.
func requireUnchanged(t *testing.T, want syscall.Errno) {
	t.Helper()
	before := threads(t, "Name")
	if errno := setName("after"); errno != want {
		t.Errorf("got %v, want %v", errno, want)
	}
	for tid, name := range before {
		if name == "after" {
			t.Errorf("thread %d has changed", tid)
		}
	}
}

func TestNoDescriptors(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	var old syscall.Rlimit
	check(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	if errno := setName("before"); errno != 0 {
		t.Fatal(errno)
	}
	first := must[int](t)(syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0))
	for spare := range 2 {
		limit := old
		limit.Cur = uint64(first + 1 + spare)
		check(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
		errno := setName("after")
		check(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old))
		if errno != syscall.EMFILE {
			t.Errorf("%d spare: got %v, want EMFILE", spare, errno)
		}
		requireAll(t, "Name", "before")
	}
	if errno := setName("after"); errno != 0 {
		t.Error(errno)
	}
}

func TestDescriptorsAreClosed(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	count := func() int { return len(must[[]string](t)(filepath.Glob("/proc/self/fd/*"))) }
	if errno := setName("first"); errno != 0 {
		t.Fatal(errno)
	}
	before := count()
	for range 10 {
		setName("again")
		Syscall3(noSuchCall, 0, 0, 0)
	}
	if after := count(); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestFullSignalQueue(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	const rlimitSigpending = 11
	var none syscall.Rlimit
	check(t, syscall.Setrlimit(rlimitSigpending, &none))
	requireUnchanged(t, syscall.EAGAIN)
}

func TestNoProc(t *testing.T) {
	requires.Root(t)
	if !inOwnProcess(t) {
		return
	}
	defer parkThreads(5)()
	dir := must[string](t)(os.MkdirTemp("", "psx"))
	check(t, os.Chdir(dir))
	check(t, os.Remove(dir))
	// The call itself changes the root directory: psx has opened its files by then.
	dot := []byte{'.', 0}
	if _, _, errno := Syscall3(syscall.SYS_CHROOT, uintptr(unsafe.Pointer(&dot[0])), 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	if errno := setName("after"); errno != syscall.ENOENT {
		t.Errorf("got %v, want ENOENT", errno)
	}
	var name [16]byte
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_NAME, uintptr(unsafe.Pointer(&name)), 0); errno != 0 || string(name[:5]) == "after" {
		t.Errorf("the name is %q (%v)", name, errno)
	}
}

func TestProcOfAnotherNamespace(t *testing.T) {
	requires.Root(t)
	if isOwnProcess(t) {
		if errno := setName("after"); errno != syscall.ESRCH {
			t.Errorf("got %v, want ESRCH", errno)
		}
		return
	}
	output, err := child(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID})
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestLandlock(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	const createRuleset, restrictSelf, readFile, readDir = 444, 446, 1 << 2, 1 << 3
	attr := struct{ handled uint64 }{readFile | readDir}
	ruleset, _, errno := syscall.RawSyscall(createRuleset, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		requires.Skip(t, "Landlock: "+errno.Error())
	}
	defer parkThreads(5)()
	stop := must[func() uint64](t)(churn.Start(churn.Joined, 2, time.Millisecond))
	if _, _, errno := Syscall3(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "NoNewPrivs", "1")
	// A thread that has run this cannot open files of /proc.
	if _, _, errno := Syscall3(restrictSelf, ruleset, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	if _, err := os.ReadDir("/proc/self/task"); err == nil {
		t.Error("/proc can still be read")
	}
	if errno := setName("after"); errno != syscall.EACCES {
		t.Errorf("got %v, want EACCES", errno)
	}
	stop()
}

// TestKernelThreadIsSkipped: threads of the kernel answer no signal, and do not run
// code of the program.
func TestKernelThreadIsSkipped(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	if err := churn.KernelThread(); err != nil {
		requires.Skip(t, "io_uring: "+err.Error())
	}
	for n := range 50 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
	}
	kernelThreads := 0
	for tid, name := range threads(t, "Name") {
		if strings.HasPrefix(name, "iou-") {
			kernelThreads++
		} else if name != "n49" {
			t.Errorf("thread %d has the name %s", tid, name)
		}
	}
	if kernelThreads == 0 {
		t.Error("the process had no kernel thread")
	}
}

func TestErrnoIsUnchanged(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	runtime.LockOSThread()
	churn.SetErrno(77)
	if errno := setName("ok"); errno != 0 {
		t.Fatal(errno)
	}
	if got := churn.Errno(); got != 77 {
		t.Errorf("errno is %d after success", got)
	}
	Syscall3(noSuchCall, 0, 0, 0)
	if got := churn.Errno(); got != 77 {
		t.Errorf("errno is %d after failure", got)
	}
}

// TestStoppedProcess: time during which the process is stopped does not count.
func TestStoppedProcess(t *testing.T) {
	if isOwnProcess(t) {
		probeTimeout, runTimeout = time.Second, time.Second
		stop := must[func() uint64](t)(churn.Start(churn.Joined, 2, time.Millisecond))
		for begin := time.Now(); time.Since(begin) < 3*time.Second; {
			if errno := setName("n"); errno != 0 {
				t.Fatal(errno)
			}
		}
		stop()
		return
	}
	cmd, output := start(t, nil)
	for range 2 {
		time.Sleep(200 * time.Millisecond)
		cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(1200 * time.Millisecond)
		cmd.Process.Signal(syscall.SIGCONT)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// inPIDNamespace runs body in a child in a PID namespace with the numbers 1 to 1000:
// few, but enough for threads that release their numbers late.
func inPIDNamespace(t *testing.T, body func()) {
	t.Helper()
	if isOwnProcess(t) {
		if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
			requires.Skip(t, "a /proc for a new PID namespace: "+err.Error())
		}
		if err := os.WriteFile("/proc/sys/kernel/pid_max", []byte("1001"), 0); err != nil {
			requires.Skip(t, "a pid_max for a new PID namespace: "+err.Error())
		}
		body()
		return
	}
	output, err := child(t, &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS,
	})
	if strings.Contains(output, "--- SKIP") {
		requires.Skip(t, "what the child needs:\n"+output)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// TestFewThreadNumbers: where thread numbers are few, they are soon used again.
func TestFewThreadNumbers(t *testing.T) {
	requires.Root(t)
	inPIDNamespace(t, func() {
		calls := 50
		if long {
			calls = 2000
		}
		stress(t, calls, must[func() uint64](t)(churn.Start(churn.Detached, 4, 0)))
	})
}

// TestReusedThreadNumber: a thread that has run the call ends, and a thread that has
// not run it creates a thread with the same number.
func TestReusedThreadNumber(t *testing.T) {
	requires.Root(t)
	inPIDNamespace(t, func() {
		old := must[churn.Guest](t)(churn.NewGuest())
		by := must[churn.Guest](t)(churn.NewGuest())
		if errno := setName("before"); errno != 0 {
			t.Fatal(errno)
		}
		wait := churn.ReuseNumber(by, old, "after")
		if errno := setName("after"); errno != 0 {
			t.Fatal(errno)
		}
		check(t, wait())
		names := threads(t, "Name")
		if name := names[int(old)]; name != "after" {
			t.Errorf("the new thread %d has the name %q", old, name)
		}
	})
}

// TestStress: no call hangs. The parent of this process ends it if it takes too long.
func TestStress(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	calls := 1000
	if long {
		calls = 100000
	}
	stop := must[func() uint64](t)(churn.Start(churn.Joined, 3, 2*time.Millisecond))
	setids := func() uint64 { return 0 }
	if churn.BroadcastsAreSafe() {
		setids = repeat(t, 1, func() error { time.Sleep(time.Millisecond); return churn.SetuidSame() }).stop
	}
	stopGo := goChurn()
	var longest atomic.Int64
	begin := time.Now()
	var wait sync.WaitGroup
	const callers = 4
	for i := range callers {
		wait.Go(func() {
			for n := range calls / callers {
				before := time.Now()
				if errno := setName("c" + strconv.Itoa(i) + "n" + strconv.Itoa(n)); errno != 0 {
					t.Error(errno)
					return
				}
				longest.Store(max(longest.Load(), int64(time.Since(before))))
			}
		})
	}
	wait.Wait()
	if errno := setName("last"); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "Name", "last")
	took := time.Since(begin)
	t.Logf("%d calls in %v, the longest (with its turn) %v; %d threads of C and %d of Go came and went, %d broadcasts of the C library",
		calls, took.Round(time.Millisecond), time.Duration(longest.Load()), stop(), stopGo(), setids())
}
