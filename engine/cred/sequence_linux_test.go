//go:build linux && (amd64 || arm64)

package cred_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"

	"caprun/engine/cred"
)

// A sequence is what a thread does: operations, and possibly the start of a child that
// executes a file.
type sequence struct {
	operations []operation
	ending     *ending
}

func (s sequence) String() string {
	var b strings.Builder
	for _, o := range s.operations {
		fmt.Fprintf(&b, "\t%s\n", o.text)
	}
	if s.ending != nil {
		fmt.Fprintf(&b, "\t%s\n", s.ending)
	}
	return b.String()
}

// An ending is how a child is created and what it executes. At most one of the three flags
// and calls is set: the kernel refuses some combinations, and the others add no rule.
type ending struct {
	newUserNS bool        // the child enters a user namespace without maps
	sharedFS  bool        // the child shares root and working directory with the thread
	traced    bool        // the thread traces the child, with the child's privileges
	calls     []childCall // what the child does itself before exec
	path      string
	file      cred.File
}

// entersUserNS reports whether the child executes the file in a user namespace without maps.
func (e ending) entersUserNS() bool { return e.newUserNS || len(e.calls) > 0 }

func (e ending) String() string {
	s := fmt.Sprintf("Exec(%s %+v)", e.path, e.file)
	for _, flag := range []struct {
		on   bool
		text string
	}{
		{e.newUserNS, "in a new user namespace"},
		{e.sharedFS, "with shared root and working directory"},
		{e.traced, "traced"},
	} {
		if flag.on {
			s += " " + flag.text
		}
	}
	for n, call := range e.calls {
		if n == 0 {
			s += " after "
		} else {
			s += ", "
		}
		s += call.text
	}
	return s
}

// model returns the state in which the child executes its first instruction.
func (e ending) model(c cred.Cred, r cred.Rules) (cred.Cred, cred.ExecResult, cred.Errno) {
	f := e.file
	if e.newUserNS {
		var errno cred.Errno
		if c, errno = c.NewUserNamespace(cred.UserNS{}); errno != 0 {
			return c, cred.ExecResult{}, errno
		}
	}
	for _, call := range e.calls {
		var errno cred.Errno
		if c, errno = call.model(c, r); errno != 0 {
			return c, cred.ExecResult{}, errno
		}
	}
	if e.entersUserNS() {
		f.UID, f.GID = cred.NoID, cred.NoID
	}
	c.SharedFS = e.sharedFS
	if e.traced {
		c = askForTracer(c)
	}
	return c.Exec(f, r)
}

// blursIDs reports whether c, or the child before exec, has different IDs that the new user
// namespace does not map. The kernel distinguishes them; processes inside cannot.
func (e ending) blursIDs(c cred.Cred, r cred.Rules) bool {
	if !e.entersUserNS() {
		return false
	}
	differ := func() bool { return c.UID != c.EUID || c.GID != c.EGID || c.EGID != c.FSGID }
	blurred := differ()
	for _, call := range e.calls {
		c, _ = call.model(c, r)
		blurred = blurred || differ()
	}
	return blurred
}

// A generator makes the sequences of a run. It follows the model, so that most operations
// are close to the limit between success and refusal.
type generator struct {
	*rand.Rand
	run   run
	rules cred.Rules

	now  cred.Cred
	made sequence
}

// generate returns the sequence with a number in the run.
func generate(r run, rules cred.Rules, index int) sequence {
	if r.Directed != "" {
		return directed[r.Directed](r)
	}
	g := generator{
		Rand:  rand.New(rand.NewPCG(r.Seed, uint64(index))),
		run:   r,
		rules: rules,
		now:   r.Start,
	}
	g.start()
	next := g.operation
	if g.IntN(4) == 0 {
		next = g.idOperation
	}
	for range g.IntN(12) {
		g.add(next())
	}
	if g.IntN(3) == 0 && (r.Static || !g.now.Chrooted) {
		g.made.ending = g.ending()
	}
	return g.made
}

