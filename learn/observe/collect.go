package observe

import (
	"cmp"
	"slices"
)

// A collector makes a Recording of events in the order of time.
type collector struct {
	recording Recording
	limit     int // of each list
	registers *registerLayout
	probes    bool // each check has a result of its own

	threads  map[uint32]*thread
	checks   map[checkKey]int // index of the first check with this key
	failures map[failureKey]int
}

// A thread is what the collector knows of a thread that has not ended.
type thread struct {
	name string

	// open are the checks since the last end of a system call that was recorded: the
	// thread may still be in their system call. Their results may be missing.
	open []openCheck

	executing *Exec // its program has begun, and the event of its success is missing
}

type openCheck struct {
	index   int // in Recording.Checks, or -1
	check   Check
	regs    registers
	pending bool // the result is missing
}

const (
	// maxThreads is the number of threads that the collector remembers, in case that
	// the events of their ends were lost.
	maxThreads = 100_000

	// maxKinds is the number of checks and of failures that exceed the limit and are kept,
	// as they are the first of their kind.
	maxKinds = 4096

	// maxOpen is the number of checks of one system call that learn its result.
	maxOpen = 32
)

type checkKey struct {
	cap                              int
	denied, noAudit, memory, foreign bool
	call                             string
}

type failureKey struct {
	call  string
	errno int
}

func newCollector(t *interpreter, limit int) *collector {
	return &collector{
		recording: Recording{Symbols: t.symbols.known()},
		limit:     limit, registers: t.registers, probes: t.result.id != 0,
		threads: map[uint32]*thread{}, checks: map[checkKey]int{}, failures: map[failureKey]int{},
	}
}

// thread returns the state of a thread.
func (c *collector) thread(tid uint32) *thread {
	if t, found := c.threads[tid]; found {
		return t
	}
	if len(c.threads) >= maxThreads {
		clear(c.threads)
	}
	t := &thread{}
	c.threads[tid] = t
	return t
}

// add takes the next event.
func (c *collector) add(e event) {
	switch e.source {
	case fromTask:
		c.addTask(e)
	case fromCheck:
		c.addCheck(e)
	case fromResult:
		c.addResult(e)
	case fromExit:
		c.addExit(e)
	case fromExec:
		t := c.thread(e.tid)
		t.executing = nil
		c.addExec(Exec{
			PID: int(e.pid), Time: e.time, Command: t.name,
			Path: e.file.path, Interpreter: e.file.interpreter, Privileged: e.file.privileged,
		})
	}
}

func (c *collector) addTask(e event) {
	switch e.kind {
	case recordFork:
		if e.pid == e.parentPID {
			c.recording.Threads++
		} else {
			c.recording.Forks++
		}
		name := ""
		if parent, found := c.threads[e.parentTID]; found {
			name = parent.name
		}
		delete(c.threads, e.tid) // the end of an earlier thread with this ID was lost
		c.thread(e.tid).name = name
	case recordComm:
		t := c.thread(e.tid)
		t.name = e.name
		if e.exec {
			t.open = nil
			t.executing = &Exec{
				PID: int(e.pid), Time: e.time, Command: e.name,
				Path: e.file.path, Interpreter: e.file.interpreter, Privileged: e.file.privileged, Unobserved: true,
			}
		}
	case recordExit:
		// The kernel reports the end of the observation as the end of the thread.
		if t, found := c.threads[e.tid]; found {
			if t.executing != nil {
				c.addExec(*t.executing)
			}
			c.close(t)
			delete(c.threads, e.tid)
		}
	}
}

func (c *collector) addExec(x Exec) {
	if len(c.recording.Execs) >= c.limit {
		c.recording.Lost++
		return
	}
	c.recording.Execs = append(c.recording.Execs, x)
}

