package compare

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// compareTexts compares two profiles, given as their lines, for root as the caller.
func compareTexts(t *testing.T, a, b string) Comparison {
	t.Helper()
	return Compare(planOf(t, a, cred.Root()), planOf(t, b, cred.Root()))
}

func planOf(t *testing.T, text string, from cred.Cred) *engine.Plan {
	t.Helper()
	plan, diagnostics := engine.Compile(parse(t, text), from, engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%s\n%v", text, diagnostics)
	}
	return plan
}

// TestCompare compares profiles that differ in one respect, in both directions.
func TestCompare(t *testing.T) {
	const web = "uid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\n"
	cases := []struct {
		name, a, b string
		order      Order
		different  string // name:order of each dimension that differs
	}{
		{"nothing", web, web + "description: another\numask: \"0027\"\ncwd: /\ncommand: [/bin/x]", Same, ""},
		{"one more capability", web, strings.Replace(web, "service", "service,cap_kill", 1), More,
			"effective:more permitted:more inheritable:more ambient:more bounding:more regainable:more"},
		{"another capability", web, strings.Replace(web, "net_bind_service", "kill", 1), Incomparable,
			"effective:not comparable permitted:not comparable inheritable:not comparable ambient:not comparable " +
				"bounding:not comparable regainable:not comparable"},
		{"no_new_privs", web, web + "no_new_privs: true", Less, "no_new_privs:less"},
		{"what can be regained", "uid: 33\ngid: 33\niab: \"\"", "uid: 33\ngid: 33\niab: \"\"\nno_new_privs: true", Less,
			"regainable:less no_new_privs:less"},
		{"noroot", web, web + "secbits: [noroot]", Less, "secbits:less"},
		{"its lock", web + "secbits: [noroot]", web + "secbits: [noroot, noroot_locked]", Less, "secbits:less"},
		{"noroot for another bit", web + "secbits: [noroot]", web + "secbits: [no_cap_ambient_raise]", Incomparable, "secbits:not comparable"},
		{"no_setuid_fixup", web, web + "secbits: [no_setuid_fixup]", Incomparable, "secbits:not comparable"},
		{"no_setuid_fixup where the user cannot change", web + "no_new_privs: true", web + "no_new_privs: true\nsecbits: [no_setuid_fixup]", Less, "secbits:less"},
		{"no_setuid_fixup where the user can", "uid: 33\ngid: 33\ncaps: cap_setuid=eip\nno_new_privs: true",
			"uid: 33\ngid: 33\ncaps: cap_setuid=eip\nno_new_privs: true\nsecbits: [no_setuid_fixup]", Incomparable, "secbits:not comparable"},
		{"no_setuid_fixup where nothing is left", "caps: \"=\"\niab: \"\"\nno_new_privs: true", "uid: 33\ngid: 33\nmode: NOPRIV", Less,
			"uid:less gid:less groups:less bounding:less secbits:less keyring:less env:less"},
		{"no_setuid_fixup with an empty bounding set", "uid: 33\ngid: 33\ncaps: \"=\"", "uid: 33\ngid: 33\ncaps: \"=\"\nsecbits: [no_setuid_fixup]", Less, "secbits:less"},
		{"keep_caps locked off", web, web + "secbits: [keep_caps_locked]", Less, "secbits:less"},
		{"a user that is not root", "uid: 0\ngid: 0\ncaps: \"=\"", "uid: 33\ngid: 33\ncaps: \"=\"", Less, "uid:less gid:less groups:less keyring:less env:less"},
		{"the caller's identity is root's", "caps: \"=\"", "uid: 33\ngid: 33\ncaps: \"=\"", Less, "uid:less gid:less groups:less keyring:less env:less"},
		{"another user", web, strings.ReplaceAll(web, "33", "34"), Incomparable,
			"uid:not comparable gid:not comparable groups:not comparable"},
		{"another group", web, web + "groups: [4]", More, "groups:more"},
		{"a user by name", "user: www-data", "user: www-data", Same, ""},
		{"two users by name", "user: www-data", "user: games", Incomparable, "uid:not comparable gid:not comparable groups:not comparable"},
		{"a user by name, and root", "user: www-data\ncaps: \"=\"", "user: root\ncaps: \"=\"", More, "uid:more gid:more groups:more keyring:more env:more"},
		{"a group of a user by name", "user: www-data", "user: www-data\ngid: 4", Incomparable, "gid:not comparable groups:not comparable"},
		{"a jail", web, web + "chroot: /srv/a", Less, "chroot:less"},
		{"the caller's root directory", web, web + "chroot: /", Same, ""},
		{"out of a jail", web + "chroot: /srv/a", web + "chroot: /", More, "chroot:more"},
		{"another jail", web + "chroot: /srv/b", web + "chroot: /srv/a", Incomparable, "chroot:not comparable"},
		{"fewer variables", web, web + "env: {keep: [PATH, LANG]}", Less, "env:less"},
		{"one less", web + "env: {keep: [PATH, LANG]}", web + "env: {keep: [LANG]}", Less, "env:less"},
		{"without one", web, web + "env: {unset: [TERM]}", Less, "env:less"},
		{"without one of a list that lacks it", web + "env: {keep: [PATH]}", web + "env: {keep: all, unset: [TERM]}", More, "env:more"},
		{"a value", web, web + "env: {set: {MODE: production}}", Incomparable, "env:not comparable"},
		{"a loader variable in a list, and no identity", "env: {keep: [LD_PRELOAD]}", "env: {keep: [LD_PRELOAD]}\nno_new_privs: true", Less, "no_new_privs:less"},
		{"the caller's HOME", web, web + "env: {keep: [HOME]}", Incomparable, "env:not comparable"},
		{"the caller's HOME besides", web + "env: {keep: [PATH]}", web + "env: {keep: [PATH, HOME]}", More, "env:more"},
		{"without the other groups of a user by name", "user: www-data", "user: www-data\ngroups: []", Less, "groups:less"},
		{"one group instead of those of a user by name", "user: www-data", "user: www-data\ngroups: [4]", Incomparable, "groups:not comparable"},
		{"without the other groups, with a gid", "user: www-data\ngid: 4", "user: www-data\ngid: 4\ngroups: []", Less, "groups:less"},
		{"the last uid and gid are numbers", "user: www-data", "uid: 4294967294\ngid: 4294967294", Incomparable, "uid:not comparable gid:not comparable groups:not comparable"},
		{"the last gid is a number", "user: www-data\ngid: 4294967294", "user: www-data", Incomparable, "gid:not comparable groups:not comparable"},
		{"the same gid by name", "uid: 33\ngid: www-data", "uid: 33\ngid: www-data\ngroups: [www-data]", Same, ""},
		{"a gid by name and by number", "uid: 33\ngid: 33", "uid: 33\ngid: www-data", Incomparable, "gid:not comparable groups:not comparable"},
		{"gid 0 by name and by number", "uid: 33\ngid: 0", "uid: 33\ngid: root", Incomparable, "gid:not comparable groups:not comparable"},
		{"two gids by name", "uid: 33\ngid: adm", "uid: 33\ngid: root", Incomparable, "gid:not comparable groups:not comparable"},
		{"one more group by name", "uid: 33\ngid: 33\ngroups: [adm]", "uid: 33\ngid: 33\ngroups: [audio, adm]", More, "groups:more"},
		{"groups by name in another order", "uid: 33\ngid: web\ngroups: [adm, 4, audio]", "uid: 33\ngid: web\ngroups: [audio, web, adm, 4]", Same, ""},
		{"a group by name and by number", "uid: 33\ngid: 33\ngroups: [adm]", "uid: 33\ngid: 33\ngroups: [4]", Incomparable, "groups:not comparable"},
		{"a number more than a name", "uid: 33\ngid: 33\ngroups: [adm]", "uid: 33\ngid: 33\ngroups: [4, adm]", More, "groups:more"},
		{"a gid by name for that of a user", "user: www-data", "user: www-data\ngid: www-data", Incomparable, "gid:not comparable groups:not comparable"},
		{"a name and the number that stands for one", "uid: 33\ngid: adm\ngroups: []", "uid: 33\ngid: 4294967294\ngroups: []", Incomparable, "gid:not comparable groups:not comparable"},
		{"a group by name for uid 0", "uid: 33\ngid: adm\ncaps: \"=\"", "uid: 0\ngid: 0\ncaps: \"=\"", More, "uid:more gid:more groups:more keyring:more env:more"},
		{"HOME of the user", web, web + "env: {unset: [HOME]}", Same, ""},
		{"a session of its own", web, web + "new_session: true", Less, "new_session:less"},
		{"the caller's session", web + "new_session: true", web, More, "new_session:more"},
		{"a limit", web, web + "rlimits: {nofile: 100}", Incomparable, "rlimits:not comparable"},
		{"a lower limit", web + "rlimits: {nofile: 100}", web + "rlimits: {nofile: {soft: 90, hard: 100}}", Less, "rlimits:less"},
		{"a lower soft limit alone", web + "rlimits: {nofile: {soft: 100}}", web + "rlimits: {nofile: {soft: 90}}", Less, "rlimits:less"},
		{"a soft limit alone is not the absent limit", web, web + "rlimits: {nofile: {soft: 90}}", Incomparable, "rlimits:not comparable"},
		{"no soft limit", web, web + "rlimits: {nofile: {soft: 0}}", Less, "rlimits:less"},
		{"a hard limit alone", web + "rlimits: {nofile: {soft: 90, hard: 100}}", web + "rlimits: {nofile: {hard: 90}}", Less, "rlimits:less"},
		{"a soft and a hard limit alone", web + "rlimits: {nofile: {soft: 90}}", web + "rlimits: {nofile: {hard: 91}}", Incomparable, "rlimits:not comparable"},
		{"a lower hard limit", web + "rlimits: {nofile: {soft: 90, hard: 100}}", web + "rlimits: {nofile: 90}", Less, "rlimits:less"},
		{"no core", web, web + "rlimits: {core: 0}", Less, "rlimits:less"},
		{"no limit", web, web + "rlimits: {core: unlimited}", More, "rlimits:more"},
		{"one up, one down", web + "rlimits: {core: 0, nofile: 10}", web + "rlimits: {core: 1, nofile: 9}", Incomparable, "rlimits:not comparable"},
		{"a descriptor", web, web + "keep_fds: [3]", More, "keep_fds:more"},
		{"the same descriptors", web + "keep_fds: [4, 3]", web + "keep_fds: [3, 4]", Same, ""},
		{"one wider, one narrower", web, web + "keep_fds: [3]\nno_new_privs: true", Incomparable, "no_new_privs:less keep_fds:more"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			there := compareTexts(t, c.a, c.b)
			var different []string
			for _, d := range there.Changed() {
				different = append(different, string(d.Dimension)+":"+d.Order.String())
			}
			want := strings.ReplaceAll(c.different, "regainable:same ", "")
			if got := strings.Join(different, " "); got != want {
				t.Errorf("different is\n%s, want\n%s", got, want)
			}
			if there.Order() != c.order {
				t.Errorf("the order is %v, want %v", there.Order(), c.order)
			}
			back := compareTexts(t, c.b, c.a)
			for n, d := range there.Differences {
				if e := back.Differences[n]; e.Order != reverse(d.Order) || !e.Old.equal(d.New) || !e.New.equal(d.Old) {
					t.Errorf("there %+v, and back %+v", d, e)
				}
			}
		})
	}
}