func (g *generator) add(o operation) {
	g.made.operations = append(g.made.operations, o)
	g.now, _ = o.model(g.now, g.rules)
}

// start changes the thread to one of the initial states of sequences.
func (g *generator) start() {
	switch g.IntN(7) {
	case 0: // as it is: root, or every capability
	case 1: // root of a container
		g.dropToRandomBounding()
		g.add(capset(g.now.Bounding, g.now.Bounding, g.caps()))
	case 2: // a user, by the plain calls
		g.becomeUser()
	case 3: // a user who keeps capabilities
		g.add(keepCaps(true))
		g.becomeUser()
		p := g.caps()
		if g.IntN(4) == 0 { // and only whose file system uid is 0
			p = g.now.Permitted
			g.add(capset(p, p, g.caps()))
			g.add(setfsuid(0))
		}
		g.add(capset(p, p, p.Union(g.caps())))
	case 4: // a user with ambient capabilities, with or without a way back
		g.add(keepCaps(true))
		g.becomeUser()
		p := g.caps()
		g.add(capset(p.With(cred.SETPCAP), p.With(cred.SETPCAP), p))
		for n := range 41 {
			if p.Has(n) && g.IntN(4) > 0 {
				g.add(raiseAmbient(n))
			}
		}
		if g.IntN(2) == 0 {
			g.dropToRandomBounding()
			g.add(setSecurebits(g.now.Securebits | cred.Securebits(g.Uint32())&0xfff))
		}
	case 5: // uid 0 under a locked noroot
		g.add(setSecurebits(cred.SecNoRoot | cred.SecNoRootLocked | cred.Securebits(g.Uint32())&0xff))
		g.dropToRandomBounding()
		g.add(capset(g.now.Effective, g.now.Permitted, g.caps()))
	case 6: // IDs that all differ
		g.add(setgroups(g.gid(), g.gid()))
		g.add(setresgid(g.gid(), g.gid(), g.gid()))
		if g.IntN(2) == 0 {
			g.add(setSecurebits(cred.SecNoSetuidFixup))
		}
		g.add(setresuid(g.uid(), g.uid(), g.uid()))
		if p := g.now.Permitted; g.IntN(2) == 0 {
			p = p.Intersect(g.caps())
			g.add(capset(p, p, g.now.Inheritable))
		}
	}
	if g.IntN(6) == 0 {
		g.add(setNoNewPrivs())
	}
}

func (g *generator) becomeUser() {
	g.add(setgroups(g.gid(), g.gid()))
	g.add(setresgid(1000, 1000, 1000))
	g.add(setresuid(1000, 1000, 1000))
}

func (g *generator) dropToRandomBounding() {
	one, other := g.Uint64(), g.Uint64()
	keep := cred.Caps(one | other)
	for n := range 41 {
		if !keep.Has(n) {
			g.add(dropBounding(n))
		}
	}
}

func (g *generator) operation() operation {
	switch g.IntN(24) {
	case 0, 1, 2, 3:
		return g.capset()
	case 4, 5:
		return dropBounding(g.capability())
	case 6, 7, 8:
		return raiseAmbient(g.capability())
	case 9:
		return lowerAmbient(g.capability())
	case 10:
		return setSecurebits(g.now.Securebits ^ 1<<g.IntN(13))
	case 11:
		one, other := g.Uint32(), g.Uint32()
		return setSecurebits(g.now.Securebits ^ cred.Securebits(one&other)&0xfff)
	case 12:
		return keepCaps(g.IntN(2) == 0)
	case 13:
		switch g.IntN(6) {
		case 0:
			return clearAmbient()
		case 1:
			return setNoNewPrivs()
		case 2:
			return chroot()
		case 3:
			return setgroups(make([]uint32, cred.MaxGroups+g.IntN(2))...)
		}
		return setSecurebits(cred.Securebits(g.Uint32()) & 0xfff)
	}
	return g.idOperation()
}

