// Package policy reads profiles: bytes in, a Profile or diagnostics out.
//
//	p, diagnostics := policy.Parse("web.yaml", text)
//	if p == nil {
//		// at least one of the diagnostics is an Error
//	}
//
// A profile is a policy: what is reviewed must be what runs. Parse refuses YAML
// features that make a file mean something else than its lines show, and every
// value that is not exactly in the format. It finds all errors of a file in one
// run, each with its position. It checks only the text: package engine checks
// whether a profile is consistent and can be launched.
//
// The package works on every system: it reads no files, no users and no kernel.
// Several goroutines may call its functions.
package policy

import (
	"strconv"

	"caprun/cap"
)

// A Profile is what a file declares. Go code may also fill one itself. Then
// positions are unknown, and the engine checks what matters for a launch.
type Profile struct {
	File              string // as given to Parse
	Name, Description string
	Command           []string // nil if absent

	User   string  // a name or a decimal number; empty if absent
	UID    *uint32 // nil if absent
	GID    *Group  // nil if absent
	Groups []Group // nil if absent, empty and not nil if declared empty

	Caps        *Caps // nil if absent; see NewCaps
	IAB         *IAB  // nil if absent; see NewIAB
	Mode        *cap.Mode
	Secbits     *cap.Secbits // the exact value
	NoNewPrivs  bool
	Chroot, Cwd string  // absolute and clean; empty if absent
	Umask       *uint32 // 0 to 0777
	Env         *Env
	Rlimits     []Rlimit // sorted by name
	KeepFDs     []int    // 3 and above, in the order of the file
	NewSession  bool     // without the caller's controlling terminal

	// InheritKeyring keeps the caller's session keyring, which a target with
	// another uid would otherwise not get: keyrings(7).
	InheritKeyring bool

	Ignored []Ignore // lint.ignore, in the order of the file; without effect on a launch

	source *source
	places map[string]place
}

// Env declares the variables of the target's environment.
type Env struct {
	KeepAll bool     // keep is "all" or absent
	Keep    []string // if not KeepAll
	Set     map[string]string
	Unset   []string
}

// An Rlimit is a resource limit. Name is as in RLIMIT_NAME, in lower case.
type Rlimit struct {
	Name       string
	Soft, Hard uint64 // Unlimited, or at most 1<<63 - 1

	// The target inherits the caller's value; Soft or Hard is then 0.
	InheritSoft, InheritHard bool
}

// Unlimited is the kernel's RLIM_INFINITY.
const Unlimited = ^uint64(0)

// Text returns the text that Parse or Read has read, which must not be changed; nil for
// a profile that Go code filled.
func (p *Profile) Text() []byte {
	if p.source == nil {
		return nil
	}
	return p.source.text
}

// Rlimit returns the limit of p with a name. If p does not set the limit, the target
// inherits both values.
func (p *Profile) Rlimit(name string) Rlimit {
	for _, r := range p.Rlimits {
		if r.Name == name {
			return r
		}
	}
	return Rlimit{Name: name, InheritSoft: true, InheritHard: true}
}

// LimitText returns a resource limit as a decimal number, in the unit of the resource,
// or as "unlimited" for [Unlimited].
func LimitText(n uint64) string {
	if n == Unlimited {
		return unlimited
	}
	return strconv.FormatUint(n, 10)
}
