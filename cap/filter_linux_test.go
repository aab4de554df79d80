package cap

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"caprun/internal/ids"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// filterRoles run under a seccomp(2) filter that returns results instead of the kernel.
var filterRoles = reexec.Roles{"filter-bounding": filterBounding, "filter-answers": filterAnswers, "filter-reads": filterReads}

// answer is a system call for which a filter returns an error number, or 0 for success
// without effect. It applies to calls whose first arguments are args.
type answer struct {
	call  uint32
	errno unix.Errno
	args  []uint32
}

// install installs the filter on the calling thread, to which the goroutine must be
// locked, or on every thread.
func (a answer) install(everyThread bool) error {
	const (
		load, equal, ret    = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
		number, firstArg    = 0, 16 // where struct seccomp_data has them
		modeFilter, threads = 1, 1  // SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC
	)
	low := uint32(0)
	if *(*byte)(unsafe.Pointer(&[]uint16{1}[0])) == 0 {
		low = 4 // the low half of a big-endian number
	}
	filter := []unix.SockFilter{{Code: load, K: number}, {Code: equal, K: a.call, Jf: uint8(2*len(a.args) + 1)}}
	for n, value := range a.args {
		filter = append(filter,
			unix.SockFilter{Code: load, K: firstArg + 8*uint32(n) + low},
			unix.SockFilter{Code: equal, K: value, Jf: uint8(2*(len(a.args)-n-1) + 1)})
	}
	filter = append(filter, unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(a.errno)}, unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	flags := uintptr(0)
	if everyThread {
		flags = threads
	}
	runtime.LockOSThread()
	if _, err := Prctl(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return err
	}
	if _, _, errno := syscall.Syscall(unix.SYS_SECCOMP, modeFilter, flags, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return errno
	}
	return nil
}

// filterAnswers reads the state of threads under filters that make one call succeed
// without effect.
func filterAnswers() {
	watch()
	for _, c := range []struct {
		name   string
		answer answer
		read   func() error
	}{
		{"capget", answer{call: unix.SYS_CAPGET}, func() error { _, err := GetPID(0); return err }},
		{"getresuid", answer{call: ids.SysGetresuid}, func() error { _, err := getuids(); return err }},
		{"getresgid", answer{call: ids.SysGetresgid}, func() error { _, err := getgids(); return err }},
		{"getgroups", answer{call: ids.SysGetgroups}, func() error { _, err := getgroups(); return err }},
		{"size of getgroups", answer{call: ids.SysGetgroups, args: []uint32{0}}, func() error { _, err := getgroups(); return err }},
		{"PR_GET_PDEATHSIG", answer{call: unix.SYS_PRCTL, args: []uint32{unix.PR_GET_PDEATHSIG}}, func() error { _, err := getDeathSignal(); return err }},
	} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			try(c.answer.install(false))
			fmt.Println(c.name+":", c.read())
		}()
		<-done
	}
}

// TestNoAnswer: functions that read the state return an error if a system call succeeds
// without effect.
func TestNoAnswer(t *testing.T) {
	r := reexec.Run(t, "filter-answers", nil)
	if r.Stdout == "" {
		requires.Skip(t, "a kernel with seccomp filters: "+r.Stderr)
	}
	want := ""
	for _, name := range []string{"capget", "getresuid", "getresgid", "getgroups", "size of getgroups", "PR_GET_PDEATHSIG"} {
		want += name + ": it had no effect\n"
	}
	groups, err := getgroups()
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) == 0 {
		want = strings.Replace(want, "size of getgroups: it had no effect", "size of getgroups: <nil>", 1)
	}
	if r.Stdout != want || r.Status != 0 {
		t.Errorf("status %d, got\n%swant\n%s%s", r.Status, r.Stdout, want, r.Stderr)
	}
}

// filterReads executes steps on threads under filters that return 0 for a state that
// is 1.
func filterReads() {
	watch()
	const setting = 1 << NET_RAW
	for _, c := range []struct {
		read  []uint32
		setup func() error
		step  Step
	}{
		{[]uint32{unix.PR_CAPBSET_READ, uint32(NET_RAW)}, nil, Step{Kind: StepBound, Caps: setting}},
		{[]uint32{unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uint32(NET_RAW)}, raiseNetRaw, Step{Kind: StepAmbient}},
		{[]uint32{unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uint32(NET_RAW)}, raiseNetRaw, Step{Kind: StepAmbient, Caps: 1 << CHOWN}},
		{[]uint32{unix.PR_GET_SECUREBITS}, func() error { return thisThread.setSecurebits(SecbitNoRoot) }, Step{Kind: StepSecbits}},
	} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			if c.setup != nil {
				try(c.setup())
			}
			try((answer{call: unix.SYS_PRCTL, args: c.read}).install(false))
			try(execute(&c.step))
			status, err := os.ReadFile("/proc/thread-self/status")
			try(err)
			state := reexec.Status(string(status))
			bounding, err := strconv.ParseUint(state["CapBnd"], 16, 64)
			try(err)
			fmt.Println(c.step.Kind, bounding&setting, state["CapAmb"], noRootInherited())
		}()
		<-done
	}
}

// raiseNetRaw makes cap_net_raw ambient and cap_chown inheritable.
func raiseNetRaw() error {
	_, p, _, err := capget(0)
	if err != nil {
		return err
	}
	if err := thisThread.capset(p, p, 1<<NET_RAW|1<<CHOWN); err != nil {
		return err
	}
	return thisThread.ambientRaise(NET_RAW)
}

// noRootInherited reports whether noroot is set: with it, a program that user ID 0
// executes gets no capabilities. The filter does not apply to its system calls.
func noRootInherited() bool {
	text, err := exec.Command("/bin/cat", "/proc/self/status").Output()
	try(err)
	return reexec.Status(string(text))["CapEff"] == "0000000000000000"
}

// TestStepsDoNotTrustReads: a step removes a capability, or sets a securebit, although a
// filter returns that it is already done.
func TestStepsDoNotTrustReads(t *testing.T) {
	requires.Root(t)
	r := reexec.Run(t, "filter-reads", nil)
	const none = "0000000000000000"
	want := fmt.Sprintf("%v 0 %[2]s false\n%[3]v 8192 %[2]s false\n%[3]v 8192 %016[4]x false\n%[5]v 8192 %[2]s false\n",
		StepBound, none, StepAmbient, 1<<CHOWN, StepSecbits)
	if r.Stdout != want || r.Status != 0 {
		t.Errorf("status %d, got\n%swant\n%s%s", r.Status, r.Stdout, want, r.Stderr)
	}
}

func filterBounding() {
	watch()
	if err := (answer{unix.SYS_PRCTL, unix.EPERM, []uint32{unix.PR_CAPBSET_READ}}).install(true); err != nil {
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

// TestBoundingSetUnreadable: where the bounding set cannot be read, a function that does
// not need it works, and a function that lowers it does that or fails.
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
