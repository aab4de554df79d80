package compare

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/test/requires"
)

// reached is what a target got during a walk: permitted capabilities, IDs and groups, and
// what it inherited.
type reached map[string]bool

func (r reached) add(c cred.Cred) {
	for n := range 64 {
		if c.Permitted.Has(n) {
			r[fmt.Sprint("capability ", n)] = true
		}
	}
	for _, id := range []uint32{c.UID, c.EUID, c.SUID, c.FSUID} {
		r[fmt.Sprint("uid ", id)] = true
	}
	for _, id := range slices.Concat([]uint32{c.GID, c.EGID, c.SGID, c.FSGID}, c.Groups) {
		r[fmt.Sprint("gid ", id)] = true
	}
}

// inherits adds what the target inherits from the caller.
func (r reached) inherits(p *engine.Plan) {
	for _, entry := range p.Environ([]string{"PATH=1", "LD_PRELOAD=2", "A=3", "TZ=4", "HOME=5"}) {
		if name, _, _ := strings.Cut(entry, "="); entry != "HOME=/" {
			r["variable "+name] = true
		}
	}
	for _, fd := range p.Profile.KeepFDs {
		r[fmt.Sprint("descriptor ", fd)] = true
	}
	if !p.Profile.NewSession {
		r["the caller's terminal"] = true
	}
	if !p.NewKeyring() {
		r["the caller's session keyring"] = true
	}
	if rootDirectoryOf(p.Profile) == "" {
		r["the caller's root directory"] = true
	}
}

// walk executes random operations and files.
func (r reached) walk(g *rand.Rand, start cred.Cred, steps int) {
	universe := cred.CapsOf(5, cred.SETUID, cred.SETGID, cred.SETPCAP, 13)
	some := func() cred.Caps { return cred.Caps(g.Uint64()) & universe }
	ids := []uint32{0, 4, 33, 1000}
	id := func() uint32 { return ids[g.IntN(len(ids))] }
	c := start
	r.add(c)
	for range steps {
		var next cred.Cred
		var errno cred.Errno
		switch g.IntN(10) {
		case 0:
			next, errno = c.Capset(c.Permitted, c.Permitted, c.Inheritable|some())
		case 1:
			next, errno = c.Capset(c.Permitted, c.Permitted, c.Inheritable)
		case 2:
			next, errno = c.RaiseAmbient([]int{5, cred.SETUID, cred.SETGID, cred.SETPCAP, 13}[g.IntN(5)])
		case 3:
			next, errno = c.Setresuid(id(), id(), id())
		case 4:
			next, errno = c.Setresgid(id(), id(), id())
		case 5:
			next, errno = c.Setgroups([]uint32{id()})
		case 6:
			next, errno = c.SetKeepCaps(true)
		case 7:
			next, errno = c.SetSecurebits(c.Securebits^cred.Securebits(1<<g.IntN(8)), cred.Latest())
		default:
			f := cred.File{Setuid: g.IntN(2) == 0, UID: id(), Setgid: g.IntN(2) == 0, GroupExec: true, GID: id(),
				HasCaps: g.IntN(3) == 0, Permitted: some(), Inheritable: some(), Effective: g.IntN(2) == 0}
			next, _, errno = c.Exec(f, cred.Latest())
		}
		if errno == 0 {
			c = next
		}
		r.add(c)
	}
}

// TestLessReachesNoMore checks that a new target which Compare reports as less or the same
// gets nothing that the old one cannot get.
func TestLessReachesNoMore(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 0))
	pairs := 0
	for _, from := range comparisonStarts() {
		plans := randomPlans(t, g, from, requires.Rounds(24, 40))
		all, few := make([]reached, len(plans)), make([]reached, len(plans))
		for n, p := range plans {
			all[n], few[n] = reached{}, reached{}
			all[n].inherits(p)
			few[n].inherits(p)
			for range 150 {
				all[n].walk(g, p.AfterExec, 40)
			}
			for range 15 {
				few[n].walk(g, p.AfterExec, 40)
			}
		}
		for n, old := range plans {
			for m, new := range plans {
				if o := Compare(old, new).Order(); n == m || o.Widens() {
					continue
				}
				pairs++
				// uid 0 owns the files that define users and groups.
				root := identityOf(old.AfterExec, old.Identity).uids.MayBeRoot()
				for what := range few[m] {
					isID := strings.HasPrefix(what, "uid ") || strings.HasPrefix(what, "gid ")
					if !all[n][what] && !(root && isID) {
						t.Errorf("%s is not reachable for\n%s\nbut for\n%s", what, outcomeText(old), outcomeText(new))
					}
				}
			}
		}
	}
	if pairs < 100 {
		t.Errorf("only %d pairs are less or the same", pairs)
	}
	t.Log(pairs, "pairs")
}
