//go:build cgo

package psx

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"caprun/internal/test/requires"
	"caprun/psx/internal/churn"
)

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
