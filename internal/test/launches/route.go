package launches

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
)

// FindRoute searches for calls after which a caller in the state from executes file
// and the target has what q declares. It tries every choice of the sets, the final
// permitted set and the way to change the user, in all orders of calls that can make
// a difference. It returns the calls, or nil if there are none.
func FindRoute(q Promise, from cred.Cred, file cred.File, r cred.Rules) []string {
	s := &search{q: q, from: from, file: file, rules: r}
	s.classify()
	// The launch's order comes first. Each of the others helps callers that the
	// launch's order does not.
	for _, order := range []string{"GCUIABS", "GCIBUAS", "GCIBSUA", "GCIABSU", "GCISUAB", "GCSUIAB", "UGCIABS"} {
		for _, change := range []string{"plain", "keep_caps", "no_setuid_fixup"} {
			for _, raise := range []bool{false, true} {
				if trace := s.along(way{order, change, raise}); trace != nil {
					return trace
				}
			}
		}
	}
	return nil
}

// way is an order of calls: G groups and gids, C root directory, U uids, I
// inheritable, A ambient, B bounding, S securebits.
type way struct {
	order  string
	change string // how the uids change
	raise  bool   // no_cap_ambient_raise is off until the securebits are set
}

// tuple says which sets have a capability just before exec.
type tuple struct{ i, p, a, b bool }

type search struct {
	q     Promise
	from  cred.Cred
	file  cred.File
	rules cred.Rules

	// classes are groups of capabilities that every set treats alike.
	classes []cred.Caps
}

// classify groups the capabilities that each set has all or none of.
func (s *search) classify() {
	sets := []cred.Caps{s.from.Inheritable, s.from.Permitted, s.from.Ambient, s.from.Bounding, s.file.Permitted, s.file.Inheritable,
		cred.CapsOf(cred.SETPCAP), cred.CapsOf(cred.SETUID), cred.CapsOf(cred.SETGID), cred.CapsOf(cred.SYS_CHROOT)}
	if c := s.q.Caps; c != nil {
		sets = append(sets, c.E, c.P, c.I)
	}
	if v := s.q.IAB; v != nil {
		sets = append(sets, v.I, v.A, v.Blocked)
	}
	byKey := map[string]int{}
	for n := range 64 {
		if !s.from.All.Has(n) {
			continue
		}
		key := ""
		for _, set := range sets {
			key += fmt.Sprint(set.Has(n))
		}
		at, ok := byKey[key]
		if !ok {
			at, byKey[key] = len(s.classes), len(s.classes)
			s.classes = append(s.classes, 0)
		}
		s.classes[at] = s.classes[at].With(n)
	}
}

// sets is a choice of the sets before exec. A nil one is left unchanged.
type sets struct{ i, p, a, b *cred.Caps }

// along searches for a choice of sets that leads to the declaration in one order.
func (s *search) along(w way) []string {
	probe, _, ok := s.walk(w, sets{})
	if !ok {
		return nil
	}
	choices := make([][]tuple, len(s.classes))
	for n, class := range s.classes {
		for bits := range 16 {
			t := tuple{bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0}
			if s.allowed(class, t) && s.reachable(w, class, t) {
				choices[n] = append(choices[n], t)
			}
		}
		if choices[n] == nil {
			return nil
		}
	}
	for _, withheld := range []bool{false, true} {
		if chosen := s.choose(probe, choices, withheld); chosen != nil {
			before, trace, ok := s.walk(w, *chosen)
			after, _, errno := before.Exec(s.file, s.rules)
			if ok && errno == 0 && len(s.q.Broken(s.from, after)) == 0 {
				return append(trace, "exec")
			}
		}
	}
	return nil
}

