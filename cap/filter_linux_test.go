package cap

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// filterRoles run where a seccomp filter refuses to tell about the bounding set.
var filterRoles = reexec.Roles{"filter-bounding": filterBounding}

// refusePrctl makes an option of prctl(2) fail with EPERM on every thread, as
// the profile of a sandbox may.
func refusePrctl(option uint32) error {
	const (
		load, equal, answer = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
		number, argument    = 0, 16 // where struct seccomp_data has them
		allow, refuse       = 0x7fff0000, 0x00050000 | uint32(unix.EPERM)
		modeFilter, threads = 1, 1 // SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC
	)
	argumentAt := uint32(argument)
	if *(*byte)(unsafe.Pointer(&[]uint16{1}[0])) == 0 {
		argumentAt += 4 // the low half of a big-endian number
	}
	filter := []unix.SockFilter{
		{Code: load, K: number}, {Code: equal, K: unix.SYS_PRCTL, Jf: 3},
		{Code: load, K: argumentAt}, {Code: equal, K: option, Jf: 1},
		{Code: answer, K: refuse}, {Code: answer, K: allow},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	if _, err := Prctl(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return err
	}
	if _, _, errno := syscall.Syscall(unix.SYS_SECCOMP, modeFilter, threads, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return errno
	}
	return nil
}

func filterBounding() {
	watch()
	if err := refusePrctl(unix.PR_CAPBSET_READ); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println(GetBound(KILL))
	fmt.Println(MaxBits(), NewIAB().SetProc(), iabOf(1<<CHOWN, 0, 0).SetProc())
	fmt.Printf("%q\n", IABGetProc())
	// What cannot be read may be there: it is dropped.
	fmt.Println(iabOf(0, 0, 1<<KILL).SetProc())
	iab, err := IABGetPID(os.Getpid())
	fmt.Println(iab, err)
	_, err = FuncLauncher(func(any) error {
		try(NewSet().SetProc())
		fmt.Println(NewIAB().SetProc(), iabOf(0, 0, 1<<CHOWN).SetProc())
		return nil
	}).Launch(nil)
	fmt.Println(err)
}

// TestBoundingSetUnreadable: what needs nothing of the bounding set works, and
// no grant stays because it could not be read.
func TestBoundingSetUnreadable(t *testing.T) {
	requires.Root(t)
	r := reexec.Run(t, "filter-bounding", nil)
	if r.Stdout == "" {
		requires.Skip(t, "a kernel with seccomp filters: "+r.Stderr)
	}
	blocked := "!cap_kill"
	if bound, err := GetBound(SYS_RESOURCE); err == nil && !bound {
		blocked += ",!cap_sys_resource"
	}
	want := "false operation not permitted\n41 <nil> <nil>\n\"cap_chown\"\n<nil>\n" + blocked + " <nil>\n<nil> operation not permitted\n<nil>\n"
	if r.Stdout != want || r.Status != 0 {
		t.Errorf("status %d, got\n%swant\n%s%s", r.Status, r.Stdout, want, r.Stderr)
	}
}
