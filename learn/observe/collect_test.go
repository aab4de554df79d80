package observe

import (
	"reflect"
	"testing"
)

// A timeline makes events with increasing times.
type timeline struct {
	c    *collector
	time uint64
}

func newTimeline(limit int, probes bool) *timeline {
	i := &interpreter{arch: "amd64", registers: amd64}
	if probes {
		i.result.id = 9
	}
	return &timeline{c: newCollector(i, limit)}
}

func (l *timeline) add(e event) {
	l.time++
	e.time, e.check.Time = l.time, l.time
	if e.pid == 0 {
		e.pid = 1
	}
	if e.tid == 0 {
		e.tid = e.pid
	}
	e.check.PID, e.check.TID = int(e.pid), int(e.tid)
	l.c.add(e)
}

func (l *timeline) comm(tid uint32, name string, exec bool) {
	l.add(event{record: record{kind: recordComm, pid: tid, tid: tid, name: name, exec: exec}})
}

func at(ip uint64) registers { return registers{valid: true, ip: ip} }

func check(capability int, regs registers, name string) event {
	return event{record: record{regs: regs}, source: fromCheck, check: Check{Cap: capability, Count: 1}, call: Call{Name: name}}
}

func exit(result int64, regs registers, call Call) event {
	return event{record: record{regs: regs}, source: fromExit, result: result, call: call}
}

// TestCollectErrno: a failed call names its checks, and no others.
func TestCollectErrno(t *testing.T) {
	l := newTimeline(10, false)
	l.add(check(1, at(5), "")) // an earlier call
	l.add(check(2, at(7), ""))
	l.add(check(3, at(7), "open"))
	l.add(exit(-13, at(7), Call{"open", `"/x"`}))
	l.add(check(4, at(7), "open")) // a later one, which succeeds
	l.add(exit(-1, at(8), Call{"kill", "1, 9"}))
	rec := l.c.finish(0)
	want := []Check{
		{Cap: 1, Errno: 0}, {Cap: 2, Errno: 13, Call: Call{"open", `"/x"`}},
		{Cap: 3, Errno: 13, Call: Call{"open", `"/x"`}}, {Cap: 4, Call: Call{Name: "open"}},
	}
	for n, c := range rec.Checks {
		c.PID, c.TID, c.Time, c.Count = 0, 0, 0, 0
		if !reflect.DeepEqual(c, want[n]) {
			t.Errorf("check %+v, want %+v", c, want[n])
		}
	}
	if len(rec.Failures) != 2 || rec.Failures[0].Errno != 13 || rec.Failures[1].Errno != 1 || rec.Lost != 0 {
		t.Errorf("%+v", rec)
	}
}

func TestCollectResults(t *testing.T) {
	l := newTimeline(10, true)
	for tid := range uint32(2) {
		e := check(int(tid)+1, at(1), "open")
		e.tid = tid + 1
		l.add(e)
	}
	for tid := range uint32(2) {
		l.add(event{record: record{tid: tid + 1}, source: fromResult, result: -1 * int64(tid)})
	}
	l.add(check(3, at(1), "open")) // its result is lost
	l.add(check(4, at(1), "open"))
	l.add(event{source: fromResult, result: -1})
	l.add(event{source: fromResult, result: -1}) // its check is lost
	rec := l.c.finish(0)
	denied := map[int]bool{}
	for _, c := range rec.Checks {
		denied[c.Cap] = c.Denied
	}
	if want := map[int]bool{1: false, 2: true, 3: false, 4: true}; !reflect.DeepEqual(denied, want) || rec.Lost != 2 {
		t.Errorf("denied %v, want %v; lost %d, want 2", denied, want, rec.Lost)
	}
	for n := range rec.Checks[1:] {
		if rec.Checks[n].Time > rec.Checks[n+1].Time {
			t.Errorf("not in the order of time: %+v", rec.Checks)
		}
	}
}