func (c *collector) addCheck(e event) {
	t := c.thread(e.tid)
	if n := len(t.open); n > 0 && (n >= maxOpen || t.open[n-1].pending || !c.registers.sameCall(t.open[n-1].regs, e.regs)) {
		c.close(t)
	}
	open := openCheck{index: -1, check: e.check, regs: e.regs, pending: c.probes}
	open.check.Command, open.check.Call = t.name, e.call
	if !c.probes {
		open.index = c.store(open.check)
	}
	t.open = append(t.open, open)
}

// addResult completes the last check of the thread.
func (c *collector) addResult(e event) {
	t := c.thread(e.tid)
	n := len(t.open) - 1
	if n < 0 || !t.open[n].pending {
		c.recording.Lost++ // its check was lost
		return
	}
	open := &t.open[n]
	open.pending, open.check.Denied = false, e.result != 0
	open.index = c.store(open.check)
}

// close forgets the checks of a thread. A result that is missing now was lost.
func (c *collector) close(t *thread) {
	for _, open := range t.open {
		if open.pending {
			c.store(open.check)
			c.recording.Lost++
		}
	}
	t.open = t.open[:0]
}

// store adds a check to the list, and returns its index; or it counts the check in an
// earlier one, and returns -1.
func (c *collector) store(check Check) int {
	key := checkKey{check.Cap, check.Denied, check.NoAudit, check.Memory, check.Foreign, check.Call.Name}
	first, found := c.checks[key]
	stored := len(c.recording.Checks)
	switch {
	case found && (check.Memory || stored >= c.limit):
		c.recording.Checks[first].Count++
		return -1
	case stored >= c.limit+maxKinds:
		c.recording.Lost++
		return -1
	}
	if !found {
		c.checks[key] = stored
	}
	c.recording.Checks = append(c.recording.Checks, check)
	return stored
}

// addExit takes the end of a system call that failed, or that set IDs.
func (c *collector) addExit(e event) {
	t := c.thread(e.tid)
	call := e.call
	for n := range t.open {
		open := &t.open[n]
		if !c.registers.sameCall(open.regs, e.regs) {
			continue
		}
		if c.registers.argLostAtExit {
			e.regs.args[0] = open.regs.args[0]
		}
		if call.Args == "" {
			call.Args = open.check.Call.Args
		}
		if open.index < 0 {
			continue
		}
		check := &c.recording.Checks[open.index]
		check.Errno = int(-e.result)
		if check.Call.Name == "" {
			check.Call.Name = call.Name
		}
		if check.Call.Args == "" && check.Call.Name == call.Name {
			check.Call.Args = call.Args
		}
	}
	c.close(t)
	if e.result == 0 {
		c.addIDChange(e, t, call)
		return
	}
	c.addFailure(Failure{
		PID: int(e.pid), TID: int(e.tid), Time: e.time, Command: t.name, Call: call, Errno: int(-e.result), Count: 1,
	})
}

func (c *collector) addFailure(f Failure) {
	key := failureKey{f.Call.Name, f.Errno}
	first, found := c.failures[key]
	stored := len(c.recording.Failures)
	switch {
	case found && stored >= c.limit:
		c.recording.Failures[first].Count++
		return
	case stored >= c.limit+maxKinds:
		c.recording.Lost++
		return
	}
	if !found {
		c.failures[key] = stored
	}
	c.recording.Failures = append(c.recording.Failures, f)
}

// finish returns the recording. lost is the number of events that the kernel dropped.
func (c *collector) finish(lost uint64) *Recording {
	for _, t := range c.threads {
		c.close(t)
	}
	c.recording.Lost += lost
	// A check with a result of its own was stored when that came, and an execution that
	// ended the observation at its end.
	slices.SortStableFunc(c.recording.Checks, func(a, b Check) int { return cmp.Compare(a.Time, b.Time) })
	slices.SortStableFunc(c.recording.Execs, func(a, b Exec) int { return cmp.Compare(a.Time, b.Time) })
	return &c.recording
}
