package launches

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/engine/cred"
)

// Caller is the list of settings of internal/test/runas that make the caller of a
// launch.
type Caller []Setting

// Setting is one of them: name=value for runas. $DIR in the value stands for the
// directory of the case.
type Setting struct{ Name, Value string }

// Arguments returns the settings as arguments of runas.
func (c Caller) Arguments(dir string) []string {
	list := make([]string, len(c))
	for n, s := range c {
		list[n] = s.Name
		if s.Value != "" {
			list[n] += "=" + strings.ReplaceAll(s.Value, "$DIR", dir)
		}
	}
	return list
}

// Has reports whether the list has a setting of this name.
func (c Caller) Has(name string) bool {
	return slices.ContainsFunc(c, func(s Setting) bool { return s.Name == name })
}

// Keeps reports whether the settings open a descriptor.
func (c Caller) Keeps(fd int) bool {
	return slices.ContainsFunc(c, func(s Setting) bool { return s.Name == "fd" && strings.HasPrefix(s.Value, fmt.Sprint(fd)+":") })
}

// State returns the state in which an unprivileged program starts after the settings,
// and whether it starts with AT_SECURE. ok is false if the kernel would refuse a
// setting.
func (c Caller) State(m *Machine) (state cred.Cred, secure, ok bool) {
	state = m.Start
	for _, s := range c {
		if state, ok = s.apply(state, m.Rules); !ok {
			return state, false, false
		}
	}
	state, result, errno := state.Exec(cred.File{}, m.Rules)
	return state, result.Secure, errno == 0
}

// apply applies one setting to the model.
func (s Setting) apply(c cred.Cred, r cred.Rules) (cred.Cred, bool) {
	mask := func() cred.Caps { n, _ := strconv.ParseUint(s.Value, 0, 64); return cred.Caps(n) }
	var errno cred.Errno
	switch s.Name {
	case "userns":
		return s.userNamespace(c, r)
	case "uid", "gid":
		ids := numbers(s.Value)
		if len(ids) == 1 {
			ids = []uint32{ids[0], ids[0], ids[0]}
		}
		if s.Name == "uid" {
			c, errno = c.Setresuid(ids[0], ids[1], ids[2])
		} else {
			c, errno = c.Setresgid(ids[0], ids[1], ids[2])
		}
	case "groups":
		c, errno = c.Setgroups(numbers(s.Value))
	case "caps":
		c, errno = c.Capset(mask(), mask(), c.Inheritable)
	case "lose":
		c, errno = c.Capset(c.Effective.Minus(mask()), c.Permitted.Minus(mask()), c.Inheritable)
	case "inheritable":
		c, errno = c.Capset(c.Effective, c.Permitted, mask())
	case "ambient":
		for n := range 64 {
			if errno == 0 && mask().Has(n) {
				c, errno = c.RaiseAmbient(n)
			}
		}
	case "unbound":
		for n := range 64 {
			if errno == 0 && mask().Intersect(c.All).Has(n) {
				c, errno = c.DropBounding(n)
			}
		}
	case "keepcaps":
		c, errno = c.SetKeepCaps(true)
	case "secbits":
		n, _ := strconv.ParseUint(s.Value, 0, 32)
		c, errno = c.SetSecurebits(cred.Securebits(n), r)
	case "nnp":
		c = c.SetNoNewPrivs()
	case "mounts", "nosuid":
		return c, c.Effective.Has(sysAdmin)
	}
	return c, errno == 0
}

// userNamespace models the setting of runas, which executes itself in the new
// namespace.
func (s Setting) userNamespace(c cred.Cred, r cred.Rules) (cred.Cred, bool) {
	ns := cred.UserNS{SetgroupsDenied: true}
	maps := extents(s.Value)
	if maps != nil {
		ns = cred.UserNS{UIDs: maps, GIDs: maps}
	} else {
		id := numbers(s.Value)[0]
		ns.UIDs = []cred.Extent{{Inside: id, Outside: c.UID, Count: 1}}
		ns.GIDs = []cred.Extent{{Inside: id, Outside: c.GID, Count: 1}}
	}
	n, errno := c.NewUserNamespace(ns)
	if maps != nil {
		if errno == 0 {
			n, errno = n.Setgroups(nil)
		}
		if errno == 0 {
			n, errno = n.Setgid(0)
		}
		if errno == 0 {
			n, errno = n.Setuid(0)
		}
	}
	if errno != 0 {
		return c, false
	}
	n, _, errno = n.Exec(cred.File{}, r)
	return n, errno == 0
}

// extents reads INSIDE:OUTSIDE:COUNT, comma-separated.
func extents(value string) []cred.Extent {
	var list []cred.Extent
	for line := range strings.SplitSeq(value, ",") {
		n := numbers(strings.ReplaceAll(line, ":", ","))
		if len(n) != 3 {
			return nil
		}
		list = append(list, cred.Extent{Inside: n[0], Outside: n[1], Count: n[2]})
	}
	return list
}