// TestCollectLimit: what exceeds the limit is counted, but the first of each kind is kept.
func TestCollectLimit(t *testing.T) {
	for _, probes := range []bool{false, true} {
		l := newTimeline(2, probes)
		for n := range 10 {
			l.add(check(1+n/9, at(1), "open"))
			if probes {
				l.add(event{source: fromResult})
			}
			l.add(exit(-1, at(1), Call{Name: "open"}))
		}
		rec := l.c.finish(5)
		if len(rec.Checks) != 3 || rec.Checks[0].Count != 8 || rec.Checks[1].Count != 1 || rec.Checks[2].Cap != 2 || rec.Lost != 5 {
			t.Errorf("%+v", rec)
		}
		if len(rec.Failures) != 2 || rec.Failures[0].Count != 9 || rec.Failures[1].Count != 1 {
			t.Errorf("%+v", rec.Failures)
		}
	}
}

// TestCollectKinds: even the kinds are limited.
func TestCollectKinds(t *testing.T) {
	l := newTimeline(2, false)
	for n := range 2*maxKinds + 2 {
		l.add(check(n, at(1), "open"))
	}
	if rec := l.c.finish(0); len(rec.Checks) != maxKinds+2 || rec.Lost != maxKinds {
		t.Errorf("%d checks, %d lost", len(rec.Checks), rec.Lost)
	}
}

func TestCollectMemory(t *testing.T) {
	l := newTimeline(100, false)
	for range 5 {
		e := check(21, at(1), "mmap")
		e.check.Memory = true
		l.add(e)
	}
	if rec := l.c.finish(0); len(rec.Checks) != 1 || rec.Checks[0].Count != 5 || rec.Lost != 0 {
		t.Errorf("%+v", rec)
	}
}

func TestCollectTasks(t *testing.T) {
	fork := func(pid, parent, tid uint32) event {
		return event{record: record{kind: recordFork, pid: pid, parentPID: parent, tid: tid, parentTID: parent}}
	}
	l := newTimeline(10, false)
	l.comm(1, "parent", true)
	l.add(event{source: fromExec, file: programFile{path: "/bin/parent", privileged: No}})
	l.add(fork(1, 1, 2))
	l.add(fork(3, 1, 3))
	l.comm(2, "thread", false)
	for tid := range uint32(3) {
		e := check(int(tid), at(1), "")
		e.tid = tid + 1
		l.add(e)
	}
	l.comm(3, "child", true)
	l.add(event{record: record{kind: recordExit, pid: 3, tid: 3}}) // without its execution: unobserved
	l.add(event{record: record{kind: recordExit, pid: 1, tid: 1}})
	rec := l.c.finish(0)
	if rec.Forks != 1 || rec.Threads != 1 || len(l.c.threads) != 1 {
		t.Errorf("%+v", rec)
	}
	for n, want := range []string{"parent", "thread", "parent"} {
		if rec.Checks[n].Command != want {
			t.Errorf("%+v, want %s", rec.Checks[n], want)
		}
	}
	want := []Exec{
		{PID: 1, Time: 2, Command: "parent", Path: "/bin/parent", Privileged: No},
		{PID: 3, Time: 9, Command: "child", Unobserved: true},
	}
	if !reflect.DeepEqual(rec.Execs, want) {
		t.Errorf("%+v\nwant %+v", rec.Execs, want)
	}
}

// TestCollectArm: there, the first argument is not known at the end of a call.
func TestCollectArm(t *testing.T) {
	i := &interpreter{arch: "arm64", registers: registersOf["arm64"]}
	l := &timeline{c: newCollector(i, 10)}
	regs := registers{valid: true, ip: 5, args: [6]uint64{33, 2, 3}}
	l.add(check(7, regs, "setuid"))
	regs.args[0] = 0
	l.add(exit(0, regs, Call{Name: "setuid"}))
	if rec := l.c.finish(0); len(rec.IDChanges) != 1 || rec.IDChanges[0].UID != 33 {
		t.Errorf("%+v", rec)
	}
}

// TestCollectThreads: the memory for threads whose end was lost is bounded.
func TestCollectThreads(t *testing.T) {
	l := newTimeline(10, false)
	for tid := range uint32(maxThreads + 10) {
		l.comm(tid+1, "x", false)
	}
	if n := len(l.c.threads); n > maxThreads {
		t.Errorf("%d threads", n)
	}
}
