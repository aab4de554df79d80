package launches

import (
	"fmt"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
)

// Profile is a profile before it is written. A key that is nil, or zero, is absent.
type Profile struct {
	UID, GID *uint32
	User     string
	Groups   []uint32 // empty, not nil, if declared so

	Caps    *Sets
	IAB     *IABSets
	Mode    string
	Secbits *cred.Securebits
	NNP     bool

	Chroot bool
	Cwd    string // inside the root
	Umask  string
	Env    *Env
	Limits []Limit
	Keep   []int
}

// Sets is what caps declares.
type Sets struct{ E, P, I cred.Caps }

// IABSets is what iab declares. Blocked are the capabilities that leave the bounding
// set.
type IABSets struct{ I, A, Blocked cred.Caps }

// Env is what env declares. With a nil Keep, every variable is kept.
type Env struct {
	Keep, Unset []string
	Set         [][2]string
}

// Limit is a resource limit.
type Limit struct{ Name, Soft, Hard string }

// Text returns the text of the profile, for the directory of the case.
func (p *Profile) Text(dir string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("version: 1")
	if p.User != "" {
		line("user: %s", p.User)
	}
	if p.UID != nil {
		line("uid: %d", *p.UID)
	}
	if p.GID != nil {
		line("gid: %d", *p.GID)
	}
	if p.Groups != nil {
		line("groups: [%s]", join(p.Groups))
	}
	if p.Caps != nil {
		line("caps: %q", p.Caps.text())
	}
	if p.IAB != nil {
		line("iab: %q", p.IAB.text())
	}
	if p.Mode != "" {
		line("mode: %s", p.Mode)
	}
	if p.Secbits != nil {
		line("secbits: [%s]", strings.Join(p.Secbits.Names(), ", "))
	}
	if p.NNP {
		line("no_new_privs: true")
	}
	if p.Chroot {
		line("chroot: %s/%s", dir, Jail)
	}
	if p.Cwd != "" {
		line("cwd: %s", p.cwd(dir))
	}
	if p.Umask != "" {
		line("umask: %q", p.Umask)
	}
	if p.Env != nil {
		line("env:")
		keep := "all"
		if p.Env.Keep != nil {
			keep = "[" + strings.Join(p.Env.Keep, ", ") + "]"
		}
		line("  keep: %s", keep)
		line("  unset: [%s]", strings.Join(p.Env.Unset, ", "))
		for n, v := range p.Env.Set {
			if n == 0 {
				line("  set:")
			}
			line("    %s: %q", v[0], v[1])
		}
	}
	for n, l := range p.Limits {
		if n == 0 {
			line("rlimits:")
		}
		line("  %s: {soft: %s, hard: %s}", l.Name, l.Soft, l.Hard)
	}
	if p.Keep != nil {
		line("keep_fds: [%s]", join(p.Keep))
	}
	return b.String()
}

// Jail is the directory that profiles with chroot use, below that of the case.
const Jail = "jail"

// cwd returns the declared working directory, as a path in the target's root
// directory.
func (p *Profile) cwd(dir string) string {
	if p.Cwd == "/" || p.Chroot {
		return p.Cwd
	}
	return dir + p.Cwd
}

func join[T any](list []T) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(list)), ", "), "[]")
}

// text writes the sets with one clause for each combination of flags.
func (s Sets) text() string {
	clauses := []string{"="}
	for flags := 1; flags < 8; flags++ {
		var names []string
		for n := range cap.Value(cap.NamedCount) {
			have := 0
			for bit, set := range []cred.Caps{s.E, s.P, s.I} {
				if set.Has(int(n)) {
					have |= 1 << bit
				}
			}
			if have == flags {
				names = append(names, n.String())
			}
		}
		if names == nil {
			continue
		}
		letters := ""
		for bit, letter := range "epi" {
			if flags&(1<<bit) != 0 {
				letters += string(letter)
			}
		}
		clauses = append(clauses, strings.Join(names, ",")+"+"+letters)
	}
	if len(clauses) == 2 {
		return strings.Replace(clauses[1], "+", "=", 1)
	}
	return strings.Join(clauses, " ")
}

