package compare

import (
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Dimension names one respect in which launches are compared. Most dimensions have the
// name of the profile key.
type Dimension string

const (
	Caller      Dimension = "caller" // the credentials of the caller
	UID         Dimension = "uid"
	GID         Dimension = "gid"
	Groups      Dimension = "groups"
	Effective   Dimension = "effective"
	Permitted   Dimension = "permitted"
	Inheritable Dimension = "inheritable"
	Ambient     Dimension = "ambient"
	Bounding    Dimension = "bounding"
	Regainable  Dimension = "regainable" // the capabilities that the target and its programs can gain
	Securebits  Dimension = "secbits"
	NoNewPrivs  Dimension = "no_new_privs"
	Chroot      Dimension = "chroot"
	Session     Dimension = "new_session"
	Keyring     Dimension = "keyring"
	Environment Dimension = "env"
	Limits      Dimension = "rlimits"
	Descriptors Dimension = "keep_fds"
)

// Difference is the result of the comparison in one dimension.
type Difference struct {
	Dimension Dimension
	Order     Order // of New next to Old
	Old, New  Value
}

// Changed reports whether the old and the new value differ. Equal values can have an order
// other than [Same] in some dimensions: a target with uid 0 has more of every group.
func (d Difference) Changed() bool { return !d.Old.equal(d.New) }

// Comparison is the result of a comparison of two plans.
type Comparison struct {
	// Differences has every dimension, always in the same order.
	Differences []Difference
}

// Compare compares what two plans grant, both compiled for the same caller. It defines a
// preorder in each dimension, and so in all of them together. If the callers differ,
// nothing can be compared, and the dimension [Caller] is [Incomparable].
//
// Compared is what the target can do with its first instruction and later: IDs, capability
// sets, securebits, no_new_privs, root directory, session, keyring, and what it inherits:
// environment, descriptors and limits. The program, its working directory and its umask
// are not privileges.
//
//   - Capability sets, groups and descriptors are ordered by inclusion.
//   - A target that may have uid 0 has more than one that may not, also in groups: uid 0
//     owns the files that define users and groups. Two other users are not comparable. A
//     user or a group that was not looked up equals only itself.
//   - A securebit that takes a privilege away is less if it is set than if not, and less
//     still if it is also locked. no_setuid_fixup grants one privilege and takes another
//     away: set and not set are not comparable, unless no capability can be affected by a
//     change between uid 0 and other uids.
//   - Any declared root directory is less than the caller's. Two different declared ones
//     are not comparable.
//   - The caller's session is more than a new one: the target can insert input into the
//     caller's terminal (TIOCSTI).
//   - The caller's session keyring is more than a new one: the target can use the keys in
//     it.
//   - To inherit a variable of the caller is more than not to have it. A variable that a
//     profile sets is not comparable with any other value, or with none.
//   - A limit is less if neither its soft nor its hard value is greater than the other's.
//     The caller's limit is unknown: 0 is less than it, unlimited is more, and other values
//     are not comparable with it.
func Compare(old, new *engine.Plan) Comparison {
	caller := Difference{Dimension: Caller, Old: sameCaller, New: sameCaller}
	if !old.Caller.Equal(new.Caller) {
		caller.Order, caller.New = Incomparable, otherCaller
	}
	list := []Difference{caller}
	list = append(list, compareIdentity(identityOf(old.AfterExec, old.Identity), identityOf(new.AfterExec, new.Identity))...)
	list = append(list, compareSets(old.AfterExec, new.AfterExec)...)
	list = append(list,
		compareCaps(Regainable, reachableCaps(old.AfterExec), reachableCaps(new.AfterExec)),
		compareSecurebits(old.AfterExec, new.AfterExec),
		compareNoNewPrivs(old.AfterExec.NoNewPrivs, new.AfterExec.NoNewPrivs),
		compareRoots(rootDirectoryOf(old.Profile), rootDirectoryOf(new.Profile)),
		compareSessions(OwnSession(old.Profile.NewSession), OwnSession(new.Profile.NewSession)),
		compareKeyrings(OwnKeyring(old.NewKeyring()), OwnKeyring(new.NewKeyring())),
		compareEnvironments(Environ{old.EnvPolicy()}, Environ{new.EnvPolicy()}),
		compareLimits(old.Profile, new.Profile),
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

// Changed returns the dimensions whose value changed and whose order is not [Same].
func (c Comparison) Changed() []Difference {
	return slices.DeleteFunc(slices.Clone(c.Differences), func(d Difference) bool { return d.Order == Same || !d.Changed() })
}

// Find returns the difference in one dimension; a zero Difference if c lacks it.
func (c Comparison) Find(name Dimension) Difference {
	for _, d := range c.Differences {
		if d.Dimension == name {
			return d
		}
	}
	return Difference{}
}

// compareCreds compares two states, except for securebits.
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