// allowed reports whether a profile allows a tuple.
func (s *search) allowed(class cred.Caps, t tuple) bool {
	if t.a && (!t.i || !t.p) {
		return false
	}
	has := func(set cred.Caps) bool { return class.Intersect(set) != 0 }
	q := s.q
	// With a mode alone, the sets that it empties are fixed.
	noPriv, noInheritable, noAmbient := q.Mode == "NOPRIV", q.Mode == "NOPRIV" || q.Mode == "PURE1E_INIT", q.Mode != "" && q.Mode != "HYBRID"
	if noPriv && (t.p || t.b) || noInheritable && t.i || noAmbient && t.a {
		return false
	}
	inheritable, ambient, bounding := s.from.Inheritable, s.from.Ambient, s.from.Bounding
	switch {
	case q.IAB != nil:
		inheritable, ambient, bounding = q.IAB.I, q.IAB.A, bounding.Minus(q.IAB.Blocked)
	case q.Caps != nil:
		return true
	case q.newUser(s.from):
		inheritable, ambient = 0, 0
	}
	return (t.i == has(inheritable) || noInheritable) && (t.a == has(ambient) || noAmbient) && (t.b == has(bounding) || noPriv)
}

// reachable reports whether a way leads to a tuple for the capabilities of a class.
// Classes are independent: each call handles each capability separately.
func (s *search) reachable(w way, class cred.Caps, t tuple) bool {
	i, p, a, b := part(t.i, class, s.from.Inheritable), part(t.p, class, s.from.Permitted), part(t.a, class, 0), part(t.b, class, s.from.Bounding)
	c, _, ok := s.walk(w, sets{&i, &p, &a, &b})
	return ok && has(t.i, c.Inheritable, class) && has(t.p, c.Permitted, class) && has(t.a, c.Ambient, class) && has(t.b, c.Bounding, class)
}

func part(on bool, class, set cred.Caps) cred.Caps {
	if on {
		return set.Union(class)
	}
	return set.Minus(class)
}

func has(on bool, set, class cred.Caps) bool {
	if on {
		return class.SubsetOf(set)
	}
	return set.Intersect(class) == 0
}

// choose picks a tuple for each class such that exec gives what is declared, either
// with nothing withheld, or as an unsafe exec that withholds capabilities.
func (s *search) choose(probe cred.Cred, choices [][]tuple, withheld bool) *sets {
	bare, empty := probe, s.file
	bare.Inheritable, bare.Permitted, bare.Effective, bare.Ambient, bare.Bounding = 0, 0, 0, 0, 0
	empty.Permitted, empty.Inheritable = 0, 0
	after, result, _ := bare.Exec(empty, s.rules)
	unsafe := probe.NoNewPrivs
	if withheld && !unsafe || !withheld && unsafe && result.IDChanged {
		return nil
	}
	euid := after.EUID
	flag := result.FileCaps && s.file.Effective || result.RootGained && euid == 0
	chosen := sets{new(cred.Caps), new(cred.Caps), new(cred.Caps), new(cred.Caps)}
	anyGained := result.IDChanged
	for n, class := range s.classes {
		var best *tuple
		bestGains := false
		for k, t := range choices[n] {
			gains, fits := s.fits(class, t, result, flag, unsafe, withheld)
			if fits && (best == nil || gains && !bestGains) {
				best, bestGains = &choices[n][k], gains
			}
		}
		if best == nil {
			return nil
		}
		anyGained = anyGained || bestGains
		*chosen.i, *chosen.p, *chosen.a, *chosen.b = part(best.i, class, *chosen.i), part(best.p, class, *chosen.p), part(best.a, class, *chosen.a), part(best.b, class, *chosen.b)
	}
	if withheld && !anyGained {
		return nil
	}
	return &chosen
}

// fits is exec for the capabilities of a class. It reports whether they come out as
// declared, and whether they make the exec one that gains privilege.
func (s *search) fits(class cred.Caps, t tuple, result cred.ExecResult, flag, unsafe, withheld bool) (gains, fits bool) {
	on := func(set cred.Caps) bool { return class.Intersect(set) != 0 }
	p := false
	if result.FileCaps {
		p = t.b && on(s.file.Permitted) || t.i && on(s.file.Inheritable)
		if s.file.Effective && on(s.file.Permitted) && !p {
			return false, false
		}
	}
	if result.RootGained {
		p = t.b || t.i
	}
	gains = p && !t.p
	if unsafe && gains && !withheld {
		return gains, false
	}
	p = p && (t.p || !withheld)
	a := t.a && !result.FileCaps && !result.IDChanged
	p = p || a
	e := a || flag && p
	if v := s.q.IAB; v != nil && s.q.Caps == nil && a != t.a {
		return gains, false
	}
	if c := s.q.Caps; c != nil {
		if e != on(c.E) || p != on(c.P) || t.i != on(c.I) {
			return gains, false
		}
		if s.q.IAB == nil && t.b && !p && !t.i {
			return gains, false
		}
	}
	return gains, true
}