func TestCompareParts(t *testing.T) {
	ids := func(r, e, s, f uint32) IDs { return IDs{{Number: r}, {Number: e}, {Number: s}, {Number: f}} }
	for _, c := range []struct {
		a, b IDs
		want Order
	}{
		{ids(5, 5, 5, 5), ids(5, 5, 5, 5), Same},
		{ids(5, 5, 5, 5), ids(5, 6, 6, 6), More},
		{ids(5, 6, 5, 6), ids(6, 5, 6, 5), Incomparable},
		{ids(5, 6, 5, 6), ids(5, 7, 5, 7), Incomparable},
	} {
		if got := orderIDs(c.a, c.b); got != c.want || orderIDs(c.b, c.a) != reverse(c.want) {
			t.Errorf("%v and %v: %v", c.a, c.b, got)
		}
	}

	const off, on, locked, lockedOff = 0, cred.SecNoRoot, cred.SecNoRoot | cred.SecNoRootLocked, cred.SecNoRootLocked
	for _, c := range []struct {
		a, b cred.Securebits
		want Order
	}{
		{off, on, Less},
		{off, locked, Less},
		{on, locked, Less},
		{off, lockedOff, Incomparable},
		{on, lockedOff, Incomparable},
		{locked, lockedOff, Incomparable},
		{lockedOff, lockedOff, Same},
	} {
		if got := orderRestrictingBit(c.a, c.b, cred.SecNoRoot); got != c.want || orderRestrictingBit(c.b, c.a, cred.SecNoRoot) != reverse(c.want) {
			t.Errorf("%v and %v: %v", c.a.Names(), c.b.Names(), got)
		}
	}
}

