//go:build cgo

package psx

import (
	"fmt"
	"os"
	"runtime"
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
