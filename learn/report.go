package learn

import (
	"time"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/learn/classify"
	"caprun/learn/evidence"
	"caprun/learn/observe"
	"caprun/learn/run"
)

// Outcome is what one run showed.
type Outcome struct {
	run.Result
	Recording *observe.Recording // nil without tracing

	// Refused reports that caprun refused the launch because of the capabilities of the
	// run. Reason has the message.
	Refused bool
}

// Why returns why the program does not work, after the last line that it printed; empty if
// it works.
func (o Outcome) Why() string {
	if n := len(o.Output); !o.Works && n > 0 {
		return o.Output[n-1] + " (" + o.Reason + ")"
	}
	return o.Reason
}

// Step is one run of the procedure.
type Step struct {
	Number    int // the first run is 1
	Purpose   string
	Identity  *Identity // nil for that of the base profile
	Settings  evidence.Settings
	Reference bool // with every allowed capability, before the search
	Outcome   Outcome
}

// Identity is a user that a program runs as.
type Identity struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups, sorted

	// User is the name that the profile has instead of these IDs; empty for none. They
	// are then those of its entry in /etc/passwd.
	User string
}

// base returns a base with the identity.
func (id *Identity) base(b evidence.Base) evidence.Base {
	if id.User != "" {
		return b.WithUser(id.User)
	}
	return b.WithIdentity(id.UID, id.GID, id.Groups)
}

// State is how far the procedure came for one identity.
type State int

const (
	// Unconfirmed: it was interrupted, or an error ended it.
	Unconfirmed State = iota

	// DoesNotWork: the program does not work with every capability that is allowed.
	DoesNotWork

	// Unstable: runs with equal privilege had different outcomes.
	Unstable

	// Confirmed: no capability can be removed from the profile, and the program worked
	// twice more with it.
	Confirmed
)

// String returns the state as one word or more, as in the JSON form of a report.
func (s State) String() string {
	switch s {
	case DoesNotWork:
		return "does not work"
	case Unstable:
		return "unstable"
	case Confirmed:
		return "confirmed"
	}
	return "unconfirmed"
}

// Pass is what was found for one identity.
type Pass struct {
	Identity *Identity // nil for that of the base profile
	State    State

	Base    evidence.Base
	Allowed cred.Caps // the capabilities of the reference run

	Kind      run.Kind
	Reference Outcome // the reference run that counts
	Earlier   Outcome // an earlier one that failed; the zero value for none
	Final     Outcome // the last run of the search that worked

	// Settings are what was found: those of the profile. Found is false if no run has
	// worked.
	Settings evidence.Settings
	Found    bool

	Hardening []Hardening

	// Evidence is the input of evidence.Judge.
	Evidence evidence.Input

	Runs int
	Took time.Duration
}

// Program returns the facts about the file of the program.
func (p *Pass) Program() machine.Program { return p.Base.Target.Program }

// Plan returns the plan of the profile that was found; nil if there is none.
func (p *Pass) Plan() *engine.Plan {
	if !p.Found {
		return nil
	}
	profile, err := p.Base.Compose(p.Settings)
	if err != nil {
		return nil
	}
	plan, _ := engine.Compile(profile, p.Base.Caller, p.Base.Target)
	return plan
}

// Hardening is a key other than caps that was considered.
type Hardening struct {
	Key    string // "no_new_privs" or "noroot"
	Result evidence.Attempt

	// Why is the reason why it was not tried or not added; empty if it was added. It can
	// contain text of the program.
	Why string
}

// Report is the result of the procedure.
type Report struct {
	First  Pass
	Second *Pass // nil if there was no second one

	// Named reports that the caller has named the user of the second pass, Config.As.
	Named bool

	// SecondError is the reason why the second pass ended early, if the program has
	// chosen its user.
	SecondError error

	// Change is the user that the program changes to by itself; nil if there is none, or
	// more than one.
	Change *Identity
}

// Best returns the pass whose profile is the result: the second one if the caller has named
// its user, whatever it grants. Otherwise it is the second one if it is confirmed and grants
// less than the first, or if that is not confirmed.
func (r *Report) Best() *Pass {
	switch {
	case r.Second == nil:
		return &r.First
	case r.Named:
		return r.Second
	case r.Second.State != Confirmed:
		return &r.First
	}
	if c, ok := r.Comparison(); r.First.State == Confirmed && (!ok || !narrows(c, r.First.Settings.Caps)) {
		return &r.First
	}
	return r.Second
}

// narrows reports whether a comparison finds that the second profile grants less. The
// program of the second one gets its capabilities through its inheritable and ambient
// sets, which root does not need: those that root had anyway are not more.
func narrows(c compare.Comparison, had cred.Caps) bool {
	less := false
	for _, d := range c.Differences {
		switch {
		case d.Order == compare.Less:
			less = true
		case d.Order == compare.Same:
		case d.Dimension != compare.Inheritable && d.Dimension != compare.Ambient, !d.GainedCaps().SubsetOf(had):
			return false
		}
	}
	return less
}

// Comparison compares the profile of the second pass with that of the first. ok is false
// if there are not two profiles.
func (r *Report) Comparison() (c compare.Comparison, ok bool) {
	if r.Second == nil {
		return c, false
	}
	first, second := r.First.Plan(), r.Second.Plan()
	if first == nil || second == nil {
		return c, false
	}
	return compare.Compare(first, second), true
}

// changes returns the identities that the program changed to by itself: by its calls, or
// without tracing by the IDs of its processes.
func (p *Pass) changes() []classify.Identity {
	if p.Reference.Recording != nil {
		if list := classify.Identities(p.Reference.Recording); len(list) > 0 {
			return list
		}
	}
	var list []classify.Identity
	ids := p.Reference.Identities
	for _, id := range ids[min(1, len(ids)):] {
		uid, gid, ok := id.One()
		if first, _, _ := ids[0].One(); ok && uid != 0 && uid != first && len(list) < classify.MaxIdentities {
			list = append(list, classify.Identity{UID: uid, GID: gid, GIDKnown: true, Groups: id.Groups, GroupsKnown: true, Processes: 1})
		}
	}
	return list
}
