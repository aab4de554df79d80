package compare

import (
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Dimension names one respect in which launches are compared. Most are keys of a
// profile.
type Dimension string

const (
	Start       Dimension = "start" // the state in which the steps begin
	UID         Dimension = "uid"
	GID         Dimension = "gid"
	Groups      Dimension = "groups"
	Effective   Dimension = "effective"
	Permitted   Dimension = "permitted"
	Inheritable Dimension = "inheritable"
	Ambient     Dimension = "ambient"
	Bounding    Dimension = "bounding"
	Regainable  Dimension = "regainable" // what the target and its programs can come to hold
	Securebits  Dimension = "secbits"
	NoNewPrivs  Dimension = "no_new_privs"
	Chroot      Dimension = "chroot"
	Session     Dimension = "new_session"
	Keyring     Dimension = "keyring"
	Environment Dimension = "env"
	Limits      Dimension = "rlimits"
	Descriptors Dimension = "keep_fds"
)

// Difference is the comparison in one dimension.
type Difference struct {
	Dimension Dimension
	Order     Order // of New next to Old
	Old, New  Value
}

// Changed reports whether the values differ. Different values can be ordered too:
// uid 0 is above every group.
func (d Difference) Changed() bool { return !d.Old.equal(d.New) }

// Comparison says, dimension by dimension, how much a new launch allows next to an
// old one.
type Comparison struct {
	// Differences has every dimension, always in the same order.
	Differences []Difference
}

// Compare says what the new plan allows next to the old one, both compiled from the
// same start: a preorder in every dimension, and so in all of them together. From
// different starts nothing can be compared, and the dimension Start says so.
//
// What is compared is what the target can do with its first instruction and later:
// ids, capability sets, securebits, no_new_privs, root directory, session, and what
// it inherits: environment, descriptors, limits. The program, its working directory
// and its umask are no privilege.
//
//   - Capability sets, groups and descriptors are ordered by inclusion.
//   - A launch that may be uid 0 allows more than one that may not, in groups too:
//     uid 0 owns the files that say who everyone is. Two other users are not
//     comparable. An entry of the user database that was not looked up equals
//     itself alone.
//   - A securebit that takes something away is less with its lock than without, and
//     less without its lock than not at all. no_setuid_fixup gives and takes: with
//     and without are not comparable where a capability could still meet a change
//     of user between 0 and others.
//   - Any root directory is less than the caller's; two others are not comparable.
//   - Without a session of its own, the target can push input to the caller's
//     terminal (TIOCSTI): that is more.
//   - The caller's session keyring is more than a new one: the target can use the
//     keys in it.
//   - A variable of the caller's that reaches the target is more than none. Two
//     values that profiles set, or a set one and another, are not comparable.
//   - A limit is less when both of its values are at most the other's. The
//     caller's own is not known: only 0 is less, only unlimited is more.
func Compare(old, new *engine.Plan) Comparison {
	start := Difference{Dimension: Start, Old: sameStart, New: sameStart}
	if !old.Caller.Equal(new.Caller) {
		start.Order, start.New = Incomparable, otherStart
	}
	list := []Difference{start}
	list = append(list, compareIdentity(identityOf(old.AfterExec, old.Identity), identityOf(new.AfterExec, new.Identity))...)
	list = append(list, compareSets(old.AfterExec, new.AfterExec)...)
	list = append(list,
		compareCaps(Regainable, reach(old.AfterExec), reach(new.AfterExec)),
		compareSecurebits(old.AfterExec, new.AfterExec),
		compareNoNewPrivs(old.AfterExec.NoNewPrivs, new.AfterExec.NoNewPrivs),
		compareRoots(RootDirectory(old.Profile.Chroot), RootDirectory(new.Profile.Chroot)),
		compareSessions(OwnSession(old.Profile.NewSession), OwnSession(new.Profile.NewSession)),
		compareKeyrings(OwnKeyring(old.NewKeyring()), OwnKeyring(new.NewKeyring())),
		compareEnvironments(Environ{old.EnvPolicy()}, Environ{new.EnvPolicy()}),
		compareLimits(limitsOf(old.Profile), limitsOf(new.Profile)),
		compareDescriptors(descriptorsOf(old.Profile), descriptorsOf(new.Profile)))
	return Comparison{list}
}

// Order returns the order in all dimensions together.
func (c Comparison) Order() Order {
	o := Same
	for _, d := range c.Differences {
		o = o.and(d.Order)
	}
	return o
}

// Changed returns the dimensions in which something changed, and that have an
// order other than Same.
func (c Comparison) Changed() []Difference {
	return slices.DeleteFunc(slices.Clone(c.Differences), func(d Difference) bool { return d.Order == Same || !d.Changed() })
}

// Find returns the comparison in one dimension.
func (c Comparison) Find(name Dimension) Difference {
	for _, d := range c.Differences {
		if d.Dimension == name {
			return d
		}
	}
	return Difference{}
}

// compareCreds compares two states with known ids, but for securebits.
func compareCreds(old, new cred.Cred) []Difference {
	list := compareIdentity(identityOf(old, machine.Identity{}), identityOf(new, machine.Identity{}))
	list = append(list, compareSets(old, new)...)
	return append(list, compareNoNewPrivs(old.NoNewPrivs, new.NoNewPrivs))
}

func compareSets(old, new cred.Cred) []Difference {
	return []Difference{
		compareCaps(Effective, old.Effective, new.Effective),
		compareCaps(Permitted, old.Permitted, new.Permitted),
		compareCaps(Inheritable, old.Inheritable, new.Inheritable),
		compareCaps(Ambient, old.Ambient, new.Ambient),
		compareCaps(Bounding, old.Bounding, new.Bounding),
	}
}

func compareCaps(name Dimension, old, new cred.Caps) Difference {
	return Difference{name, orderCaps(old, new), Caps(old), Caps(new)}
}

func compareNoNewPrivs(old, new bool) Difference {
	return Difference{NoNewPrivs, within(old || !new, new || !old), Flag(old), Flag(new)}
}

func compareRoots(old, new RootDirectory) Difference {
	return Difference{Chroot, within(old == new || new == "", old == new || old == ""), old, new}
}

func compareSessions(old, new OwnSession) Difference {
	return Difference{Session, within(bool(old || !new), bool(new || !old)), old, new}
}

func compareKeyrings(old, new OwnKeyring) Difference {
	return Difference{Keyring, within(bool(old || !new), bool(new || !old)), old, new}
}

func compareDescriptors(old, new FDs) Difference {
	return Difference{Descriptors, within(old.minus(new) == nil, new.minus(old) == nil), old, new}
}