func (g *generator) idOperation() operation {
	switch g.IntN(12) {
	case 0:
		return setuid(g.uid())
	case 1:
		return setreuid(g.uid(), g.uid())
	case 2, 3:
		return setresuid(g.uid(), g.uid(), g.uid())
	case 4, 5:
		return setfsuid(g.uid())
	case 6:
		return setgid(g.gid())
	case 7:
		return setregid(g.gid(), g.gid())
	case 8:
		return setresgid(g.gid(), g.gid(), g.gid())
	case 9:
		return setfsgid(g.gid())
	case 10:
		return setgroups([]uint32{g.gid(), g.gid(), g.gid()}[:g.IntN(4)]...)
	}
	// Without these, IDs can only change places.
	e := g.now.Effective.Without(cred.SETUID).Without(cred.SETGID)
	return capset(e, g.now.Permitted, g.now.Inheritable)
}

func (g *generator) capset() operation {
	c := g.now
	p := c.Permitted
	switch g.IntN(4) {
	case 0:
		p = p.Intersect(g.caps())
	case 1:
		p = p.Without(g.capability())
	case 2:
		if g.IntN(2) == 0 {
			p = p.With(g.capability())
		}
	}
	e := p
	switch g.IntN(4) {
	case 0:
		e = e.Intersect(g.caps())
	case 1:
		e = e.Without([...]int{cred.SETPCAP, cred.SETUID, cred.SETGID, cred.SYS_CHROOT}[g.IntN(4)])
	case 2:
		if g.IntN(3) == 0 {
			e = e.With(g.capability())
		}
	}
	i := c.Inheritable
	switch g.IntN(5) {
	case 0:
		i = g.caps()
	case 1:
		i = c.Permitted.Intersect(g.caps())
	case 2:
		i = i.With(g.capability())
	case 3:
		i = i.Intersect(g.caps())
	}
	return capset(e, p, i)
}

// caps returns a set that is related to the present ones.
func (g *generator) caps() cred.Caps {
	c := g.now
	switch g.IntN(8) {
	case 0:
		return 0
	case 1:
		return cred.CapsOf(g.capability(), g.capability())
	case 2:
		return c.Bounding
	case 3:
		return c.Permitted
	case 4:
		return c.Permitted.Intersect(cred.Caps(g.Uint64()))
	case 5:
		return c.Inheritable.Union(c.Ambient)
	case 6:
		return cred.Caps(g.Uint64()) // with bits of no capability
	}
	return c.Bounding.Intersect(cred.Caps(g.Uint64()))
}

// capability returns a capability number: often one that a rule names, sometimes one that no
// kernel has.
func (g *generator) capability() int {
	numbers := [...]int{
		cred.CHOWN, cred.SETGID, cred.SETUID, cred.SETPCAP, cred.SYS_CHROOT,
		cred.MAC_OVERRIDE, netRaw, sysPtrace, sysResource, 40, 41, 63,
	}
	if g.IntN(3) > 0 {
		return numbers[g.IntN(len(numbers))]
	}
	return g.IntN(41)
}

// uid returns a present ID, one from the pool, or NoID.
func (g *generator) uid() uint32 {
	return g.id(g.now.UID, g.now.EUID, g.now.SUID, g.now.FSUID)
}

func (g *generator) gid() uint32 {
	return g.id(g.now.GID, g.now.EGID, g.now.SGID, g.now.FSGID)
}

func (g *generator) id(present ...uint32) uint32 {
	switch g.IntN(6) {
	case 0:
		return cred.NoID
	case 1, 2:
		return present[g.IntN(len(present))]
	}
	return g.run.IDs[g.IntN(len(g.run.IDs))]
}

func (g *generator) ending() *ending {
	e := &ending{path: "helper", file: g.file()}
	if fixed := g.run.Fixed; g.IntN(18) < len(fixed) {
		f := fixed[g.IntN(len(fixed))]
		e.path, e.file = f.Path, f.File
	}
	e.file.NoSuid = g.run.NoSuid
	if g.now.Chrooted && g.IntN(2) == 0 {
		e.newUserNS = true // which the kernel refuses
		return e
	}
	switch g.IntN(9) {
	case 0:
		e.newUserNS = true
	case 1:
		e.sharedFS = true
	case 2:
		e.traced = true
	case 3:
		e.calls = g.tracedIntoUserNS()
		for e.path == "helper" && g.run.FileCaps && !e.file.HasCaps {
			e.file = g.file()
			e.file.NoSuid = g.run.NoSuid
		}
	}
	return e
}