func (v IABSets) text() string {
	var list []string
	for n := range cap.Value(cap.NamedCount) {
		marks := ""
		if v.Blocked.Has(int(n)) {
			marks += "!"
		}
		switch {
		case v.A.Has(int(n)):
			marks += "^"
		case v.I.Has(int(n)):
			marks += "%"
		}
		if marks != "" {
			list = append(list, marks+n.String())
		}
	}
	return strings.Join(list, ",")
}

// profile returns a random profile for a caller and a target. Most have a plan.
func (g *generator) profile(c *Case) Profile {
	from, _, _ := c.Caller.State(g.m)
	var p Profile
	g.identity(&p, from)
	if g.odds(25) {
		p.NNP = true
	}
	if g.odds(20) {
		bits := g.lockedBits() &^ cred.SecKeepCaps
		bits |= bits >> 1 & (cred.SecNoRoot | cred.SecNoSetuidFixup | cred.SecNoCapAmbientRaise | 0x500)
		if g.odds(80) {
			locks := from.Securebits & cred.SecAllLocks
			bits = bits&^(locks>>1) | locks | from.Securebits&(locks>>1)&^cred.SecKeepCaps
		}
		if !from.Permitted.Has(cred.SETPCAP) && g.odds(80) {
			bits = from.Securebits
		}
		p.Secbits = &bits
	} else if g.odds(8) {
		p.Mode = pick(g, []string{"HYBRID", "PURE1E", "PURE1E_INIT", "NOPRIV"})
	}
	if g.odds(3) || from.Permitted.Has(cred.SYS_CHROOT) && g.odds(15) {
		p.Chroot = true
	}
	g.privilege(&p, from, c)
	g.surroundings(&p, c)
	return p
}

// identity declares the user and groups, in half of the cases.
func (g *generator) identity(p *Profile, from cred.Cred) {
	own := from.UID == from.EUID && (!from.Permitted.Has(cred.SETUID) || !from.Permitted.Has(cred.SETGID)) && g.odds(75)
	switch {
	case g.odds(45):
	case own && g.odds(80):
		p.UID, p.GID = &from.UID, &from.GID
		p.Groups = append([]uint32{}, from.Groups...)
	case g.odds(65):
		uid, gid := pick(g, []uint32{0, 0, 1000, 1000, 33, 1001, 65534}), pick(g, []uint32{0, 1000, 1000, 33, 1001})
		p.UID, p.GID = &uid, &gid
		if g.odds(40) {
			p.Groups = pick(g, [][]uint32{{}, {27}, {33, 1000}, {0}})
		}
		if g.odds(2) {
			p.GID = nil
		}
	default:
		p.User = pick(g, g.m.Users).Name
		if g.odds(25) {
			gid := pick(g, []uint32{0, 1000, 33})
			p.GID = &gid
		}
		if g.odds(25) {
			p.Groups = pick(g, [][]uint32{{}, {27}, {33, 1000}})
		}
	}
}

// privilege declares capability sets: often those that the kernel would give for
// random sets before exec, sometimes any.
func (g *generator) privilege(p *Profile, from cred.Cred, c *Case) {
	if g.odds(20) {
		return
	}
	sets, iab := g.outcome(p, from, c)
	if g.odds(15) {
		sets.E, sets.P, sets.I = sets.E^g.within(from.Permitted), sets.P^g.within(from.Permitted), sets.I^g.within(from.Permitted)
		sets.E = sets.E.Intersect(sets.P)
	}
	switch {
	case !from.Permitted.Has(cred.SETPCAP) && g.odds(80), g.odds(20):
		p.IAB = &iab
		if g.odds(50) {
			p.Caps = &sets
		}
	default:
		p.Caps = &sets
	}
}

