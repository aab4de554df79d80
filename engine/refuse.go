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

// routeFailure says why a route does not lead to what the profile declares. If no field
// other than result is set, the target would start with other sets than caps declares.
type routeFailure struct {
	diagnostic  *policy.Diagnostic // a bug in caprun
	stepsErr    error              // from cap.Launcher.Steps
	step        *stepFailure
	execRefused bool // execve(2) would fail with EPERM
	idsReplaced bool // exec would replace the declared IDs
	ambientLost bool // exec would empty the ambient set that iab declares
	result      cred.ExecResult

	alternative *machine.Alternative // of the target's file, that leads to another state
}

// refuse returns why there is no plan: one cause, and what to do about it.
//
//	is there a plan for one of the alternatives     yes
//	of the target's file?                           ---> refuseAlternative
//	         | no
//	does the launch fail whatever caps declares     yes
//	(with iab, or without caps)?                    ---> describe
//	         | no
//	for each set of causes, the smallest first:     yes
//	is there a plan without these causes?           ---> conflict, for the first in the set
//	         | no, for none of the sets
//	unreachable: caps itself is the cause
//
// No smaller set is enough, so every cause in the set is necessary. If the set has
// one cause, removing it is sufficient. A conflict is explained without the other
// causes of the set, because one of them could hide it.
func (c *compiler) refuse() *policy.Diagnostic {
	if a := c.decisiveAlternative(); a != nil {
		return c.refuseAlternative(a)
	}
	if c.caps == nil || c.iab != nil {
		alone := c.withCaps(nil)
		if failure := alone.tryFirst(); failure != nil {
			return alone.describe(failure)
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

// conflict explains the first cause of set. Without all causes of set, the launch
// with sets has a plan.
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

// tryFirst tries the only route of a profile that declares iab, or no caps.
func (c *compiler) tryFirst() *routeFailure { return c.try(c.routes()[0]) }

// cause is a set of causes why a profile has no plan.
type cause uint

const (
	causeMode cause = 1 << iota
	causeIAB
	causeTarget
	causeCaller
)

// first returns the cause of a set that the diagnostic names: the keys of the profile
// come before the target and the caller.
func (s cause) first() cause { return s & -s }

// causeSets lists the sets of causes, the smallest first. The caller alone comes
// first: a mode, an iab or a target is the cause only if it fails for every caller.
var causeSets = [...]cause{
	causeCaller, causeMode, causeIAB, causeTarget,
	causeMode | causeIAB, causeMode | causeTarget, causeMode | causeCaller,
	causeIAB | causeTarget, causeIAB | causeCaller, causeTarget | causeCaller,
	causeMode | causeIAB | causeTarget, causeMode | causeIAB | causeCaller,
	causeMode | causeTarget | causeCaller, causeIAB | causeTarget | causeCaller,
	causeMode | causeIAB | causeTarget | causeCaller,
}

// possibleCauses returns the causes that apply to this profile and target.
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

// smallestCauses returns the first set of causes without which found reports true; 0
// if there is none.
func (c *compiler) smallestCauses(found func(*compiler) bool) cause {
	present := c.possibleCauses()
	for _, set := range causeSets {
		if set&^present == 0 && found(c.withoutCauses(set)) {
			return set
		}
	}
	return 0
}

// withCaps returns a compiler for the same profile with other caps. If caps is nil,
// the profile declares none.
func (c *compiler) withCaps(caps *declaredCaps) *compiler {
	n := *c
	n.caps = caps
	return &n
}

// noNewPrivsHelps reports whether the profile would have a plan with no_new_privs.
func (c *compiler) noNewPrivsHelps() bool {
	return c.solvesWith(func(p *policy.Profile) { p.NoNewPrivs = true })
}

// solvesWith reports whether the profile would have a plan after a change of keys
// other than caps.
func (c *compiler) solvesWith(change func(*policy.Profile)) bool {
	n, profile := *c, *c.Profile
	change(&profile)
	n.Profile, n.iab = &profile, profile.IAB
	n.readBits()
	_, ok := n.solve()
	return ok
}

// withoutCauses returns a compiler for the same profile without the causes s: no mode;
// no iab; an ordinary target; a caller with every capability and no locked securebits.
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

// targetMatters reports whether the target's file has set-id bits or file capabilities
// that the kernel does not ignore.
func (c *compiler) targetMatters() bool {
	f := c.Target.File
	setsIDs := f.Setuid || f.Setgid && f.GroupExec
	return !f.NoSuid && (f.HasCaps || setsIDs && !machine.UnmappedOwner(f))
}

// modeEmptiesSets reports whether the mode does more than set securebits.
func (c *compiler) modeEmptiesSets() bool {
	return c.Profile.Mode != nil && *c.Profile.Mode != cap.ModeHybrid
}

// orNearestCaps returns the end of a hint that names the nearest reachable caps; empty
// if there are none.
func (c *compiler) orNearestCaps() string {
	if near, ok := c.nearest(); ok {
		return ", or write caps: " + near.yaml()
	}
	return ""
}

// modeConflict refuses a mode that empties a set of caps. Like the other conflicts, it
// is a method of the compiler without the other causes, and takes the hint from the
// compiler asIs, with all of them.
func (c *compiler) modeConflict(asIs *compiler) *policy.Diagnostic {
	d := c.refuseMode("caps")
	if or := asIs.orNearestCaps(); or != "" {
		d.Hint = c.modeHint() + or
	}
	return d
}

// iabConflict refuses an iab that leads to other sets than caps declares.
func (c *compiler) iabConflict(asIs *compiler) *policy.Diagnostic {
	alone := asIs.withCaps(nil)
	if failure := alone.tryFirst(); failure != nil {
		return alone.describe(failure)
	}
	got := declaredCaps{alone.AfterExec.Effective, alone.AfterExec.Permitted, alone.AfterExec.Inheritable}
	near, ok := asIs.nearest()
	if !ok {
		near = got
		_, ok = asIs.withCaps(&got).solve()
	}
	var fixes []string
	if _, derived := c.withoutCauses(causeIAB).solve(); derived {
		fixes = append(fixes, "remove iab")
	}
	if ok {
		fixes = append(fixes, "write caps: "+near.yaml())
	}
	return c.diagnose(ruleCapsIAB, "caps",
		fmt.Sprintf("with iab (line %d) the target starts with %s, but caps declares %s", c.Profile.Position("iab").Line, got.text(), c.caps.text()),
		strings.Join(fixes, ", or "))
}

// targetConflict refuses the target because of its file. With an ordinary target, the
// launch with sets has a plan.
func (c *compiler) targetConflict(sets launchSets, asIs *compiler) *policy.Diagnostic {
	failure := c.try(sets)
	if failure == nil {
		return c.unreachable()
	}
	d := c.describe(failure)
	switch {
	case failure.idsReplaced:
	case failure.execRefused:
		d.Hint = "remove the target's file capabilities"
		more := declaredCaps{c.caps.e.Union(failure.result.Missing), c.caps.p.Union(failure.result.Missing), c.caps.i}
		if _, ok := asIs.withCaps(&more).solve(); ok {
			d.Hint += ", or write caps: " + more.yaml()
		}
	default:
		d.Hint = "remove the target's set-id bits and file capabilities" + asIs.orNearestCaps()
	}
	return d
}

// callerConflict names what the caller lacks. For a caller that lacks nothing, the
// launch with sets has a plan.
func (c *compiler) callerConflict(sets launchSets) *policy.Diagnostic {
	failure := c.try(sets)
	switch {
	case failure == nil:
		return c.unreachable()
	case failure.diagnostic != nil || failure.stepsErr != nil || failure.step != nil || failure.idsReplaced:
		return c.describe(failure)
	case c.locksDropCaps():
		return c.lockConflict("")
	}
	lost := failure.result.Missing
	if !failure.execRefused {
		lost = c.caps.p.Minus(c.AfterExec.Permitted)
	}
	text := "caps " + c.caps.text() + " is not reachable: "
	if missing := lost.Minus(c.Caller.Bounding); missing != 0 {
		return c.diagnose(ruleMissing, "caps", text+"the caller's bounding set lacks "+missing.String(),
			"start caprun with "+missing.String()+" (in a container: cap_add), or declare fewer capabilities")
	}
	missing := lost.Minus(c.Caller.Permitted)
	if missing == 0 {
		return c.describe(failure)
	}
	hint := c.startHint(missing) + ", or declare fewer capabilities"
	return c.diagnose(ruleMissing, "caps", text+"the caller's permitted set lacks "+missing.String()+", and an unsafe exec, as under no_new_privs, grants nothing outside it", hint)
}

// describe returns the diagnostic for a failure.
func (c *compiler) describe(failure *routeFailure) *policy.Diagnostic {
	switch {
	case failure.diagnostic != nil:
		return failure.diagnostic
	case failure.stepsErr != nil:
		return c.refuseSteps(failure.stepsErr)
	case failure.step != nil:
		failure.step.step.Key = c.origin(failure.step.step.Step)
		return c.refuseStep(failure.step)
	case failure.execRefused:
		return c.refuseExec(failure.result)
	case failure.idsReplaced:
		return c.refuseIdentity()
	case failure.alternative != nil:
		return c.refuseAlternative(failure.alternative)
	case failure.ambientLost && !failure.result.FileCaps && !c.targetSetsIDs():
		return c.diagnose(ruleAmbientLost, "iab", "exec would empty the ambient set: before Linux 6.17 it does so where the effective uid or gid is not the real one",
			"add uid and gid to make them equal")
	case failure.ambientLost:
		return c.diagnose(ruleAmbientLost, "iab", "exec would empty the ambient set: "+c.targetEffect(),
			"remove the target's set-id bits and file capabilities, or start another program")
	}
	got := declaredCaps{c.AfterExec.Effective, c.AfterExec.Permitted, c.AfterExec.Inheritable}
	return c.diagnose(ruleTarget, "caps",
		fmt.Sprintf("the target would start with %s, not with the declared %s: %s", got.text(), c.caps.text(), c.targetEffect()), "")
}

// refuseIdentity refuses a target whose set-id bits replace the declared IDs.
func (c *compiler) refuseIdentity() *policy.Diagnostic {
	a := c.AfterExec
	hint := "start another program"
	if c.noNewPrivsHelps() {
		hint = "add no_new_privs: true to disable set-id bits, or " + hint
	}
	return c.diagnose(ruleIdentity, c.first("uid", "user"),
		fmt.Sprintf("the target would run with uid %d and gid %d, not with the declared IDs: %s", a.EUID, a.EGID, c.targetEffect()), hint)
}

// targetSetsIDs reports whether the kernel honours set-id bits of the target's file.
func (c *compiler) targetSetsIDs() bool {
	f := c.Target.File
	return (f.Setuid || f.Setgid && f.GroupExec) && c.Target.ignored() == "" && !c.BeforeExec.NoNewPrivs
}

// targetEffect describes the set-id bits and file capabilities of the target's file.
func (c *compiler) targetEffect() string {
	f := c.Target.File
	path := c.Target.FilePath
	var effects []string
	if f.Setuid {
		effects = append(effects, "is set-user-ID ("+ownerText(f, "uid", f.UID)+")")
	}
	if f.Setgid && f.GroupExec {
		effects = append(effects, "is set-group-ID ("+ownerText(f, "gid", f.GID)+")")
	}
	if f.HasCaps {
		effects = append(effects, "has file capabilities ("+fileCapsText(f)+")")
	}
	if len(effects) == 0 {
		return path + " is an ordinary file"
	}
	return path + " " + strings.Join(effects, " and ")
}

// ownerText returns the owner of a file as text; kind is "uid" or "gid".
func ownerText(f cred.File, kind string, id uint32) string {
	if machine.UnmappedOwner(f) {
		return "unmapped owner or group"
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

// refuseExec refuses a target that the kernel would refuse to execute: its file
// requires capabilities that exec does not grant.
func (c *compiler) refuseExec(result cred.ExecResult) *policy.Diagnostic {
	return c.diagnose(ruleTarget, c.first("caps", "iab", "mode"),
		fmt.Sprintf("%s, but the bounding set lacks %s: the kernel would refuse to execute it", c.targetEffect(), result.Missing.String()),
		"remove the target's file capabilities, or grant them in the profile")
}

// refuseSteps returns the diagnostic for an error of cap.Launcher.Steps. Package
// policy has checked everything except what a mode allows.
func (c *compiler) refuseSteps(err error) *policy.Diagnostic {
	if !errors.Is(err, cap.ErrBadMode) {
		return c.diagnose(ruleInternal, "", "cannot make the steps: "+err.Error(), "report this as a bug")
	}
	return c.refuseMode(c.first("iab", "caps"))
}

// refuseMode refuses a mode that empties a set that key declares.
func (c *compiler) refuseMode(key string) *policy.Diagnostic {
	mode := c.Profile.Mode.String()
	return c.diagnose(ruleMode, key, fmt.Sprintf("mode %s (line %d) empties a set that %s declares",
		mode, c.Profile.Position("mode").Line, key),
		fmt.Sprintf("%s, or declare no more than %s allows", c.modeHint(), mode))
}

// modeHint returns what to do instead of the mode.
func (c *compiler) modeHint() string {
	bits := cap.SecbitNoRoot | cap.SecbitNoRootLocked
	if c.solvesWith(func(p *policy.Profile) { p.Mode, p.Secbits = nil, &bits }) {
		return "write secbits: [noroot, noroot_locked] instead of mode"
	}
	return "remove mode"
}