func numbers(list string) []uint32 {
	var all []uint32
	for field := range strings.SplitSeq(list, ",") {
		if n, err := strconv.ParseUint(field, 0, 32); err == nil {
			all = append(all, uint32(n))
		}
	}
	return all
}

// maker collects settings, except those that the kernel would refuse.
type maker struct {
	*generator
	now  cred.Cred
	made Caller
}

func (k *maker) set(name, value string) bool {
	s := Setting{name, value}
	next, ok := s.apply(k.now, k.m.Rules)
	if ok {
		k.now, k.made = next, append(k.made, s)
	}
	return ok
}

func (k *maker) sometimes(percent int, name, value string) {
	if k.odds(percent) {
		k.set(name, value)
	}
}

func hex[T ~uint32 | ~uint64](n T) string { return fmt.Sprintf("%#x", uint64(n)) }

// idMaps are the maps of the user namespaces that a privileged caller makes: root is
// root outside, or an unprivileged user; some IDs, or many. Maps without root outside
// lack 65534 too: root's files look as if they had that owner, and caprun would take
// a mapped one for an untrusted user.
var idMaps = [...]string{"0:0:1,1000:1000:1", "0:0:65536", "0:100000:65534", "0:100000:1,33:200000:1,1000:1000:2"}

// caller returns a random caller.
func (g *generator) caller() Caller {
	k := &maker{generator: g, now: g.m.Start}
	root := k.now.EUID == 0
	switch kind := g.IntN(10); {
	case !g.m.Namespaces:
	case kind == 0 && root:
		k.set("userns", pick(g, idMaps[:]))
	case kind == 1, kind < 6 && !root:
		// as an unprivileged user can
		k.set("userns", pick(g, []string{"0", "0", "0", "1000"}))
	}
	if g.m.Mounts && g.odds(10) && k.set("mounts", "") {
		k.set("nosuid", "$DIR")
	}
	k.sometimes(25, "umask", pick(g, []string{"022", "077", "002"}))
	k.sometimes(25, "unbound", hex(g.some()))
	switch g.IntN(7) {
	case 0, 1: // unchanged
	case 2: // root, with other sets, groups and securebits
		k.sometimes(50, "inheritable", hex(g.some()))
		k.sometimes(50, "groups", pick(g, []string{"", "0", "27,1000", "4,24"}))
		k.sometimes(50, "secbits", hex(g.lockedBits()))
	case 3: // a user without capabilities
		k.user()
	case 4, 5: // with ambient capabilities, as a user or under noroot
		p := k.now.Permitted
		switch g.IntN(3) {
		case 0:
			p = p.Intersect(g.some().With(cred.SETPCAP).With(cred.SETUID))
		case 1:
			p = p.Intersect(g.some())
		}
		if g.odds(75) {
			k.set("keepcaps", "")
			k.user()
			k.set("caps", hex(p.With(cred.SETPCAP).Intersect(k.now.Permitted)))
		}
		k.set("inheritable", hex(p.Union(g.some())))
		k.set("ambient", hex(p))
		if g.odds(40) {
			k.set("secbits", hex(g.lockedBits()|cred.SecNoRoot))
		}
		k.sometimes(30, "inheritable", hex(p.Union(g.some()).Intersect(k.now.Inheritable)))
	case 6: // ids that differ, for which caprun refuses the caller
		if g.odds(40) {
			k.sometimes(60, "gid", pick(g, []string{"0,1000,0", "1000,0,0", "1000,1001,0"}))
			k.set("uid", pick(g, []string{"0,1000,0", "1000,0,0", "0,1000,1000", "1000,1001,0"}))
		} else {
			k.sometimes(60, "secbits", hex(g.lockedBits()))
		}
	}
	if g.odds(12) {
		k.sometimes(60, "lose", hex(g.some()))
		k.set("nnp", "")
	}
	k.sometimes(25, "fd", "5:/etc/passwd")
	k.sometimes(25, "fd", "7:/")
	return k.made
}

// user changes to an unprivileged user, if the caller may.
func (k *maker) user() {
	id := pick(k.generator, []string{"1000", "1000", "1001", "33", "65534"})
	k.set("groups", pick(k.generator, []string{"", id, id, "27," + id, "0"}))
	k.sometimes(90, "gid", id)
	k.set("uid", id)
}

// lockedBits returns random securebits, some of them locked.
func (g *generator) lockedBits() cred.Securebits {
	if g.odds(15) {
		return 0xef
	}
	bits := cred.Securebits(g.Uint32()&g.Uint32()) & 0xff
	if g.odds(10) {
		bits |= cred.Securebits(g.Uint32()) & 0xf00
	}
	return bits
}
