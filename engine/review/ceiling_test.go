package review

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/policy"
	"caprun/profiles"
)

// planOf compiles a profile without mistakes.
func planOf(t testing.TB, name, text string) *engine.Plan {
	t.Helper()
	p, found := policy.Parse(name, []byte(text))
	if p == nil {
		t.Fatalf("%s\n%v", text, found)
	}
	plan, found := compileForRoot(p)
	if plan == nil {
		t.Fatalf("%s\n%v", text, found)
	}
	return plan
}

// TestCeiling compares profiles with ceilings that differ in one respect.
func TestCeiling(t *testing.T) {
	const (
		user  = "uid: 33\ngid: 33\n"
		other = "uid: 1000\ngid: 1000\n"
		none  = "caps: \"=\"\n"
		port  = "caps: cap_net_bind_service=eip\n"
		nnp   = "no_new_privs: true\n"
	)
	for name, c := range map[string]struct {
		ceiling, profile string // after version: 1
		want             []string
	}{
		"the same":       {user + port + nnp, user + port + nnp, nil},
		"another user":   {user + port + nnp, other + port + nnp, nil},
		"a user by name": {user + port + nnp, "user: www-data\n" + port + nnp, nil},
		"less":           {user + port + nnp, other + none + nnp + "secbits: [noroot, noroot_locked]\nchroot: /srv\nenv: {keep: []}\nrlimits: {core: 0}\n", nil},

		"uid 0":     {user + none + nnp, "uid: 0\ngid: 0\n" + none + nnp + "secbits: [noroot]\n", []string{"2:6 uid 0: more than P allows"}},
		"user 0":    {user + none + nnp, "user: 0\n" + none + nnp + "secbits: [noroot]\n", []string{"2:7 uid 0: more than P allows"}},
		"user root": {"user: www-data\n" + none + nnp, "user: root\n" + none + nnp + "secbits: [noroot]\n", []string{"2:7 uid 0: more than P allows"}},
		"no user": {user + none + nnp, none + nnp, []string{"1:10 no user declared, so uid 0 if root starts it: more than P allows",
			"1:10 the caller's loader variables, such as LD_PRELOAD, which this launch does not remove: more than P allows"}},
		"a ceiling without a user":          {none + nnp, "uid: 33\ngid: 0\ngroups: [0, 6]\n" + none + nnp, nil},
		"gid 0":                             {user + none + nnp, "uid: 33\ngid: 0\n" + none + nnp, []string{"3:6 gid 0: more than P allows"}},
		"gid 0 allowed":                     {"uid: 33\ngid: 0\n" + none + nnp, "uid: 34\ngid: 0\n" + none + nnp, nil},
		"gid 0 allowed as a group":          {user + "groups: [0]\n" + none + nnp, "uid: 34\ngid: 0\n" + none + nnp, nil},
		"gid 0 with a user":                 {user + none + nnp, "user: web\ngid: 0\n" + none + nnp, []string{"3:6 gid 0: more than P allows"}},
		"groups":                            {user + "groups: [7]\n" + none + nnp, other + "groups: [7, 6, 1000, 33, 0]\n" + none + nnp, []string{"4:13 groups 6,0: more than P allows"}},
		"group root":                        {user + none + nnp, "uid: 33\ngid: root\n" + none + nnp, []string{"3:6 gid root: more than P allows"}},
		"group docker":                      {user + none + nnp, "uid: 33\ngid: docker\n" + none + nnp, []string{"3:6 gid docker: more than P allows"}},
		"group docker allowed":              {"uid: 33\ngid: docker\n" + none + nnp, "uid: 34\ngid: docker\ngroups: [docker]\n" + none + nnp, nil},
		"a number for a name":               {user + "groups: [adm]\n" + none + nnp, "uid: 33\ngid: 33\ngroups: [4]\n" + none + nnp, []string{"4:10 groups 4: more than P allows"}},
		"a name for a number":               {user + "groups: [0, 4]\n" + none + nnp, "uid: 33\ngid: root\ngroups: [4, adm]\n" + none + nnp, []string{"3:6 gid root: more than P allows", "4:13 groups adm: more than P allows"}},
		"groups by name":                    {user + "groups: [adm, 5]\n" + none + nnp, "uid: 33\ngid: web\ngroups: [web, 5, adm]\n" + none + nnp, nil},
		"groups of the database":            {user + "groups: [7]\n" + none + nnp, "user: web\n" + none + nnp, []string{"2:7 the groups of user web come from the user database, but P declares the allowed groups"}},
		"groups of the database, declared":  {user + "groups: [7]\n" + none + nnp, "user: web\ngroups: []\n" + none + nnp, nil},
		"groups of the database, no matter": {user + none + nnp, "user: web\n" + none + nnp, nil},

		"one capability": {user + port + nnp, other + "caps: \"cap_net_bind_service,cap_net_raw=eip\"\n" + nnp,
			[]string{"4:29 cap_net_raw in effective, permitted, inheritable, ambient, bounding and regainable: more than P allows"}},
		"two capabilities": {user + port + nnp, other + "caps: \"cap_kill,cap_net_raw=eip\"\n" + nnp,
			[]string{"4:7 cap_kill,cap_net_raw in effective, permitted, inheritable, ambient, bounding and regainable: more than P allows"}},
		"by another set": {user + "caps: cap_net_raw=eip\n" + nnp, "uid: 1000\ngid: 1000\niab: '%cap_kill,!cap_chown'\n" + nnp,
			[]string{"4:6 all but cap_chown,cap_kill,cap_net_raw in bounding: more than P allows", "4:8 cap_kill in inheritable and bounding: more than P allows"}},
		"inheritable alone": {"uid: 0\ngid: 0\ncaps: cap_net_raw=ep\n" + nnp, "uid: 0\ngid: 0\ncaps: cap_net_raw=eip\n" + nnp, []string{"4:7 cap_net_raw in inheritable: more than P allows"}},
		"nothing declared":  {user + port + nnp, other + nnp, []string{"1:10 all but cap_net_bind_service in bounding: more than P allows"}},
		"a mode":            {user + port + nnp, other + "mode: PURE1E\n" + nnp, []string{"1:10 all but cap_net_bind_service in bounding: more than P allows"}},

		"no_new_privs": {user + port + nnp, other + port, []string{"1:10 no_new_privs is not set: set-user-ID programs and file capabilities take effect, which P does not allow"}},
		"no_new_privs, iab": {user + "iab: ''\n" + nnp, other + "iab: ''\n",
			[]string{"1:10 no_new_privs is not set: set-user-ID programs and file capabilities can grant all, which P does not allow"}},

		"securebits":                {user + none + nnp + "secbits: [noroot, noroot_locked]\n", user + none + nnp + "secbits: [noroot]\n", []string{"6:10 missing securebits noroot_locked: more than P allows"}},
		"no securebits":             {user + none + nnp + "mode: PURE1E\n", user + none + nnp, []string{"1:10 missing securebits noroot,noroot_locked,keep_caps_locked,no_cap_ambient_raise,no_cap_ambient_raise_locked: more than P allows"}},
		"a mode instead of another": {user + none + nnp + "mode: PURE1E\n", user + none + nnp + "mode: PURE1E_INIT\n", nil},
		"other securebits":          {user + none + nnp + "secbits: [noroot]\n", user + none + nnp + "secbits: [no_cap_ambient_raise]\n", []string{"6:10 missing securebits noroot: more than P allows"}},
		"more securebits":           {user + none + nnp, user + none + nnp + "secbits: [noroot, no_setuid_fixup]\n", nil},
		"no_setuid_fixup":           {user + port + "secbits: [noroot, no_setuid_fixup]\n", user + port + "secbits: [noroot]\n", nil},
		"no_setuid_fixup unlocked":  {user + port + "secbits: [no_setuid_fixup, no_setuid_fixup_locked]\n", user + port + "secbits: [no_setuid_fixup]\n", []string{"5:10 missing securebits no_setuid_fixup_locked: more than P allows"}},
		"no_setuid_fixup in vain":   {user + port + "secbits: [no_setuid_fixup, no_setuid_fixup_locked]\n", user + none + nnp + "secbits: [no_setuid_fixup]\n", nil},

		"no chroot":              {user + none + nnp + "chroot: /srv/jail\n", user + none + nnp, []string{"1:10 no chroot: more than P allows"}},
		"another chroot":         {user + none + nnp + "chroot: /srv/jail\n", user + none + nnp + "chroot: /srv/jailed\n", nil},
		"below":                  {user + none + nnp + "chroot: /srv/jail\n", user + none + nnp + "chroot: /srv/jail/web\n", nil},
		"chroot /":               {user + none + nnp + "chroot: /srv/jail\n", user + none + nnp + "chroot: /\n", []string{"6:9 no chroot: more than P allows"}},
		"above":                  {user + none + nnp + "chroot: /srv/jail\n", user + none + nnp + "chroot: /srv\n", []string{"6:9 chroot /srv contains /srv/jail: more than P allows"}},
		"chroot by a process":    {user + none + nnp + "chroot: /srv/jail\n", user + none + nnp + "chroot: /proc/1/root\n", []string{"6:9 chroot /proc/1/root can lead to any directory: more than P allows"}},
		"chroot by a descriptor": {user + none + nnp + "chroot: /srv/jail\n", user + none + nnp + "chroot: /dev/fd/3/srv\n", []string{"6:9 chroot /dev/fd/3/srv can lead to any directory: more than P allows"}},
		"session":                {user + none + nnp + "new_session: true\n", user + none + nnp, []string{"1:10 no new_session: more than P allows"}},
		"session there":          {user + none + nnp + "new_session: true\n", user + none + nnp + "new_session: true\n", nil},
		"a ceiling of /":         {user + none + nnp + "chroot: /\n", user + none + nnp, nil},

		"whole environment":              {user + none + nnp + "env: {keep: [PATH]}\n", user + none + nnp, []string{"1:10 the caller's entire environment: more than P allows"}},
		"keep: all":                      {user + none + nnp + "env: {keep: [PATH]}\n", user + none + nnp + "env: {keep: all}\n", []string{"6:13 the caller's entire environment: more than P allows"}},
		"a variable":                     {user + none + nnp + "env: {keep: [PATH]}\n", user + none + nnp + "env: {keep: [PATH, TERM, LANG]}\n", []string{"6:26 the caller's LANG and TERM: more than P allows"}},
		"a loader variable never passes": {user + none + nnp + "env: {unset: [LD_PRELOAD]}\n", user + none + nnp, nil},
		"a value":                        {user + none + nnp + "env: {keep: [], set: {A: x}}\n", user + none + nnp + "env: {keep: [], set: {A: y, B: z}}\n", nil},
		"what is set there":              {user + none + nnp + "env: {set: {A: x}, unset: [B]}\n", user + none + nnp + "env: {set: {C: z}}\n", []string{"6:6 the caller's A and B: more than P allows"}},
		"what is unset there":            {user + none + nnp + "env: {unset: [B]}\n", user + none + nnp + "env: {keep: [A, B]}\n", []string{"6:17 the caller's B: more than P allows"}},

		"the loader variables": {"uid: 0\ngid: 0\n" + none, none, []string{"1:10 the caller's loader variables, such as LD_PRELOAD, which this launch does not remove: more than P allows"}},
		"one loader variable":  {"uid: 0\ngid: 0\n" + none, none + "env: {keep: [LD_X]}\n", []string{"3:14 the caller's LD_X: more than P allows"}},

		"limits": {user + none + nnp + "rlimits: {nofile: 4096, core: {soft: 0, hard: 5}}\n", user + none + nnp + "rlimits: {nofile: 4097, core: {soft: 1, hard: 5}}\n",
			[]string{"6:19 nofile 4097: more than P allows", "6:38 core 1: more than P allows"}},
		"lower limits": {user + none + nnp + "rlimits: {nofile: 4096}\n", user + none + nnp + "rlimits: {nofile: {soft: 1, hard: 4096}}\n", nil},
		"no limits":    {user + none + nnp + "rlimits: {nofile: 4096, core: 0, data: unlimited}\n", user + none + nnp, []string{"1:10 rlimits does not set core and nofile, but P does"}},
		"other limits": {user + none + nnp + "rlimits: {nofile: 4096}\n", user + none + nnp + "rlimits: {core: 9}\n", []string{"6:1 rlimits does not set nofile, but P does"}},
		"unlimited":    {user + none + nnp, user + none + nnp + "rlimits: {core: {soft: 0, hard: unlimited}, data: 9}\n", []string{"6:33 core unlimited, but P does not set it"}},
		"one of two limits": {user + none + nnp + "rlimits: {core: 9, data: {soft: 5}, nofile: 7}\n", user + none + nnp + "rlimits: {core: {soft: 5}, data: {hard: 9}, nofile: {soft: 8}}\n",
			[]string{"6:17 core does not set the hard limit, but P does", "6:34 data does not set the soft limit, but P does", "6:53 nofile does not set the hard limit, but P does"}},
		"the same of two limits": {user + none + nnp + "rlimits: {core: {soft: 9}}\n", user + none + nnp + "rlimits: {core: {soft: 5}}\n", nil},
		"unlimited there":        {user + none + nnp + "rlimits: {core: unlimited}\n", user + none + nnp + "rlimits: {core: unlimited}\n", nil},

		"descriptors":       {user + none + nnp + "keep_fds: [3]\n", user + none + nnp + "keep_fds: [3, 9, 4]\n", []string{"6:15 keep_fds 4,9: more than P allows"}},
		"fewer descriptors": {user + none + nnp + "keep_fds: [3, 4]\n", user + none + nnp + "keep_fds: [4]\n", nil},

		"what is no privilege": {user + none + nnp + "cwd: /srv\numask: \"0077\"\n", user + none + nnp, nil},
		"accepted": {user + none + nnp, other + none + "lint: {ignore: [{rule: no-new-privs-missing, reason: x}]}\n",
			[]string{"1:10 no_new_privs is not set: set-user-ID programs and file capabilities take effect, which P does not allow"}},
	} {
		ceiling := planOf(t, "P", "version: 1\n"+c.ceiling)
		r := Check("x.yaml", []byte("version: 1\n"+c.profile), Options{Ceiling: ceiling})
		var got []string
		for _, f := range r.Findings {
			if f.Rule == ceilingRule.Name {
				got = append(got, f.Position.String()+" "+f.Message)
				if f.Hint == "" || f.Severity != policy.Error || f.File != "x.yaml" || f.Suppressed != nil {
					t.Errorf("%s: %+v", name, f)
				}
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got\n  %s\nwant\n  %s", name, strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
		}
	}
}

// TestCeilingWithoutPlan checks that a profile without a plan is not compared.
func TestCeilingWithoutPlan(t *testing.T) {
	ceiling := planOf(t, "P", "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\n")
	r := Check("x", []byte("version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=ep\n"), Options{Ceiling: ceiling})
	if got := summaries(r); !slices.Equal(got, []string{"unreachable-caps:4:7"}) {
		t.Errorf("%q", got)
	}
}

// TestCeilingAgreesWithCompare checks on random profiles that a plan which Compare
// calls the same or less is not above a ceiling, and that one with more in any
// respect is.
func TestCeilingAgreesWithCompare(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 4))
	keys := [][]string{
		{"", "uid: 33\ngid: 33\n", "uid: 34\ngid: 34\n", "uid: 33\ngid: 0\n", "uid: 33\ngid: 33\ngroups: [6]\n", "uid: 33\ngid: adm\n", "uid: 33\ngid: 33\ngroups: [adm]\n", "uid: 33\ngid: root\n", "uid: 0\ngid: 0\n", "uid: 0\ngid: 6\n", "user: web\n", "user: root\n", "user: web\ngid: 6\ngroups: []\n"},
		{"", "caps: \"=\"\n", "caps: cap_kill=eip\n", "caps: cap_kill,cap_net_raw=eip\n", "iab: ''\n", "iab: '!cap_kill'\n", "iab: ^cap_kill\n", "iab: '%cap_kill'\n", "caps: \"=ep\"\n"},
		{"", "no_new_privs: true\n"},
		{"", "secbits: []\n", "secbits: [noroot]\n", "secbits: [noroot, noroot_locked]\n", "secbits: [no_setuid_fixup]\n", "secbits: [no_setuid_fixup, no_setuid_fixup_locked]\n", "secbits: [keep_caps_locked]\n", "mode: PURE1E\n", "mode: PURE1E_INIT\n", "mode: NOPRIV\n"},
		{"", "chroot: /srv\n", "chroot: /srv/jail\n", "chroot: /home\n"},
		{"", "env: {keep: []}\n", "env: {keep: [A]}\n", "env: {keep: [A, B]}\n", "env: {unset: [A]}\n", "env: {unset: [C]}\n", "env: {keep: [LD_X]}\n", "env: {set: {A: x}}\n"},
		{"", "rlimits: {core: 0}\n", "rlimits: {core: 5}\n", "rlimits: {core: {soft: 1, hard: 5}}\n", "rlimits: {core: {soft: 5}}\n", "rlimits: {core: {hard: 5}}\n", "rlimits: {core: unlimited}\n", "rlimits: {core: 5, data: 6}\n"},
		{"", "keep_fds: [3]\n", "keep_fds: [4]\n", "keep_fds: [3, 4]\n"},
	}
	var plans []*engine.Plan
	add := func(text string) {
		if p, _ := policy.Parse("P", []byte(text)); p != nil {
			if plan, _ := compileForRoot(p); plan != nil {
				plans = append(plans, plan)
			}
		}
	}
	// Each profile differs from the previous one in one key.
	for range 25 {
		choice := make([]int, len(keys))
		for k := range keys {
			if g.IntN(2) == 0 {
				choice[k] = g.IntN(len(keys[k]))
			}
		}
		for range 4 {
			text := "version: 1\n"
			for k, n := range choice {
				text += keys[k][n]
			}
			add(text)
			k := g.IntN(len(keys))
			choice[k] = g.IntN(len(keys[k]))
		}
	}
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		add(string(text))
	}
	seen := map[compare.Order]int{}
	for _, a := range plans {
		for _, b := range plans {
			c := compare.Compare(a, b)
			found := aboveCeiling(a, b)
			more := slices.ContainsFunc(c.Differences, func(d compare.Difference) bool {
				// A ceiling that is uid 0 allows every user, and any ordinary
				// primary group is allowed; Compare does not know that.
				everyone := c.Find(compare.UID).Old.(compare.IDs).MayBeRoot() && (d.Dimension == "gid" || d.Dimension == "groups")
				primary := d.Dimension == "groups" && len(d.Gained()) == 1 && d.Gained()[0] == c.Find(compare.GID).New.String() && d.Gained()[0] != "0"
				return d.Order == compare.More && !everyone && !primary
			})
			seen[c.Order()]++
			within := c.Order() == compare.Same || c.Order() == compare.Less
			if within && len(found) > 0 || more && len(found) == 0 {
				t.Errorf("%s compared with\n%s: %v, but the findings are %v", b.Profile.Source(), a.Profile.Source(), c.Changed(), found)
			}
		}
	}
	for o := compare.Same; o <= compare.Incomparable; o++ {
		if seen[o] < 100 {
			t.Errorf("%v: only %d pairs", o, seen[o])
		}
	}
	t.Log(len(plans), seen)
}

