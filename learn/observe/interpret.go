package observe

// Errors of linux/errno.h, for every architecture and system.
const (
	errnoPerm   = 1
	errnoAccess = 13
)

// An inspector answers questions about a process when an event of it arrives. The process
// may have ended by then.
type inspector interface {
	process

	// ids returns the effective IDs of a thread, or nil.
	ids(pid, tid int) *IDs

	// program returns what is known of the program at a path, as the process has it, or of
	// the program that it executes now if the path is "".
	program(pid int, path string) programFile
}

// A programFile describes an executed file.
type programFile struct {
	path        string
	interpreter string
	privileged  Tristate
}

// A source says what an event is about.
type source uint8

const (
	fromTask   source = iota // a process or thread: its start, its end, its name
	fromCheck                // a capability check, or its start if there are probes
	fromResult               // the end of a check, if there are probes
	fromExit                 // the end of a system call
	fromExec                 // the execution of a program
)

// An event is a record with what it means, and what was read of the process when it arrived.
type event struct {
	record
	source source
	check  Check // fromCheck; Denied too if from a result
	call   Call  // fromCheck, fromExit
	result int64 // fromExit
	ids    *IDs  // fromExit, of a call that sets IDs
	groups []uint32
	known  bool        // groups
	file   programFile // fromExec, and a new name because of it
}

// An interpreter gives records their meaning. It does not change after its start.
type interpreter struct {
	arch      string
	registers *registerLayout
	symbols   symbols
	namespace uint64 // address of the recorder's user namespace, or 0

	// The tracepoints. result is the zero format if check has the result of the check.
	check, result, exit, exec format
}

// interpret returns the event of a record, or false if it has none.
func (t *interpreter) interpret(rec record, p inspector) (event, bool) {
	e := event{record: rec}
	pid, tid := int(rec.pid), int(rec.tid)
	switch rec.kind {
	case recordComm:
		if rec.exec {
			e.file = p.program(pid, "")
		}
		return e, true
	case recordFork, recordExit:
		return e, true
	case recordSample:
	default:
		return e, false
	}
	// The registers and addresses are in e; the raw data is not needed any more.
	raw := rec.raw
	e.raw, e.stack = nil, nil
	switch typeOf(raw) {
	case t.check.id:
		e.source = fromCheck
		t.interpretCheck(&e, raw, rec.stack, p)
	case t.exit.id:
		e.source = fromExit
		e.result = t.exit.number(raw, "ret")
		if rec.regs.valid { // or else a 32-bit program, whose calls have other numbers
			t.interpretExit(&e, t.exit.number(raw, "id"), p)
		} else if e.result == 0 {
			return e, false
		}
	case t.exec.id:
		e.source = fromExec
		e.file = p.program(pid, t.exec.text(raw, "filename"))
	default:
		if t.result.id == 0 || typeOf(raw) != t.result.id {
			return e, false
		}
		e.source = fromResult
		e.result = t.result.number(raw, "ret")
	}
	e.check.PID, e.check.TID, e.check.Time = pid, tid, rec.time
	return e, true
}

func (t *interpreter) interpretCheck(e *event, raw []byte, stack []uint64, p inspector) {
	const noAudit = 1 << 1 // CAP_OPT_NOAUDIT of linux/security.h
	c := &e.check
	c.Functions = t.symbols.functions(stack)
	c.Cap = int(t.check.number(raw, "cap"))
	c.Denied = t.check.number(raw, "ret") != 0
	c.NoAudit = t.check.number(raw, "opts")&noAudit != 0 || asksWithoutAudit(c.Functions)
	c.Memory = accountsForMemory(c.Functions)
	c.Foreign = t.namespace != 0 && uint64(t.check.number(raw, "target_ns")) != t.namespace
	c.Count = 1
	e.call.Name = callOf(c.Functions)
	if !e.regs.valid || c.Memory {
		return
	}
	reader := callReader{process: p, pid: int(e.pid), args: e.regs.args, known: [6]bool{true, true, true, true, true, true}}
	if e.call.Name == "" {
		var code [codeSize]byte
		if p.read(reader.pid, e.regs.ip-codeSize, code[:]) {
			if number, found := numberInCode(t.arch, code[:]); found {
				e.call.Name = callName(t.arch, number)
			}
		}
	}
	e.call.Args = reader.text(e.call.Name)
}

func (t *interpreter) interpretExit(e *event, number int64, p inspector) {
	e.call.Name = callName(t.arch, number)
	reader := callReader{process: p, pid: int(e.pid), args: e.regs.args, known: [6]bool{!t.registers.argLostAtExit, true, true, true, true, true}}
	e.call.Args = reader.text(e.call.Name)
	if e.result == 0 {
		e.ids = p.ids(int(e.pid), int(e.tid))
		if e.call.Name == "setgroups" {
			e.groups, e.known = reader.groups(e.regs.args[0], e.regs.args[1], reader.known[0])
		}
	}
}