// walk makes the calls of a way on the model.
func (s *search) walk(w way, want sets) (cred.Cred, []string, bool) {
	c, q := s.from, s.q
	var trace []string
	ok := true
	do := func(name string, next cred.Cred, errno cred.Errno) {
		if ok && errno == 0 && !c.Equal(next) {
			trace = append(trace, name)
		}
		if ok = ok && errno == 0; ok {
			c = next
		}
	}
	raise := func() {
		next, errno := c.Capset(c.Permitted, c.Permitted, c.Inheritable)
		do("capset e=p", next, errno)
	}
	securebits := func(bits cred.Securebits) {
		if c.Securebits != bits {
			next, errno := c.SetSecurebits(bits, s.rules)
			do("securebits "+engine.SecbitsText(bits), next, errno)
		}
	}
	raise()
	if w.raise {
		if !c.Securebits.Has(cred.SecNoCapAmbientRaise) {
			return c, nil, false
		}
		securebits(c.Securebits &^ cred.SecNoCapAmbientRaise)
	}
	for _, call := range w.order {
		switch call {
		case 'G':
			if !q.Identity {
				continue
			}
			if !slices.Equal(c.Groups, q.Groups) && !q.mayKeepNoGroups(s.from) {
				next, errno := c.Setgroups(q.Groups)
				do("setgroups", next, errno)
			}
			next, errno := c.Setresgid(q.GID, q.GID, q.GID)
			do("setresgid", next, errno)
		case 'C':
			if q.Chroot {
				next, errno := c.Chroot()
				do("chroot", next, errno)
			}
		case 'U':
			if !q.Identity {
				if w.change != "plain" {
					return c, nil, false
				}
				continue
			}
			old := c.Securebits
			switch w.change {
			case "keep_caps":
				next, errno := c.SetKeepCaps(true)
				do("keep_caps", next, errno)
			case "no_setuid_fixup":
				securebits(old | cred.SecNoSetuidFixup)
			}
			next, errno := c.Setresuid(q.UID, q.UID, q.UID)
			do("setresuid", next, errno)
			raise()
			switch w.change {
			case "keep_caps":
				next, errno := c.SetKeepCaps(old.Has(cred.SecKeepCaps))
				do("keep_caps off", next, errno)
			case "no_setuid_fixup":
				securebits(old)
			}
		case 'I':
			if want.i != nil {
				next, errno := c.Capset(c.Permitted, c.Permitted, *want.i)
				do("inheritable "+(*want.i).String(), next, errno)
			}
		case 'A':
			next, errno := c, cred.Errno(0)
			for n := range 64 {
				switch {
				case want.a == nil || errno != 0:
				case want.a.Has(n) && !c.Ambient.Has(n):
					next, errno = next.RaiseAmbient(n)
				case !want.a.Has(n) && c.Ambient.Has(n):
					next, errno = next.LowerAmbient(n)
				}
			}
			do("ambient "+next.Ambient.String(), next, errno)
		case 'B':
			next, errno := c, cred.Errno(0)
			for n := range 64 {
				if want.b != nil && errno == 0 && c.Bounding.Has(n) && !want.b.Has(n) {
					next, errno = next.DropBounding(n)
				}
			}
			do("bounding "+next.Bounding.String(), next, errno)
		case 'S':
			securebits(q.bits(s.from))
		}
	}
	if want.p != nil {
		p := c.Permitted.Intersect(*want.p)
		next, errno := c.Capset(p, p, c.Inheritable)
		do("permitted "+p.String(), next, errno)
	}
	if q.noNewPrivs(c) {
		do("no_new_privs", c.SetNoNewPrivs(), 0)
	}
	if c.Securebits != q.bits(s.from) {
		return c, trace, false
	}
	return c, trace, ok
}

// RouteText returns calls as a text of several lines.
func RouteText(calls []string) string { return "\t" + strings.Join(calls, "\n\t") + "\n" }
