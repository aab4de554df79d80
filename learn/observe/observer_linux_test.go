package observe

import (
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// eachMethod runs a test with the tracepoint or, if the kernel has none, with probes; and
// with probes, too, if the kernel has both.
func eachMethod(t *testing.T, test func(t *testing.T, o Options)) {
	t.Helper()
	requireRecording(t)
	t.Run("default", func(t *testing.T) { test(t, Options{}) })
	if has := methodsOf(t); has.tracepoint && has.probes {
		t.Run("probes", func(t *testing.T) { test(t, Options{probes: true}) })
	}
}

// chowns returns the checks of cap_chown.
func chowns(rec *Recording) []Check { return checksOf(rec, unix.CAP_CHOWN) }

func TestCheck(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		file := newFile(t)
		rec := recordTarget(t, o, role("chown", "FILE="+file).holding(t))
		checks := chowns(rec)
		if len(checks) == 0 {
			t.Fatalf("no check of cap_chown in %+v", rec.Checks)
		}
		for _, c := range checks {
			if c.Denied || c.NoAudit || c.Memory || c.Foreign || c.Errno != 0 || c.Count != 1 || c.TID != c.PID || c.Command != "exe" {
				t.Errorf("%+v", c)
			}
			if want := strconv.Quote(file) + ", 12345, 23456"; c.Call.Name != "fchownat" || c.Call.Args != want {
				t.Errorf("call %+v, want fchownat with %s", c.Call, want)
			}
			if !rec.Symbols || !slices.Contains(c.Functions, "chown_common") {
				t.Errorf("functions %q", c.Functions)
			}
		}
		if len(rec.Execs) != 1 || rec.Execs[0].Path != "/proc/self/exe" || rec.Execs[0].Privileged != No || rec.Execs[0].Unobserved {
			t.Errorf("executions %+v", rec.Execs)
		}
		memory := slices.IndexFunc(rec.Checks, func(c Check) bool { return c.Memory })
		if memory < 0 && (o.probes || !methodsOf(t).tracepoint) {
			return // see the package comment: a probe may miss it
		}
		if memory < 0 || rec.Checks[memory].Cap != unix.CAP_SYS_ADMIN || !rec.Checks[memory].NoAudit {
			t.Errorf("no check for memory in %+v", rec.Checks)
		}
	})
}

func TestBind(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		rec := recordTarget(t, o, role("bind").with(func(c *exec.Cmd) { c.SysProcAttr.Cloneflags = unix.CLONE_NEWNET }).holding(t))
		checks := checksOf(rec, unix.CAP_NET_BIND_SERVICE)
		if len(checks) != 2 {
			t.Fatalf("checks %+v, want one for each address", checks)
		}
		for n, address := range []string{"0.0.0.0:80", "[::]:81"} {
			if c := checks[n]; c.Denied || c.Foreign || c.Call != (Call{"bind", address}) {
				t.Errorf("%+v, want bind to %s", c, address)
			}
		}
	})
}

// TestDenied executes after it dropped its privileges.
func TestDenied(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		file := newFile(t)
		rec := recordTarget(t, o, role("drop", "FILE="+file).holding(t))
		checks := chowns(rec)
		if len(checks) == 0 {
			t.Fatalf("no check of cap_chown in %+v", rec.Checks)
		}
		if c := checks[0]; !c.Denied || c.Errno != int(unix.EPERM) || c.Call.Name != "fchownat" || c.Foreign {
			t.Errorf("%+v", c)
		}
		want := Call{"fchownat", strconv.Quote(file) + ", 12345, 23456"}
		at := slices.IndexFunc(rec.Failures, func(f Failure) bool { return f.Call == want })
		if at < 0 || rec.Failures[at].Errno != int(unix.EPERM) || rec.Failures[at].Count != 1 {
			t.Errorf("failures %+v, want %v", rec.Failures, want)
		}
		if len(rec.Execs) != 2 || rec.Execs[1].Unobserved {
			t.Errorf("executions %+v, want 2", rec.Execs)
		}
	})
}

func TestIDChanges(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		rec := recordTarget(t, o, role("ids").holding(t))
		if len(rec.IDChanges) != 3 {
			t.Fatalf("changes %+v, want 3", rec.IDChanges)
		}
		after := IDs{UID: 45678, GID: 34567, Groups: []uint32{33, 44}}
		for n, want := range []IDChange{
			{Call: Call{"setgroups", "2 groups"}, UID: -1, GID: -1, Groups: []uint32{33, 44}, GroupsKnown: true, Settled: true},
			{Call: Call{"setresgid", "34567, 34567, 34567"}, UID: -1, GID: 34567, Settled: true},
			{Call: Call{"setresuid", "45678, 45678, 45678"}, UID: 45678, GID: -1, Settled: true},
		} {
			got := rec.IDChanges[n]
			if got.PID == 0 || got.TID == 0 || got.Time == 0 || got.Command != "exe" {
				t.Errorf("%+v", got)
			}
			if n == 2 && (got.After == nil || !reflect.DeepEqual(*got.After, after)) {
				t.Errorf("%v: IDs after it %+v, want %+v", want.Call, got.After, after)
			}
			got.PID, got.TID, got.Time, got.Command, got.After = 0, 0, 0, "", nil
			if !reflect.DeepEqual(got, want) {
				t.Errorf("change %+v\nwant   %+v", got, want)
			}
		}
	})
}

