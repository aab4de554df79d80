package engine

import (
	"errors"
	"fmt"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// routeFailure is what is in the way along one route. Without any of the other
// fields, the target would get other sets than declared.
type routeFailure struct {
	diagnostic  *policy.Diagnostic // a mistake in caprun itself
	stepsErr    error              // of cap.Launcher.Steps
	step        *stepFailure
	execRefused bool // the kernel would refuse to start the target
	idsReplaced bool // the declared ids do not last
	ambientLost bool // the ambient set of iab does not reach the target
	result      cred.ExecResult

	alternative *machine.Alternative // of the target's file, that leads elsewhere
}

// refuse says why there is no plan: one cause, and what to do about it.
//
//	may the target's file be another, with which   yes
//	there would be a plan?                         ---> refuseAlternative
//	         | no
//	does iab, or a profile without caps, fail      yes
//	whatever caps declares?                        ---> describe
//	         | no
//	for each set of causes, the smallest first:    yes
//	is there a plan, assuming that they are gone?  ---> conflict, of the first in the set
//	         | no, for none of the sets
//	unreachable: caps itself is the cause
//
// So each cause in the set is necessary, and the named one is never innocent;
// where it is the only one, removing it is enough. The conflict is explained with
// the other causes of the set assumed gone, lest one of them hides it:
//
//	set {mode, caller}:  caps --- mode --- caller --- target     two obstacles
//	explained in:        caps --- mode -------------- target     mode alone is left
func (c *compiler) refuse() *policy.Diagnostic {
	if a := c.decisiveAlternative(); a != nil {
		return c.refuseAlternative(a)
	}
	if c.caps == nil || c.iab != nil {
		alone := c.withCaps(nil)
		if o := alone.tryFirst(); o != nil {
			return alone.describe(o)
		}
	}
	var sets launchSets
	set := c.smallestCauses(func(n *compiler) (ok bool) {
		sets, ok = n.solve()
		return ok
	})
	if set == 0 {
		return c.unreachable()
	}
	return c.conflict(set, sets)
}

// conflict explains the named cause of a set. Without the set there is a plan
// along sets.
func (c *compiler) conflict(set cause, sets launchSets) *policy.Diagnostic {
	rest := c.withoutCauses(set &^ set.first())
	switch set.first() {
	case causeMode:
		return rest.modeConflict(c)
	case causeIAB:
		return rest.iabConflict(c)
	case causeTarget:
		return rest.targetConflict(sets, c)
	}
	return rest.callerConflict(sets)
}

// tryFirst tries the one route of a profile that gives the vectors itself, or
// none.
func (c *compiler) tryFirst() *routeFailure { return c.try(c.routes()[0]) }

// cause is a set of things that may be in the way of what is declared.
type cause uint

const (
	causeMode cause = 1 << iota
	causeIAB
	causeTarget
	causeCaller
)

// first returns the cause of a set that is named: what the profile says
// before what the machine is.
func (s cause) first() cause { return s & -s }

// causeSets lists the sets of causes, the smallest first. Of the single ones
// the caller comes first, for a mode, a tuple or a target is to blame only for
// what it does to every caller.
var causeSets = [...]cause{
	causeCaller, causeMode, causeIAB, causeTarget,
	causeMode | causeIAB, causeMode | causeTarget, causeMode | causeCaller,
	causeIAB | causeTarget, causeIAB | causeCaller, causeTarget | causeCaller,
	causeMode | causeIAB | causeTarget, causeMode | causeIAB | causeCaller,
	causeMode | causeTarget | causeCaller, causeIAB | causeTarget | causeCaller,
	causeMode | causeIAB | causeTarget | causeCaller,
}

// possibleCauses returns the causes that there can be.
func (c *compiler) possibleCauses() cause {
	s := causeCaller
	if c.modeEmptiesSets() {
		s |= causeMode
	}
	if c.iab != nil {
		s |= causeIAB
	}
	if c.targetMatters() {
		s |= causeTarget
	}
	return s
}

// smallestCauses returns the first set of causes with which gone the profile has what
// found looks for; 0 if there is none.
func (c *compiler) smallestCauses(found func(*compiler) bool) cause {
	present := c.possibleCauses()
	for _, set := range causeSets {
		if set&^present == 0 && found(c.withoutCauses(set)) {
			return set
		}
	}
	return 0
}

// withCaps returns the compiler for the same profile with other caps; nil for
// none.
func (c *compiler) withCaps(caps *declaredCaps) *compiler {
	n := *c
	n.caps = caps
	return &n
}

// noNewPrivsHelps reports whether there would be a plan with no_new_privs.
func (c *compiler) noNewPrivsHelps() bool {
	n, profile := *c, *c.Profile
	profile.NoNewPrivs = true
	n.Profile = &profile
	_, ok := n.solve()
	return ok
}

// withoutCauses returns the compiler for the case that the causes are gone: no mode;
// no tuple; an ordinary target; a caller who holds every capability and whose
// locks are open.
func (c *compiler) withoutCauses(s cause) *compiler {
	n := *c
	profile := *c.Profile
	n.Profile = &profile
	if s&causeMode != 0 {
		profile.Mode = nil
	}
	if s&causeIAB != 0 {
		profile.IAB, n.iab = nil, nil
	}
	if s&causeTarget != 0 {
		n.Target.File, n.Target.Alternatives = cred.File{}, nil
	}
	if s&causeCaller != 0 {
		n.Caller.Permitted, n.Caller.Effective, n.Caller.Bounding = c.Caller.All, c.Caller.All, c.Caller.All
		n.Caller.Securebits &= cred.SecNoRoot | cred.SecNoRootLocked
		if profile.Secbits != nil || profile.Mode != nil {
			n.Caller.Securebits = 0
		}
		if c.Identity.Declared {
			n.Caller.UserNS = cred.UserNS{}
		}
		n.Target.Resources = nil
	}
	n.readBits()
	return &n
}

// targetMatters reports whether the target's file has anything that exec may
// heed.
func (c *compiler) targetMatters() bool {
	f := c.Target.File
	setsIDs := f.Setuid || f.Setgid && f.GroupExec
	return !f.NoSuid && (f.HasCaps || setsIDs && !machine.UnmappedOwner(f))
}

// modeEmptiesSets reports whether the mode does more than set securebits.
func (c *compiler) modeEmptiesSets() bool {
	return c.Profile.Mode != nil && *c.Profile.Mode != cap.ModeHybrid
}

// orNearestCaps returns the end of a hint: the nearest that can be had, if any.
func (c *compiler) orNearestCaps() string {
	if near, ok := c.nearest(); ok {
		return ", or write caps: " + near.written()
	}
	return ""
}

// modeConflict says that the mode takes away what caps asks for. Like the
// other conflicts it is explained where no other cause is in the way, and
// what to do is said for things as they are.
func (c *compiler) modeConflict(asIs *compiler) *policy.Diagnostic {
	d := c.refuseMode("caps")
	if or := asIs.orNearestCaps(); or != "" {
		d.Hint = "leave mode out and write secbits" + or
	}
	return d
}

// iabConflict says that the vectors lead elsewhere.
func (c *compiler) iabConflict(asIs *compiler) *policy.Diagnostic {
	alone := asIs.withCaps(nil)
	if o := alone.tryFirst(); o != nil {
		return alone.describe(o)
	}
	got := declaredCaps{alone.AfterExec.Effective, alone.AfterExec.Permitted, alone.AfterExec.Inheritable}
	near, ok := asIs.nearest()
	if !ok {
		near = got
		_, ok = asIs.withCaps(&got).solve()
	}
	var fixes []string
	if _, derived := c.withoutCauses(causeIAB).solve(); derived {
		fixes = append(fixes, "leave iab out and the vectors are derived")
	}
	if ok {
		fixes = append(fixes, "write caps: "+near.written())
	}
	return c.diagnose(ruleCapsIAB, "caps",
		fmt.Sprintf("iab (line %d) leads to %s, and caps declares %s", c.Profile.Position("iab").Line, got.text(), c.caps.text()),
		strings.Join(fixes, ", or "))
}

// targetConflict says what the target's own file does to the plan that an
// ordinary target would have along sets.
func (c *compiler) targetConflict(sets launchSets, asIs *compiler) *policy.Diagnostic {
	o := c.try(sets)
	if o == nil {
		return c.unreachable()
	}
	d := c.describe(o)
	switch {
	case o.idsReplaced:
	case o.execRefused:
		d.Hint = "remove the file capabilities of the target"
		more := declaredCaps{c.caps.e.Union(o.result.Missing), c.caps.p.Union(o.result.Missing), c.caps.i}
		if _, ok := asIs.withCaps(&more).solve(); ok {
			d.Hint += ", or grant them too: caps: " + more.written()
		}
	default:
		d.Hint = "remove the set-id bits or file capabilities of the target" + asIs.orNearestCaps()
	}
	return d
}

// callerConflict says what the caller lacks for the plan that another one
// would have along sets.
func (c *compiler) callerConflict(sets launchSets) *policy.Diagnostic {
	o := c.try(sets)
	switch {
	case o == nil:
		return c.unreachable()
	case o.diagnostic != nil || o.stepsErr != nil || o.step != nil || o.idsReplaced:
		return c.describe(o)
	case c.locksDropCaps():
		return c.lockConflict("")
	}
	lost := o.result.Missing
	if !o.execRefused {
		lost = c.caps.p.Minus(c.AfterExec.Permitted)
	}
	text := c.caps.text() + " cannot be had: "
	if missing := lost.Minus(c.Caller.Bounding); missing != 0 {
		return c.diagnose(ruleMissing, "caps", text+"the caller's bounding set lacks "+missing.String(),
			"start caprun with "+missing.String()+" (a container: cap_add), or declare less")
	}
	missing := lost.Minus(c.Caller.Permitted)
	if missing == 0 {
		return c.describe(o)
	}
	fix := c.startHint(missing) + ", or declare less"
	return c.diagnose(ruleMissing, "caps", text+"an exec that is not safe, as under no_new_privs, gives no more than the caller's permitted set, which lacks "+missing.String(), fix)
}

// describe turns an obstacle into a diagnostic.
func (c *compiler) describe(o *routeFailure) *policy.Diagnostic {
	switch {
	case o.diagnostic != nil:
		return o.diagnostic
	case o.stepsErr != nil:
		return c.refuseSteps(o.stepsErr)
	case o.step != nil:
		o.step.step.Key = c.origin(o.step.step.Step)
		return c.refuseStep(o.step)
	case o.execRefused:
		return c.refuseExec(o.result)
	case o.idsReplaced:
		return c.refuseIdentity()
	case o.alternative != nil:
		return c.refuseAlternative(o.alternative)
	case o.ambientLost:
		return c.diagnose(ruleAmbientLost, "iab", "the ambient set does not reach the target: "+c.targetEffect(),
			"remove the set-id bits or file capabilities of the target, or name another program")
	}
	got := declaredCaps{c.AfterExec.Effective, c.AfterExec.Permitted, c.AfterExec.Inheritable}
	return c.diagnose(ruleTarget, "caps",
		fmt.Sprintf("the target would start with %s, not with the declared %s: %s", got.text(), c.caps.text(), c.targetEffect()), "")
}

// refuseIdentity says that the target's file changes the declared ids.
func (c *compiler) refuseIdentity() *policy.Diagnostic {
	a := c.AfterExec
	hint := "name another program"
	if c.noNewPrivsHelps() {
		hint = "set no_new_privs: true, which switches set-id bits off, or " + hint
	}
	return c.diagnose(ruleIdentity, c.first("uid", "user"),
		fmt.Sprintf("%s: the target would run with uid %d and gid %d instead: %s", "the declared ids do not last", a.EUID, a.EGID, c.targetEffect()), hint)
}

// targetEffect says what the target's file does to credentials.
func (c *compiler) targetEffect() string {
	f := c.Target.File
	path := c.Target.FilePath
	var effects []string
	if f.Setuid {
		effects = append(effects, "is set-user-id for "+ownerText(f, "uid", f.UID))
	}
	if f.Setgid && f.GroupExec {
		effects = append(effects, "is set-group-id for "+ownerText(f, "gid", f.GID))
	}
	if f.HasCaps {
		effects = append(effects, "has file capabilities ("+fileCapsText(f)+")")
	}
	if len(effects) == 0 {
		return path + " is an ordinary file"
	}
	return path + " " + strings.Join(effects, " and ")
}

// ownerText returns the uid or gid of an owner in words.
func ownerText(f cred.File, kind string, id uint32) string {
	if machine.UnmappedOwner(f) {
		return "an unmapped owner or group"
	}
	return fmt.Sprintf("%s %d", kind, id)
}

func fileCapsText(f cred.File) string {
	if f.Permitted|f.Inheritable == 0 {
		return "an empty set"
	}
	var e cred.Caps
	if f.Effective {
		e = f.Permitted.Union(f.Inheritable)
	}
	return setText(e, f.Permitted, f.Inheritable)
}

// refuseExec says why the kernel would not start the target.
func (c *compiler) refuseExec(result cred.ExecResult) *policy.Diagnostic {
	return c.diagnose(ruleTarget, c.first("caps", "iab", "mode"),
		fmt.Sprintf("%s, and %s can be had by nobody here: the bounding set lacks it, so the kernel would refuse to start the program",
			c.targetEffect(), result.Missing.String()),
		"remove the file capabilities of the target, or grant them in the profile")
}

// refuseSteps turns an error of cap.Launcher.Steps into a diagnostic. The
// reader has checked everything but what a mode allows.
func (c *compiler) refuseSteps(err error) *policy.Diagnostic {
	if !errors.Is(err, cap.ErrBadMode) {
		return c.diagnose(ruleInternal, "", "the plan has no steps: "+err.Error(), "report this")
	}
	return c.refuseMode(c.first("iab", "caps"))
}

// refuseMode says that the mode takes away what key asks for.
func (c *compiler) refuseMode(key string) *policy.Diagnostic {
	mode := c.Profile.Mode.String()
	return c.diagnose(ruleMode, key, fmt.Sprintf("mode %s (line %d) empties what %s asks for: a target in this mode starts without it",
		mode, c.Profile.Position("mode").Line, key),
		fmt.Sprintf("leave mode out and write secbits, or declare no more than %s allows", mode))
}