func reverse(o Order) Order {
	switch o {
	case Less:
		return More
	case More:
		return Less
	}
	return o
}

func TestCompareCallers(t *testing.T) {
	a, b := planOf(t, "caps: \"=\"", cred.Root()), planOf(t, "caps: \"=\"\niab: \"\"", plainUser())
	c := Compare(a, b)
	if d := c.Differences[0]; d.Dimension != Caller || d.Order != Incomparable || c.Order() != Incomparable {
		t.Errorf("plans for different callers: %v, %+v", c.Order(), d)
	}
}

// randomPlans returns plans for the caller from. The profiles have few parts, so that equal
// and comparable plans are common.
func randomPlans(t *testing.T, r *rand.Rand, from cred.Cred, count int) []*engine.Plan {
	parts := [][]string{
		{"", "", "uid: 0\ngid: 0", "uid: 33\ngid: 33", "uid: 33\ngid: 33\ngroups: [4]", "uid: 33\ngid: 4", "user: www-data", "user: www-data\ngroups: []", "user: games\ngid: 33", "user: root",
			"uid: 33\ngid: adm", "uid: 33\ngid: 33\ngroups: [adm]", "uid: 33\ngid: 33\ngroups: [adm, audio]", "uid: 33\ngid: 33\ngroups: [4, audio]"},
		{"", "caps: \"=\"", "caps: cap_kill=eip", "caps: cap_kill,cap_net_raw=eip", "caps: cap_kill=ep", "caps: cap_kill=i",
			"iab: \"\"", "iab: ^cap_kill", "iab: \"!cap_chown,cap_kill\""},
		{"", "", "no_new_privs: true"},
		{"", "", "mode: PURE1E", "mode: NOPRIV", "secbits: []", "secbits: [noroot]", "secbits: [noroot, noroot_locked]",
			"secbits: [noroot, no_setuid_fixup]", "secbits: [keep_caps_locked, no_cap_ambient_raise]"},
		{"", "", "", "chroot: /a", "chroot: /b"},
		{"", "", "", "env: {keep: [PATH, HOME]}", "env: {keep: [HOME]}", "env: {keep: [PATH]}", "env: {unset: [LD_PRELOAD, TZ]}", "env: {set: {A: b}}", "env: {keep: [LD_PRELOAD, A], set: {A: b}}"},
		{"", "", "", "rlimits: {core: 0}", "rlimits: {core: 7}", "rlimits: {core: unlimited, nofile: 0}"},
		{"", "", "", "keep_fds: [3]", "keep_fds: [4, 3]"},
		{"", "", "", "new_session: true"},
	}
	var plans []*engine.Plan
	for tries := 0; len(plans) < count; tries++ {
		if tries > 100*count {
			t.Fatalf("%d plans out of %d profiles", len(plans), tries)
		}
		var lines []string
		for _, part := range parts {
			if line := part[r.IntN(len(part))]; line != "" && r.IntN(3) == 0 {
				lines = append(lines, line)
			}
		}
		p, _ := policy.Parse("test.yaml", []byte("version: 1\n"+strings.Join(lines, "\n")+"\n"))
		if p == nil {
			continue
		}
		if plan, _ := engine.Compile(p, from, engine.OrdinaryTarget()); plan != nil {
			plans = append(plans, plan)
		}
	}
	return plans
}