func TestThreads(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		rec := recordTarget(t, o, role("threads", "FILE="+newFile(t)))
		threads := map[int]bool{}
		for _, c := range chowns(rec) {
			threads[c.TID] = true
			if c.TID == c.PID {
				t.Errorf("%+v: not of a thread", c)
			}
		}
		if len(threads) != threadCount || rec.Threads < threadCount || rec.Forks != 0 {
			t.Errorf("%d threads with checks, %d threads and %d forks in all; want %d threads", len(threads), rec.Threads, rec.Forks, threadCount)
		}
	})
}

// TestDoubleFork has the check of a process whose parent has ended.
func TestDoubleFork(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		rec := recordTarget(t, o, role("fork", "FILE="+newFile(t)))
		checks := chowns(rec)
		if len(checks) == 0 || rec.Forks < 2 || checks[0].PID == rec.Execs[0].PID {
			t.Errorf("checks %+v, %d forks", checks, rec.Forks)
		}
	})
}

func TestUserNamespace(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		rec := recordTarget(t, o, role("userns"))
		var foreign []bool
		for _, c := range checksOf(rec, unix.CAP_SYS_ADMIN) {
			if c.Call.Name == "sethostname" {
				foreign = append(foreign, c.Foreign)
			}
			if c.Denied {
				t.Errorf("%+v", c)
			}
		}
		if want := []bool{false, true}; !slices.Equal(foreign, want) {
			t.Errorf("checks of sethostname: foreign %v, want %v", foreign, want)
		}
	})
}

// TestSetPCap: cap_setpcap is checked by functions in the file of cap_capable, too, and
// probes may not see that.
func TestSetPCap(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		rec := recordTarget(t, o, role("setpcap").holding(t))
		var calls []Call
		for _, c := range checksOf(rec, unix.CAP_SETPCAP) {
			calls = append(calls, c.Call)
		}
		want := []Call{{"prctl", "24, 20"}, {"prctl", "28, 4"}, {"capset", ""}}
		if o.probes || !methodsOf(t).tracepoint {
			want = want[:1]
		}
		for _, call := range want {
			if !slices.Contains(calls, call) {
				t.Errorf("%v is missing in %v", call, calls)
			}
		}
	})
}

// TestForks has many short processes and small rings.
func TestForks(t *testing.T) {
	eachMethod(t, func(t *testing.T, o Options) {
		forks := requires.Rounds(100, 400)
		o.RingSize = 4 * unix.Getpagesize()
		script := `n=1; while [ $n -le ` + strconv.Itoa(forks) + ` ]; do "$CHOWN" $n "$FILE"; n=$((n+1)); done`
		rec := recordTarget(t, o, program(requires.Tool(t, "sh"), "-c", script).env("FILE="+newFile(t), "CHOWN="+requires.Tool(t, "chown")))
		processes := map[int]bool{}
		for _, c := range chowns(rec) {
			processes[c.PID] = true
		}
		if len(processes) != forks || rec.Forks != forks {
			t.Errorf("checks of %d processes, %d forks; want %d", len(processes), rec.Forks, forks)
		}
	})
}

// TestLost: a ring that nobody reads is full soon, and the kernel says so.
func TestLost(t *testing.T) {
	requireRecording(t)
	target := start(t, program(requires.Tool(t, "sh"), "-c", "n=0; while [ $n -lt 500 ]; do (:); n=$((n+1)); done"))
	_, cpus := openUnread(t, target.pid(), unix.Getpagesize())
	target.run(t)
	lost := uint64(0)
	for _, cpu := range cpus {
		lost += cpu.lost()
	}
	if lost == 0 {
		t.Error("no event was lost")
	}
}

func TestClosedTwice(t *testing.T) {
	requireRecording(t)
	target := start(t, role("chown", "FILE="+newFile(t)))
	obs, err := Open(target.pid(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := obs.Close(); err != nil {
		t.Error(err)
	}
	if _, err := obs.Close(); err == nil {
		t.Error("a second Close returned no error")
	}
	target.run(t)
}

func TestOpenFails(t *testing.T) {
	requireRecording(t)
	if _, err := Open(unix.Getpid(), Options{}); err == nil || !strings.Contains(err.Error(), "threads, want 1") {
		t.Errorf("a process with threads: %v", err)
	}
	if _, err := Open(1<<30, Options{}); err == nil || !strings.Contains(err.Error(), "process 1073741824") {
		t.Errorf("no process: %v", err)
	}
	if has := methodsOf(t); !has.probes {
		target := start(t, role("chown", "FILE="+newFile(t)))
		_, err := Open(target.pid(), Options{probes: true})
		if err == nil || !strings.Contains(err.Error(), "CONFIG_KPROBE_EVENTS") {
			t.Errorf("a kernel without probes: %v", err)
		}
		target.run(t)
	}
}
