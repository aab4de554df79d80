package declared

import (
	"fmt"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// A Process is what a file declares for one process.
type Process struct {
	// Name is the name of the process in its file, such as that of a container.
	Name string

	// Other reports that the process is not a main command of a unit: it is one of
	// ExecStartPre= and the like.
	Other bool

	// At is where the process is declared: the position of what the platform adds
	// without a declaration.
	At Source

	// Profile declares the same. Its fields File, Name, Caps and IAB are set by
	// Document. An identity that the file does not declare is absent.
	Profile policy.Profile

	// Sets are the capability sets just before exec.
	Sets Sets

	// Origins has the declarations behind each key of the profile, such as "uid",
	// "caps", "env.set.MODE" or "rlimits.nofile", in their order in the file. A key
	// that the platform sets by itself has none.
	Origins map[string][]Source

	// Launches is the profile with which the process starts a program, if it is caprun:
	// the value of -profile. The rest is then the state of caprun. Package platform sets it.
	Launches string

	// Findings are mistakes that the platform accepts silently.
	Findings []policy.Diagnostic

	// Losses are declarations without an equivalent in a profile.
	Losses []Loss

	found Findings // those of AddFinding
}

// Sets are the capability sets that a platform makes before exec. The permitted and the
// effective set do not matter: a program without file capabilities gets its permitted set
// from these and from uid 0.
type Sets struct {
	Inheritable, Ambient, Bounding cred.Caps

	// Withheld are capabilities that exec does not grant uid 0, although the bounding
	// or the inheritable set has them: those that are not permitted before exec under
	// no_new_privs.
	Withheld cred.Caps

	// Inherit reports that the platform leaves the sets as they are. Then the profile
	// has neither caps nor iab.
	Inherit bool

	// UnknownUID reports that the sets are known and that the uid is not: the profile
	// has iab and not caps.
	UnknownUID bool

	// NotRoot reports that the unknown uid is not 0.
	NotRoot bool
}

// A Loss is a declaration without an equivalent in a profile.
type Loss struct {
	At Source

	// What says what is lost, without a final period, such as "ProtectSystem=strict
	// makes directories read-only". Text of the file in it must be bounded; it need
	// not be sanitized.
	What string
}

// From records the declarations behind a key.
func (p *Process) From(key string, at ...Source) {
	if p.Origins == nil {
		p.Origins = map[string][]Source{}
	}
	p.Origins[key] = append(p.Origins[key], at...)
}

// AddLoss records a declaration without an equivalent in a profile. Above MaxLosses it
// records an error instead, once.
func (p *Process) AddLoss(at Source, format string, args ...any) {
	if len(p.Losses) < MaxLosses {
		p.Losses = append(p.Losses, Loss{at, fmt.Sprintf(format, args...)})
		return
	}
	p.found.addIncomplete(at, "", fmt.Sprintf("more than %d declarations that a profile cannot express: not all are listed", MaxLosses))
	p.Findings = p.found.List
}

// IgnoresLosses reports that AddLoss has no effect.
func (p *Process) IgnoresLosses() bool { return len(p.Losses) >= MaxLosses && p.found.incomplete }

// AddFinding records a mistake that the platform accepts silently. A hint can be empty.
// Above MaxFindings it records an error instead, once.
func (p *Process) AddFinding(r Rule, at Source, hint, format string, args ...any) {
	p.found.Add(r, at, hint, format, args...)
	p.Findings = p.found.List
}

// SetFindings replaces the findings by those of a file, and adds that losses are missing.
func (p *Process) SetFindings(found Findings) {
	if p.found.incomplete && !found.incomplete {
		found.incomplete = true
		found.List = append(found.List, p.found.List...)
	}
	p.found = found
	p.Findings = found.List
}

// declareSets sets caps and iab of the profile. It uses only caps where caprun derives
// the same sets from it.
func (p *Process) declareSets() error {
	s, profile := p.Sets, &p.Profile
	if s.Inherit {
		return nil
	}
	all := cred.FirstCaps(cap.NamedCount)
	root := isRoot(profile)
	outcome := p.grants(root)
	var err error
	if !s.UnknownUID {
		if profile.Caps, err = policy.NewCaps(cap.SetOf(outcome, outcome, s.Inheritable).Text(cap.NamedCount)); err != nil {
			return err
		}
	}
	derived := s.Bounding == outcome && (root && s.Ambient == 0 || !root && s.Inheritable == s.Ambient)
	if s.UnknownUID || !derived {
		profile.IAB, err = policy.NewIAB(cap.IABOf(s.Inheritable, s.Ambient, all.Minus(s.Bounding)).String())
	}
	return err
}

// isRoot reports whether exec grants the process capabilities because of uid 0.
func isRoot(p *policy.Profile) bool {
	root := p.UID != nil && *p.UID == 0 || p.User == "root" || p.User == "0"
	return root && (p.Secbits == nil || *p.Secbits&cap.SecbitNoRoot == 0)
}