// tracedIntoUserNS returns the calls of a child that is traced and then enters a user
// namespace. It drops capabilities there, so that the file can grant some.
func (g *generator) tracedIntoUserNS() []childCall {
	if g.IntN(4) > 0 { // a tracer that lacks the capability
		g.add(capset(g.now.Effective.Without(sysPtrace), g.now.Permitted, g.now.Inheritable))
	}
	calls := []childCall{childTraceMe()}
	if g.IntN(3) > 0 { // another user creates the namespace
		calls = append(calls, childSeteuid(g.uid()))
	}
	calls = append(calls, childUnshareUser())
	if g.IntN(8) > 0 {
		p := cred.Caps(g.Uint64()).Intersect(g.now.All)
		if g.IntN(3) == 0 {
			p = 0
		}
		calls = append(calls, childCapset(p, p, p.Intersect(g.caps())))
	}
	return calls
}

// file returns facts that the worker can give to its helper.
func (g *generator) file() cred.File {
	f := cred.File{
		Setuid:    g.IntN(3) == 0,
		Setgid:    g.IntN(3) == 0,
		GroupExec: g.IntN(3) > 0,
		UID:       g.run.Owners[g.IntN(len(g.run.Owners))],
		GID:       g.run.Owners[g.IntN(len(g.run.Owners))],
	}
	if !f.GroupExec {
		// A process in the group could not execute the file.
		f.GID = g.run.Outsider
	}
	if f.GID == cred.NoID {
		f.GID, f.GroupExec = f.UID, true
	}
	if g.run.FileCaps && g.IntN(2) == 0 {
		f.HasCaps = true
		f.Effective = g.IntN(2) == 0
		f.Permitted = g.caps()
		if g.IntN(2) == 0 {
			f.Permitted = f.Permitted.Intersect(g.now.Bounding.Union(g.now.Inheritable))
		}
		f.Inheritable = g.caps()
		if g.IntN(3) == 0 {
			f.Inheritable = f.Inheritable.Union(f.Permitted)
		}
	}
	return f
}

// shrink returns a shorter sequence that still fails. It tries a bounded number of sequences.
func shrink(s sequence, fails func(sequence) bool) sequence {
	tries := 400
	try := func(t sequence) bool {
		if tries == 0 {
			return false
		}
		tries--
		if fails(t) {
			s = t
			return true
		}
		return false
	}
	if s.ending != nil {
		try(sequence{operations: s.operations})
	}
	for again := true; again; {
		again = false
		for i := len(s.operations) - 1; i >= 0; i-- {
			rest := append(append([]operation{}, s.operations[:i]...), s.operations[i+1:]...)
			again = try(sequence{rest, s.ending}) || again
		}
		if s.ending == nil {
			continue
		}
		for _, simpler := range []func(*ending){
			func(e *ending) { e.newUserNS = false },
			func(e *ending) { e.sharedFS = false },
			func(e *ending) { e.traced = false },
			func(e *ending) { e.calls = nil },
			func(e *ending) { e.file.Setuid = false },
			func(e *ending) { e.file.Setgid = false },
			func(e *ending) {
				e.file.HasCaps, e.file.Permitted, e.file.Inheritable, e.file.Effective = false, 0, 0, false
			},
			func(e *ending) { e.file.Permitted = 0 },
			func(e *ending) { e.file.Inheritable = 0 },
			func(e *ending) { e.file.Effective = false },
		} {
			e := *s.ending
			simpler(&e)
			if s.ending.path == "helper" && !reflect.DeepEqual(e, *s.ending) {
				again = try(sequence{s.operations, &e}) || again
			}
		}
	}
	return s
}