func comparisonStarts() []cred.Cred {
	mixed := cred.Root()
	mixed.UID, mixed.SUID = 1000, 1000
	bounded := cred.Root()
	bounded.Bounding = bounded.Bounding.Without(3)
	bounded.Securebits = cred.SecNoSetuidFixup
	return []cred.Cred{cred.Root(), mixed, bounded}
}

// TestComparePreorder checks, in each dimension and in all together, that the order is
// reflexive and transitive, that it reverses with the arguments, and that plans which are
// the same in both directions have equal outcomes.
func TestComparePreorder(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 0))
	for _, from := range comparisonStarts() {
		plans := randomPlans(t, r, from, 70)
		orders := make([][][]Order, len(plans))
		for n, a := range plans {
			orders[n] = make([][]Order, len(plans))
			for m, b := range plans {
				c := Compare(a, b)
				list := []Order{c.Order()}
				for _, d := range c.Differences {
					list = append(list, d.Order)
					if (d.Order == Same) == d.Changed() && !slices.Contains([]Dimension{GID, Groups, Securebits}, d.Dimension) {
						t.Fatalf("%s is %v with %s and %s", d.Dimension, d.Order, d.Old, d.New)
					}
				}
				orders[n][m] = list
				if same, equal := c.Order() == Same, outcomeText(a) == outcomeText(b); same != equal {
					t.Fatalf("order %v, but the outcomes differ:\n%s\n%s", c.Order(), outcomeText(a), outcomeText(b))
				}
			}
		}
		notMore := func(o Order) bool { return o == Same || o == Less }
		counts := map[Order]int{}
		for n := range plans {
			for m := range plans {
				counts[orders[n][m][0]]++
				for d, o := range orders[n][m] {
					if o != reverse(orders[m][n][d]) {
						t.Fatalf("dimension %d: %v, and the other way %v", d, o, orders[m][n][d])
					}
					if n == m && o != Same {
						t.Fatalf("dimension %d of a plan with itself: %v", d, o)
					}
					for k := range plans {
						if notMore(o) && notMore(orders[m][k][d]) && !notMore(orders[n][k][d]) {
							t.Fatalf("dimension %d is not transitive: %v, %v, %v\n%s\n%s\n%s", d, o, orders[m][k][d], orders[n][k][d],
								outcomeText(plans[n]), outcomeText(plans[m]), outcomeText(plans[k]))
						}
					}
				}
			}
		}
		t.Log(counts)
		if counts[Less] == 0 || counts[Incomparable] == 0 || counts[Same] <= len(plans) {
			t.Errorf("some order does not occur: %v", counts)
		}
	}
}

