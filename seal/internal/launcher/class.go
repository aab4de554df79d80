package launcher

import (
	"slices"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
	"caprun/seal/internal/op"
)

// class is a kind of caller for which the profile has one plan, or none.
type class struct {
	moves bool // the uid of the target differs from one of the caller's
	root  bool // exec grants the target capabilities because its uid is 0

	plan        *engine.Plan
	diagnostics []policy.Diagnostic // if there is no plan

	// keepsNoGroups reports that the target may keep an empty list of groups where
	// setgroups(2) is not permitted, provided that no_new_privs is set.
	keepsNoGroups bool

	// maySetgroups reports that the target could call setgroups(2), if the caller can.
	maySetgroups bool

	// capsMatter reports that file capabilities of the target would change its state.
	capsMatter bool
}

// compileClasses returns the classes of callers that can exist. The error is that of root.
func compileClasses(c *Config) ([]class, error) {
	p := c.Profile
	first, diagnostics := firstPlan(c)
	if first == nil {
		return nil, &NoPlanError{diagnostics}
	}
	id := first.Identity
	if !id.Resolved {
		return nil, &UnsupportedError{"", "a sealed launcher looks up no names"}
	}
	moves := []bool{false}
	if id.Declared {
		moves = []bool{true, false}
	}
	roots := []bool{false}
	if bits, known := declaredBits(p, first); !id.Declared || id.UID == 0 {
		switch {
		case !known:
			roots = []bool{true, false}
		case !bits.Has(cred.SecNoRoot):
			roots = []bool{true}
			if !id.Declared {
				roots = []bool{true, false}
			}
		}
	}
	var classes []class
	for _, m := range moves {
		for _, r := range roots {
			classes = append(classes, compileClass(c, class{moves: m, root: r}, first))
		}
	}
	if !slices.ContainsFunc(classes, func(c class) bool { return c.plan != nil }) {
		return nil, &NoPlanError{classes[0].diagnostics}
	}
	return classes, nil
}

// firstPlan returns the plan for root. If there is none, it returns that for another caller
// with every capability, and the diagnostics for root.
func firstPlan(c *Config) (*engine.Plan, []policy.Diagnostic) {
	root, noroot, user := cred.Root(), cred.Root(), cred.Root()
	noroot.Securebits = cred.SecNoRoot
	user.UID, user.EUID, user.SUID, user.FSUID = otherID, otherID, otherID, otherID
	var first []policy.Diagnostic
	for _, caller := range []cred.Cred{root, noroot, user} {
		plan, diagnostics := engine.Compile(c.Profile, caller, c.target())
		if plan != nil {
			return plan, nil
		}
		if first == nil {
			first = diagnostics
		}
	}
	return nil, first
}

// target returns the program that the profile is compiled for: any that exec gives no
// privileges.
func (c *Config) target() engine.Target {
	t := engine.OrdinaryTarget()
	t.Accounts = c.Accounts
	return t
}

// declaredBits returns the securebits that the profile declares.
func declaredBits(p *policy.Profile, plan *engine.Plan) (bits cred.Securebits, known bool) {
	return plan.BeforeExec.Securebits, p.Secbits != nil || p.Mode != nil
}

// otherID is an ID that stands for any that is not 0.
const otherID = 1

// compileClass compiles the profile for a caller of the class that has every capability.
func compileClass(c *Config, k class, first *engine.Plan) class {
	caller := cred.Root()
	id := first.Identity
	var uid, gid uint32
	switch {
	case id.Declared && !k.moves:
		uid, gid = id.UID, id.GID
	case id.Declared && id.UID == 0, !id.Declared && !k.root:
		uid = otherID
	}
	if _, known := declaredBits(c.Profile, first); !known && !k.root && id.Declared && id.UID == 0 {
		caller.Securebits = cred.SecNoRoot
	}
	caller.UID, caller.EUID, caller.SUID, caller.FSUID = uid, uid, uid, uid
	caller.GID, caller.EGID, caller.SGID, caller.FSGID = gid, gid, gid, gid
	k.plan, k.diagnostics = engine.Compile(c.Profile, caller, c.target())
	if k.plan == nil {
		return k
	}
	k.capsMatter = capsMatter(k.plan)
	k.keepsNoGroups = keepsNoGroups(c, caller, id.GID)
	a := &k.plan.AfterExec
	k.maySetgroups = a.Permitted.Union(a.Inheritable).Has(capSetgid) ||
		!slices.ContainsFunc(k.plan.Steps, func(s engine.Step) bool { return s.Kind == cap.StepInheritable })
	return k
}

// capsMatter reports whether file capabilities could change the state of the target, or the
// declared stack limit, which exec lowers under AT_SECURE. It asks the model about the
// smallest and the largest ones.
func capsMatter(p *engine.Plan) bool {
	all := p.Caller.All
	for _, permitted := range []cred.Caps{0, all} {
		for _, inheritable := range []cred.Caps{0, all} {
			for _, effective := range []bool{false, true} {
				f := cred.File{HasCaps: true, Permitted: permitted, Inheritable: inheritable, Effective: effective}
				after, result, errno := p.BeforeExec.Exec(f, p.Target.KernelRules)
				if errno == 0 && (!after.Equal(p.AfterExec) || result.Secure && declaresHighStack(p.Profile)) {
					return true
				}
			}
		}
	}
	return false
}

