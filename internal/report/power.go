package report

import (
	"cmp"
	"slices"
)

// Power is a class of rows. The classes are in the order of the report, the most powerful
// first.
//
// Within a class, rows are ordered by the number of capabilities that amount to root, then
// uid 0 and the caller's uid before others, then by the number of capabilities that the
// target has, and of those that it has or can gain, then those without no_new_privs first,
// then by name. A launch that grants more than another in capabilities, uid 0 or
// no_new_privs according to [compare.Compare], and nothing less, is before it, unless the
// process of one of them is caprun.
type Power int

const (
	// AmountsToRoot: the target has a capability of [review.RootEquivalent].
	AmountsToRoot Power = iota

	// StartsCaprun: the process is caprun, which starts the program with a profile. The row
	// has the privileges of caprun, usually those of root. The report does not know those of
	// the program, nor whether a program of that name is caprun.
	StartsCaprun

	// OwnsRootFiles: the target runs as uid 0 or as the caller, who may be root.
	OwnsRootFiles

	// SomeCaps: the target has other capabilities.
	SomeCaps

	// Gains: the target has no capability, and can gain some from set-user-ID programs
	// and file capabilities.
	Gains

	// None: the target has no capability and can gain none.
	None

	// NoPlan: the profile has errors or cannot be read, so that nothing can be started with
	// it.
	NoPlan

	// Removed: only the base has the profile.
	Removed
)

// powers has the name of each class in JSON, and its heading.
var powers = [...]struct{ name, heading string }{
	AmountsToRoot: {"amounts-to-root", "Has a capability that amounts to root"},
	StartsCaprun:  {"starts-caprun", "Is named caprun, and starts the program with a profile: the privileges are those of caprun"},
	OwnsRootFiles: {"owns-root-files", "Runs as uid 0, or as the caller, which may be root: owns root's files"},
	SomeCaps:      {"some-caps", "Has other capabilities"},
	Gains:         {"gains", "Has no capability, can gain some from set-user-ID programs and file capabilities"},
	None:          {"none", "Has no capability, can gain none"},
	NoPlan:        {"no-plan", "Cannot be started: the profile has errors or cannot be read"},
	Removed:       {"removed", "Removed since the base"},
}

// String returns the name of the class.
func (p Power) String() string { return powers[p].name }

// powerOf returns the class of a row.
func powerOf(r *Row) Power {
	switch {
	case r.removed:
		return Removed
	case !r.HasPlan:
		return NoPlan
	case r.launches != "":
		return StartsCaprun
	case r.RootEquivalent != 0:
		return AmountsToRoot
	case r.mayBeRoot:
		return OwnsRootFiles
	case r.Held != 0:
		return SomeCaps
	case r.Later != 0:
		return Gains
	}
	return None
}

// comparePower returns -1, 0 or 1: which row is first.
func comparePower(a, b *Row) int {
	first := func(a, b bool) int {
		switch {
		case a == b:
			return 0
		case a:
			return -1
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(a.Power, b.Power),
		cmp.Compare(b.RootEquivalent.Len(), a.RootEquivalent.Len()),
		first(a.mayBeRoot, b.mayBeRoot),
		cmp.Compare(b.Held.Len(), a.Held.Len()),
		cmp.Compare(b.Held.Union(b.Later).Len(), a.Held.Union(a.Later).Len()),
		first(!a.NoNewPrivs, !b.NoNewPrivs),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.file, b.file), // two names can differ in replaced characters only
	)
}

// sortRows orders rows by power.
func sortRows(rows []*Row) { slices.SortStableFunc(rows, comparePower) }