// outcomeText returns all privileges that a plan leads to, without use of Compare.
func outcomeText(p *engine.Plan) string {
	a := p.AfterExec
	user := ""
	if !p.Identity.Resolved {
		user = fmt.Sprintf(" of %s, gid %v, groups %v %v", p.Identity.User, p.Profile.GID, p.Profile.Groups != nil, p.Profile.Groups)
	}
	fds := slices.Clone(p.Profile.KeepFDs)
	slices.Sort(fds)
	// HOME and the like follow the IDs, unless the profile names them.
	names := []string{"PATH=1", "TZ=2", "LD_PRELOAD=3", "A=4", "HOME=5", "TERM=6", "USER=7"}
	env := slices.DeleteFunc(p.Environ(names), func(e string) bool { return strings.HasPrefix(e, "HOME=") && e != "HOME=5" })
	slices.Sort(env)
	return fmt.Sprint(a.UID, a.EUID, a.SUID, a.FSUID, a.GID, a.EGID, a.SGID, a.FSGID, slices.Compact(slices.Clone(a.Groups)), user,
		a.Effective, a.Permitted, a.Inheritable, a.Ambient, a.Bounding, a.Securebits, a.NoNewPrivs,
		p.Profile.Chroot, env, p.Profile.Rlimits, fds, p.Profile.NewSession, p.NewKeyring())
}