// keepsNoGroups asks the engine whether an empty list of groups is equivalent to the declared
// one, for a caller that may not set groups.
func keepsNoGroups(c *Config, caller cred.Cred, gid uint32) bool {
	caller.Permitted = caller.Permitted.Without(capSetgid)
	caller.Effective = caller.Permitted
	caller.GID, caller.EGID, caller.SGID, caller.FSGID = gid, gid, gid, gid
	caller.NoNewPrivs = true
	plan, _ := engine.Compile(c.Profile, caller, c.target())
	return plan != nil && slices.ContainsFunc(plan.Steps, func(s engine.Step) bool {
		return s.Kind == cap.StepGroups && len(s.Groups) == 0
	})
}

// declaresIdentity reports whether the profile declares the identity of the target.
func (g *generator) declaresIdentity() bool { return g.anyPlan().Identity.Declared }

// anyPlan returns a plan, for what is the same in all.
func (g *generator) anyPlan() *engine.Plan {
	n := slices.IndexFunc(g.classes, func(c class) bool { return c.plan != nil })
	return g.classes[n].plan
}

// chooseClass stores the class of the caller, as the bit of its index.
func (g *generator) chooseClass() {
	g.Const(op.R1, 1)
	if g.differ(func(c class) bool { return c.moves }) {
		// Those that move come first.
		g.ifMoves(func() {}, func() { g.Left(op.R1, int64(g.count(func(c class) bool { return c.moves }))) })
	}
	if g.differ(func(c class) bool { return c.root }) {
		g.ifRoot(func() {}, func() { g.Left(op.R1, 1) })
	}
	g.store(op.R1, g.frame.class)
	for n, c := range g.classes {
		if c.plan == nil {
			next := g.NewLabel()
			g.If(op.R1, op.NotEqual, 1<<n, next)
			g.begin("profile")
			g.Jump(g.refuse(c.diagnostics[0].Message))
			g.Place(next)
		}
	}
}

func (g *generator) count(is func(class) bool) int {
	n := 0
	for _, c := range g.classes {
		if is(c) {
			n++
		}
	}
	return n
}

// differ reports whether the classes differ in something.
func (g *generator) differ(is func(class) bool) bool {
	n := g.count(is)
	return n > 0 && n < len(g.classes)
}

// ifMoves appends two alternatives: the uid changes, or it does not.
func (g *generator) ifMoves(yes, no func()) {
	uid, start := g.anyPlan().Identity.UID, g.frame.start
	changes, done := g.NewLabel(), g.NewLabel()
	g.load(op.R0, start+stateUID)
	g.If(op.R0, op.NotEqual, fourIDs(uid), changes)
	g.Load(op.R0, 4, op.SP, start+stateUID+8)
	g.If(op.R0, op.NotEqual, int64(uid), changes)
	no()
	g.Jump(done)
	g.Place(changes)
	yes()
	g.Place(done)
}

// ifRoot appends two alternatives: exec grants capabilities because of uid 0, or it does
// not.
func (g *generator) ifRoot(yes, no func()) {
	start := g.frame.start
	ordinary, root, done := g.NewLabel(), g.NewLabel(), g.NewLabel()
	if _, known := declaredBits(g.cfg.Profile, g.anyPlan()); !known {
		g.load(op.R0, start+stateBits)
		g.If(op.R0, op.AnyBit, int64(cred.SecNoRoot), ordinary)
	}
	if !g.declaresIdentity() {
		g.Load(op.R0, 4, op.SP, start+stateUID)
		g.If(op.R0, op.Equal, 0, root)
		g.Load(op.R0, 4, op.SP, start+stateUID+4)
		g.If(op.R0, op.NotEqual, 0, ordinary)
	}
	g.Place(root)
	yes()
	g.Jump(done)
	g.Place(ordinary)
	no()
	g.Place(done)
}

// only appends operations for the classes in a set of bits.
func (g *generator) only(classes uint, body func()) {
	if classes == 1<<len(g.classes)-1 {
		body()
		return
	}
	skip := g.NewLabel()
	g.load(op.R0, g.frame.class)
	g.If(op.R0, op.NoBit, int64(classes), skip)
	body()
	g.Place(skip)
}

// classesWhere returns the set of the classes for which is reports true, and of those
// without a plan, which do not get that far.
func (g *generator) classesWhere(is func(class) bool) uint {
	var set uint
	for n, c := range g.classes {
		if c.plan == nil || is(c) {
			set |= 1 << n
		}
	}
	return set
}

// planless returns the set of the classes without a plan.
func (g *generator) planless() uint { return g.classesWhere(func(class) bool { return false }) }