// outcome picks random sets that the caller can set before exec, and returns the sets
// that the target then has.
func (g *generator) outcome(p *Profile, from cred.Cred, c *Case) (Sets, IABSets) {
	before := from
	promise := p.Promise(g.m.Users)
	if promise.Identity {
		before.UID, before.EUID, before.SUID, before.FSUID = promise.UID, promise.UID, promise.UID, promise.UID
		before.GID, before.EGID, before.SGID, before.FSGID = promise.GID, promise.GID, promise.GID, promise.GID
		before.Groups = promise.Groups
	}
	before.Securebits = promise.bits(from)
	before.NoNewPrivs = promise.noNewPrivs(from)
	able := from.Permitted.Has(cred.SETPCAP)
	allowed := from.Inheritable.Union(from.Permitted.Intersect(from.Bounding))
	if able {
		allowed = allowed.Union(from.Bounding)
	}
	before.Inheritable = g.within(allowed)
	before.Ambient = before.Inheritable.Intersect(from.Permitted)
	if g.odds(30) || from.Securebits.Has(cred.SecNoCapAmbientRaise) {
		before.Ambient = g.within(before.Ambient).Intersect(from.Ambient)
	}
	switch p.Mode {
	case "PURE1E":
		before.Ambient = 0
	case "PURE1E_INIT", "NOPRIV":
		before.Ambient, before.Inheritable = 0, 0
	}
	if able {
		before.Bounding = g.within(from.Bounding).Union(before.Inheritable.Intersect(from.Bounding))
		if g.odds(50) {
			before.Bounding = before.Bounding.Union(c.Target.File.Permitted.Intersect(from.Bounding))
		}
	}
	file := c.Target.Facts(from.UserNS, c.Caller.Has("nosuid"))
	var after cred.Cred
	for range 3 {
		var errno cred.Errno
		if after, _, errno = before.Exec(file, g.m.Rules); errno != 0 {
			after = before
		}
		if able {
			before.Bounding = before.Bounding.Intersect(after.Permitted.Union(after.Inheritable))
		}
	}
	named := cred.FirstCaps(int(cap.NamedCount))
	return Sets{after.Effective, after.Permitted, after.Inheritable},
		IABSets{before.Inheritable, before.Ambient, from.Bounding.Minus(before.Bounding).Intersect(named)}
}

// surroundings declares what is not about credentials.
func (g *generator) surroundings(p *Profile, c *Case) {
	if g.odds(15) {
		p.Cwd = pick(g, []string{"/", "/dir"})
	}
	if g.odds(20) {
		p.Umask = pick(g, []string{"0027", "077", "0000"})
	}
	if g.odds(30) {
		p.Env = &Env{
			Unset: pick(g, [][]string{nil, {"LANG"}, {"TMPDIR", "HOME"}}),
			Set:   pick(g, [][][2]string{nil, {{"MODE", "production"}}, {{"USER", "alice"}, {"LD_PRELOAD", "/set.so"}}}),
		}
		if g.odds(50) {
			p.Env.Keep = pick(g, [][]string{{}, {"PATH"}, {"LOGNAME", "LD_LIBRARY_PATH"}})
		}
	}
	if g.odds(20) {
		p.Limits = pick(g, [][]Limit{
			{{"core", "0", "0"}},
			{{"core", "0", "unlimited"}, {"cpu", "1000", "2000"}},
			{{"fsize", "1073741824", "1073741824"}, {"stack", "8388608", "16777216"}},
			{{"stack", "16777216", "16777216"}},
		})
	}
	for _, fd := range []int{5, 7} {
		if c.Caller.Keeps(fd) && g.odds(50) || g.odds(1) {
			p.Keep = append(p.Keep, fd)
		}
	}
	slices.Sort(p.Keep)
}
