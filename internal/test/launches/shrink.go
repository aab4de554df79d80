package launches

import "caprun/engine/cred"

// Shrink returns a smaller case that still fails, from which nothing more can be
// removed. It tries at most tries cases.
func Shrink(m *Machine, c Case, tries int, fails func(Case) bool) Case {
	try := func(smaller Case) bool {
		if tries == 0 {
			return false
		}
		if _, _, ok := smaller.Caller.State(m); !ok {
			return false
		}
		tries--
		if !fails(smaller) {
			return false
		}
		c = smaller
		return true
	}
	for again := true; again; {
		again = false
		for n := len(c.Caller) - 1; n >= 0; n-- {
			smaller := c
			smaller.Caller = append(append(Caller{}, c.Caller[:n]...), c.Caller[n+1:]...)
			again = try(smaller) || again
		}
		for _, key := range keys {
			if key.present(&c.Profile) {
				smaller := c
				key.remove(&smaller.Profile)
				again = try(smaller) || again
			}
		}
		for _, simpler := range simplerTargets {
			smaller := c
			if simpler(&smaller.Target); smaller.Target != c.Target {
				again = try(smaller) || again
			}
		}
	}
	return c
}

// keys are the removable keys of a profile.
var keys = [...]struct {
	present func(*Profile) bool
	remove  func(*Profile)
}{
	{func(p *Profile) bool { return p.Keep != nil }, func(p *Profile) { p.Keep = nil }},
	{func(p *Profile) bool { return p.Limits != nil }, func(p *Profile) { p.Limits = nil }},
	{func(p *Profile) bool { return p.Env != nil }, func(p *Profile) { p.Env = nil }},
	{func(p *Profile) bool { return p.Umask != "" }, func(p *Profile) { p.Umask = "" }},
	{func(p *Profile) bool { return p.Cwd != "" }, func(p *Profile) { p.Cwd = "" }},
	{func(p *Profile) bool { return p.Chroot }, func(p *Profile) { p.Chroot = false }},
	{func(p *Profile) bool { return p.NNP }, func(p *Profile) { p.NNP = false }},
	{func(p *Profile) bool { return p.Secbits != nil }, func(p *Profile) { p.Secbits = nil }},
	{func(p *Profile) bool { return p.Mode != "" }, func(p *Profile) { p.Mode = "" }},
	{func(p *Profile) bool { return p.IAB != nil }, func(p *Profile) { p.IAB = nil }},
	{func(p *Profile) bool { return p.Caps != nil }, func(p *Profile) { p.Caps = nil }},
	{func(p *Profile) bool { return p.Groups != nil }, func(p *Profile) { p.Groups = nil }},
	{func(p *Profile) bool { return p.UID != nil || p.User != "" }, func(p *Profile) { p.UID, p.GID, p.Groups, p.User = nil, nil, nil, "" }},
}

var simplerTargets = [...]func(*Target){
	func(t *Target) { t.Via = Direct },
	func(t *Target) { t.File.Setuid = false },
	func(t *Target) { t.File.Setgid, t.File.GroupExec = false, true },
	func(t *Target) {
		t.File.HasCaps, t.File.Permitted, t.File.Inheritable, t.File.Effective, t.RootID = false, 0, 0, false, 0
	},
	func(t *Target) { t.RootID = 0 },
	func(t *Target) { t.File.Permitted = lowest(t.File.Permitted) },
	func(t *Target) { t.File.Inheritable = lowest(t.File.Inheritable) },
	func(t *Target) { t.File.Effective = false },
}

// lowest returns the lowest capability of a set.
func lowest(s cred.Caps) cred.Caps { return s & -s }