func TestEnumeration(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := enumeration(words); got != want {
			t.Errorf("%q: %q", words, got)
		}
	}
}

func BenchmarkCheckWithCeiling(b *testing.B) {
	text := []byte("version: 1\nuid: 34\ngid: 33\ncaps: cap_net_raw=eip\nno_new_privs: true\n")
	ceiling := planOf(b, "P", "version: 1\nuid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\nno_new_privs: true\n")
	b.ReportAllocs()
	for b.Loop() {
		Check("x.yaml", text, Options{Ceiling: ceiling})
	}
}

// TestCeilingHints checks hints, and that following them removes the finding.
func TestCeilingHints(t *testing.T) {
	ceiling := planOf(t, "P", "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=eip\nno_new_privs: true\nsecbits: [noroot, noroot_locked]\nenv: {keep: [LANG], unset: [A]}\n")
	const head, noroot = "version: 1\nuid: 34\ngid: 34\nno_new_privs: true\nenv: {keep: [LANG]}\n", "secbits: [noroot, noroot_locked]\n"
	for _, c := range []struct{ before, message, hint, after string }{
		{head + noroot + "caps: cap_chown=eip\niab: ^cap_chown\n", "cap_chown in effective", "remove it from caps and iab", head + noroot + "caps: \"=\"\n"},
		{head + noroot + "iab: ^cap_kill\n", "all but cap_kill in bounding", "remove iab and declare caps, or block them with ! in iab", head + noroot + "caps: cap_kill=eip\n"},
		{head + noroot + "iab: ^cap_chown\n", "cap_chown in effective", "remove it from iab and block it with !", head + noroot + "iab: \"!cap_chown\"\n"},
		{head + "mode: NOPRIV\n", "missing securebits", "", ""},
		{head + "mode: HYBRID\n", "missing securebits", "write secbits: [noroot, noroot_locked] instead of mode", head + noroot},
		{strings.Replace(head, "LANG", "LANG, TZ", 1) + noroot + "caps: \"=\"\n", "the caller's TZ", "remove TZ from env.keep", head + noroot + "caps: \"=\"\n"},
	} {
		find := func(text string) (hint string) {
			for _, f := range Check("x.yaml", []byte(text), Options{Ceiling: ceiling}).Findings {
				if strings.HasPrefix(f.Message, c.message) || f.Severity == policy.Error && f.Rule != ceilingRule.Name {
					hint = f.Hint
				}
			}
			return hint
		}
		if got := find(c.before); got != c.hint {
			t.Errorf("%s\nthe hint is %q, want %q", c.before, got, c.hint)
		}
		if got := find(c.after); c.after != "" && got != "" {
			t.Errorf("%s\n%s\nis still reported, with %q", c.after, c.message, got)
		}
	}
}