// TestRegainable executes random operations and files from random states. The task must
// never get a capability outside the regainable ones, and each of these must be reachable.
func TestRegainable(t *testing.T) {
	const seed, walks, steps = 1, 3000, 30
	r := rand.New(rand.NewPCG(seed, 0))
	universe := cred.CapsOf(0, cred.SETUID, cred.SETPCAP, 10, 13)
	some := func() cred.Caps { return cred.Caps(r.Uint64()) & cred.Caps(r.Uint64()|r.Uint64()) & universe }
	for range walks {
		c := cred.Root()
		c.Bounding, c.Inheritable, c.Permitted = some(), some(), some()
		c.Effective, c.Ambient = c.Permitted&some(), c.Permitted&c.Inheritable&some()
		c.Securebits = cred.Securebits(r.Uint32()) & (cred.SecAllBits | cred.SecAllLocks) &^ cred.SecKeepCaps
		ids := []uint32{0, 1000, 1001}
		c.UID, c.EUID, c.SUID = ids[r.IntN(3)], ids[r.IntN(3)], ids[r.IntN(3)]
		c.FSUID, c.NoNewPrivs = c.EUID, r.IntN(2) == 0
		within := reachableCaps(c)
		start, reached := c, c.Permitted
		for range steps {
			var next cred.Cred
			var errno cred.Errno
			switch r.IntN(9) {
			case 0:
				next, errno = c.Capset(c.Permitted&some(), c.Permitted, c.Inheritable)
			case 1:
				next, errno = c.Capset(c.Permitted, c.Permitted, c.Inheritable|some())
			case 2:
				next, errno = c.RaiseAmbient([]int{0, 10, 13}[r.IntN(3)])
			case 3:
				next, errno = c.Setresuid(ids[r.IntN(3)], ids[r.IntN(3)], ids[r.IntN(3)])
			case 4:
				next, errno = c.SetKeepCaps(r.IntN(2) == 0)
			case 5:
				next, errno = c.SetSecurebits(c.Securebits^cred.Securebits(1<<r.IntN(8)), cred.Latest())
			default:
				f := cred.File{Setuid: r.IntN(2) == 0, UID: ids[r.IntN(3)], HasCaps: r.IntN(2) == 0,
					Permitted: some(), Inheritable: some(), Effective: r.IntN(2) == 0}
				next, _, errno = c.Exec(f, cred.Latest())
			}
			if errno == 0 {
				c = next
			}
			reached |= c.Permitted
			if !c.Permitted.SubsetOf(within) {
				t.Fatalf("from %+v\nto   %+v\nregainable was %s", start, c, within.String())
			}
		}
		// One exec of a file with every capability shows that each one is reachable.
		all, _, _ := start.Exec(cred.File{HasCaps: true, Permitted: universe, Inheritable: universe}, cred.Latest())
		if got := all.Permitted | start.Permitted; !start.NoNewPrivs && got != within {
			t.Fatalf("from %+v\nfile capabilities give %s, regainable was %s", start, got.String(), within.String())
		}
	}
}

func parse(t testing.TB, text string) *policy.Profile {
	t.Helper()
	p, diagnostics := policy.Parse("test.yaml", []byte("version: 1\n"+text+"\n"))
	if p == nil {
		t.Fatalf("%s\n%v", text, diagnostics)
	}
	return p
}

// plainUser is an ordinary user without capabilities.
func plainUser() cred.Cred {
	c := cred.Root()
	c.UID, c.EUID, c.SUID, c.FSUID = 1000, 1000, 1000, 1000
	c.Permitted, c.Effective = 0, 0
	return c
}
