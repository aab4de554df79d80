package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/policy"
)

// TestReachableText compares the sentences about plans that differ in one respect.
func TestReachableText(t *testing.T) {
	nested := cred.UserNS{Nested: true, UIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 1}}, GIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 1}}}
	const (
		setID      = "Set-user-ID and set-group-ID programs run as the user and the group that own them."
		notStarted = "A program does not start (EPERM) if its file capabilities are effective and permit a capability outside the bounding set."
		nnp        = "Under no_new_privs, set-id bits and file capabilities grant no program more than the target has."
		noRoot     = "A set-user-ID-root program runs as uid 0 without capabilities: noroot."
		rootFiles  = "The target owns root's files, whatever its capabilities: uid 0."
		atSecure   = "The dynamic loader ignores LD_PRELOAD and similar variables: AT_SECURE."
	)
	cases := []struct {
		name, text string
		from       func(*cred.Cred)
		file       cred.File
		want       []string
	}{
		{name: "no_new_privs", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip\nno_new_privs: true", want: []string{
			nnp,
			"A program with file capabilities gets the permitted and inheritable ones within cap_net_raw, and not the ambient set.",
			notStarted,
			"Ordinary programs keep cap_net_raw.",
		}},
		{name: "a user with noroot", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip\nsecbits: [noroot, noroot_locked]", want: []string{
			noRoot,
			setID,
			"A program with file capabilities gets the permitted and inheritable ones within cap_net_raw, and not the ambient set.",
			notStarted,
			"Ordinary programs keep cap_net_raw.",
		}},
		{name: "a user without noroot", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip", want: []string{
			"A set-user-ID-root program without file capabilities runs as uid 0 with cap_net_raw.",
			setID,
			"A program with file capabilities gets the permitted and inheritable ones within cap_net_raw, and not the ambient set.",
			notStarted,
			"Ordinary programs keep cap_net_raw.",
		}},
		{name: "nothing", text: "uid: 33\ngid: 33\ncaps: \"=\"", want: []string{
			"A set-user-ID-root program runs as uid 0 without capabilities: the bounding and inheritable sets are empty.",
			setID,
			"File capabilities grant nothing: the bounding and inheritable sets are empty.",
			notStarted,
		}},
		{name: "an open bounding set", text: "uid: 33\ngid: 33\niab: \"\"", want: []string{
			"A set-user-ID-root program without file capabilities runs as uid 0 with every capability.",
			setID,
			"A program with file capabilities gets all permitted ones.",
		}},
		{name: "an open bounding set, root under no_new_privs", text: "caps: \"=\"\niab: \"\"\nno_new_privs: true", want: []string{
			nnp,
			"Ordinary programs get no capability, although the target has uid 0 without noroot.",
			rootFiles,
		}},
		{name: "root", text: "uid: 0\ngid: 0\ncaps: cap_setuid,cap_setgid,cap_sys_chroot,cap_setpcap=ep", want: []string{
			setID,
			notStarted,
			"Ordinary programs get cap_setgid,cap_setuid,cap_setpcap,cap_sys_chroot: uid 0 without noroot.",
			"The target can become any user: cap_setuid.",
			"The target can join any group: cap_setgid.",
			"The target can leave its root directory: cap_sys_chroot.",
			"The target can add the bounding set to its inheritable set and shrink the bounding set: cap_setpcap.",
			"The target can set securebits: cap_setpcap.",
			rootFiles,
		}},
		{name: "cap_setuid", text: "uid: 33\ngid: 33\ncaps: cap_setuid,cap_setpcap=eip cap_kill+i\nno_new_privs: true\nsecbits: [noroot, no_setuid_fixup, no_setuid_fixup_locked]", want: []string{
			nnp,
			"A program with file capabilities gets the permitted and inheritable ones within cap_setuid,cap_setpcap, and not the ambient set.",
			notStarted,
			"Ordinary programs keep cap_setuid,cap_setpcap.",
			"The target can become any user: cap_setuid.",
			"The target can add the bounding set to its inheritable set and shrink the bounding set: cap_setpcap.",
			"The target can clear noroot, which no lock protects: cap_setpcap.",
		}},
		{name: "cap_setuid without noroot", text: "uid: 33\ngid: 33\ncaps: cap_setuid=eip\niab: ^cap_setuid", want: []string{
			"A set-user-ID-root program without file capabilities runs as uid 0 with every capability.",
			setID,
			"A program with file capabilities gets all permitted ones and the inheritable ones within cap_setuid, and not the ambient set.",
			"Ordinary programs keep cap_setuid.",
			"The target can become any user: cap_setuid. As root, the programs that it runs get every capability.",
		}},
		{name: "an inheritable set beyond the bounding set", text: "uid: 33\ngid: 33\niab: \"!%cap_kill\"\nsecbits: [noroot]", want: []string{
			noRoot,
			setID,
			"A program with file capabilities gets the permitted ones within all but cap_kill and the inheritable ones within cap_kill.",
			"A program does not start (EPERM) if its file capabilities are effective and permit a capability outside the bounding set, unless it is one of cap_kill and the file has it inheritable, too.",
		}},
		{name: "file capabilities of the target", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=ep", file: cred.File{HasCaps: true, Permitted: raw, Effective: true}, want: []string{
			"A set-user-ID-root program without file capabilities runs as uid 0 with cap_net_raw.",
			setID,
			"A program with file capabilities gets the permitted ones within cap_net_raw.",
			notStarted,
			"Ordinary programs get no capability unless the target adds cap_net_raw to its ambient set.",
			atSecure,
		}},
		{name: "PURE1E", text: "uid: 33\ngid: 33\nmode: PURE1E\ncaps: cap_net_raw=i", want: []string{
			noRoot,
			setID,
			"A program with file capabilities gets the permitted and inheritable ones within cap_net_raw.",
			notStarted,
		}},
		{name: "NOPRIV", text: "uid: 33\ngid: 33\nmode: NOPRIV", want: []string{
			nnp,
			notStarted,
		}},
		{name: "real root", text: "iab: \"\"", from: func(c *cred.Cred) { c.EUID, c.SUID, c.FSUID = 33, 33, 33; c.Effective = 0 }, want: []string{
			"A set-user-ID-root program without file capabilities runs as uid 0 with every capability.",
			setID,
			"Ordinary programs get every capability permitted and none effective: real uid 0 without noroot.",
			"The target can become any user: cap_setuid.",
			"The target can join any group: cap_setgid.",
			"The target can leave its root directory: cap_sys_chroot.",
			"The target can add the bounding set to its inheritable set and shrink the bounding set: cap_setpcap.",
			"The target can set securebits: cap_setpcap.",
			rootFiles,
			atSecure,
		}},
		{name: "set-user-ID, undeclared", text: "umask: \"0022\"", from: func(c *cred.Cred) { *c = withCaps(0) }, file: cred.File{Setuid: true, UID: 5}, want: []string{
			"A set-user-ID-root program without file capabilities runs as uid 0 with every capability.",
			setID,
			"A program with file capabilities gets all permitted ones.",
			"The target can switch between its user IDs 1000 and 5.",
			atSecure,
		}},
		{name: "a user namespace of one user", text: "uid: 0\ngid: 0\ncaps: cap_setuid=ep", from: func(c *cred.Cred) { c.UserNS = nested }, want: []string{
			notStarted,
			"Ordinary programs get cap_setuid: uid 0 without noroot.",
			"The target can become any user of its user namespace: cap_setuid.",
			rootFiles,
		}},
		{name: "a user namespace without root", text: "no_new_privs: true", from: func(c *cred.Cred) {
			*c = withCaps(0)
			c.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Inside: 1000, Count: 1}}, GIDs: []cred.Extent{{Inside: 1000, Count: 1}}}
		}, want: []string{nnp}},
		{name: "a user namespace without root, open", text: "umask: \"0022\"", from: func(c *cred.Cred) {
			*c = withCaps(0)
			c.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Inside: 1000, Count: 1}}, GIDs: []cred.Extent{{Inside: 1000, Count: 1}}}
		}, want: []string{
			"A program with file capabilities gets all permitted ones.",
		}},
		{name: "a user namespace of root and one user", text: "umask: \"0022\"", from: func(c *cred.Cred) {
			*c = withCaps(0)
			c.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Inside: 0, Count: 1}, {Inside: 1000, Outside: 1000, Count: 1}}, GIDs: []cred.Extent{{Inside: 0, Count: 2000}}}
		}, want: []string{
			"A set-user-ID-root program without file capabilities runs as uid 0 with every capability.",
			"A program with file capabilities gets all permitted ones.",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			from := cred.Root()
			if c.from != nil {
				c.from(&from)
			}
			plan, diagnostics := Compile(parse(t, c.text), from, target(c.file))
			if plan == nil {
				t.Fatal(diagnostics)
			}
			if got := plan.Reachable(); !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// TestReachable executes programs of every kind in the target's state, and the operations
// that it may call, and compares the results with the claims.
func TestReachable(t *testing.T) {
	const rounds = 3000
	r := rand.New(rand.NewPCG(1, 2))
	plans, kinds := 0, map[string]int{}
	for n := range rounds {
		text := randomProfile(r)
		p, diagnostics := policy.Parse("test.yaml", []byte("version: 1\n"+text))
		if p == nil {
			t.Fatalf("%s\n%v", text, diagnostics)
		}
		from := randomStart(r)
		to := target(randomFile(r))
		if r.IntN(2) == 0 {
			to = OrdinaryTarget()
		}
		if r.IntN(2) == 0 {
			to.KernelRules = Kernel{6, 12}.Rules()
		}
		plan, _ := Compile(p, from, to)
		if plan == nil {
			continue
		}
		plans++
		f := plan.reachable()
		for _, s := range plan.Reachable() {
			kinds[strings.Fields(s)[0]+" "+strings.Fields(s)[1]+" "+strings.Fields(s)[2]]++
		}
		if fault := disprove(r, plan, f); fault != "" {
			t.Fatalf("round %d: %s\nprofile:\n%s\nfrom %+v\nafter %+v\nclaims %+v", n, fault, text, from, plan.AfterExec, f)
		}
	}
	t.Logf("%d plans: %v", plans, kinds)
	if plans < rounds/10 {
		t.Errorf("only %d plans", plans)
	}
}

// disprove returns a result that contradicts f; empty if it finds none.
func disprove(r *rand.Rand, p *Plan, f reachable) string {
	a, rules := p.AfterExec, p.Target.KernelRules
	able := a
	able.Effective = able.Permitted
	own := func(uid uint32) bool { return uid == a.UID || uid == a.EUID || uid == a.SUID }

	// Single programs, run by the target as it starts.
	for range 40 {
		file := randomFile(r)
		got, res, errno := a.Exec(file, rules)
		if errno != 0 {
			if !file.HasCaps || !file.Effective || a.All.SubsetOf(a.Bounding) {
				return fmt.Sprintf("%+v is not started", file)
			}
			continue
		}
		plain := !file.HasCaps && !file.Setuid && !file.Setgid
		switch {
		case !got.Permitted.SubsetOf(f.most):
			return fmt.Sprintf("%+v gives %s, beyond what is possible", file, got.Permitted.Minus(f.most).String())
		case f.noNewPrivs && (!got.Permitted.SubsetOf(a.Permitted) || !own(got.EUID)):
			return fmt.Sprintf("%+v gains under no_new_privs", file)
		case plain && (got.Permitted != f.ordinary || got.Effective != f.ordinaryEffective || res.RootGained != f.rootPower):
			return fmt.Sprintf("an ordinary program gets %s", got.Permitted.String())
		case file.HasCaps && !file.NoSuid && !f.rootPower && !got.Permitted.SubsetOf(f.filePermitted.Union(f.fileInheritable)):
			return fmt.Sprintf("%+v gives %s, which file capabilities should not", file, got.Permitted.Minus(f.filePermitted.Union(f.fileInheritable)).String())
		case got.EUID == 0 && a.EUID != 0 && !f.setRoot && !own(0):
			return fmt.Sprintf("%+v becomes root", file)
		case !f.setID && !own(got.EUID) && got.EUID != 0:
			return fmt.Sprintf("%+v changes the user", file)
		}
	}
	suid := cred.File{Setuid: true}
	if len(a.UserNS.GIDs) > 0 {
		suid.GID = a.UserNS.GIDs[0].Inside
	}
	if got, _, errno := a.Exec(suid, rules); f.setRoot && (errno != 0 || got.EUID != 0 || got.Permitted != f.setRootCaps) {
		return "set-user-ID root leads elsewhere"
	}
	for n := range 41 {
		one := cred.CapsOf(n)
		byP, _, errnoP := a.Exec(cred.File{HasCaps: true, Permitted: one, Effective: true}, rules)
		byI, _, errnoI := a.Exec(cred.File{HasCaps: true, Inheritable: one, Effective: true}, rules)
		gainsP, gainsI := errnoP == 0 && byP.Effective.Has(n), errnoI == 0 && byI.Effective.Has(n)
		switch {
		case (errnoP != 0) != !a.Bounding.Has(n):
			return fmt.Sprintf("a program with the permitted file capability %d: %v", n, errnoP)
		case f.rootPower:
		case gainsP != f.filePermitted.Has(n):
			return fmt.Sprintf("a permitted file capability grants %d: %v", n, gainsP)
		case gainsI != f.fileInheritable.Has(n):
			return fmt.Sprintf("an inheritable file capability grants %d: %v", n, gainsI)
		}
		handed := false
		if c, errno := able.Capset(able.Permitted, able.Permitted, able.Inheritable.With(n)); errno == 0 {
			if c, errno = c.RaiseAmbient(n); errno == 0 {
				if c, _, errno = c.Exec(cred.File{}, rules); errno == 0 {
					handed = c.Permitted.Has(n)
				}
			}
		}
		if handed != f.raisable.Has(n) && !f.ordinary.Has(n) {
			return fmt.Sprintf("it passes on %d: %v", n, handed)
		}
	}

	// Calls that single capabilities allow.
	if !a.UserNS.Nested {
		if _, errno := able.Setresuid(77, 77, 77); (errno == 0) != f.anyUser {
			return fmt.Sprintf("it becomes user 77: %v", errno)
		}
		if _, errno := able.Setresgid(77, 77, 77); (errno == 0) != f.anyGroup {
			return fmt.Sprintf("it joins group 77: %v", errno)
		}
	}
	if f.asRoot != 0 {
		root, errno := able.Setresuid(0, 0, 0)
		if got, _, e := root.Exec(cred.File{}, rules); errno != 0 || e != 0 || got.Permitted != f.asRoot {
			return "as root, programs get something else"
		}
	}
	if _, errno := able.Chroot(); (errno == 0) != f.anyRoot {
		return fmt.Sprintf("it leaves its root directory: %v", errno)
	}
	if c, errno := able.Capset(able.Permitted, able.Permitted, able.Inheritable.Union(able.Bounding)); f.anyVector && (errno != 0 || c.Inheritable != able.Inheritable.Union(able.Bounding)) {
		return fmt.Sprintf("it cannot inherit the bounding set: %v", errno)
	}
	if _, errno := able.DropBounding(3); (errno == 0) != f.anyVector {
		return fmt.Sprintf("it shrinks the bounding set: %v", errno)
	}
	if _, errno := able.SetSecurebits(able.Securebits&^f.clear|f.set, rules); f.clear|f.set != 0 && errno != 0 {
		return fmt.Sprintf("it cannot change its securebits: %v", errno)
	}
	for _, uid := range []uint32{a.UID, a.SUID} {
		if c, errno := able.Setresuid(cred.NoID, uid, cred.NoID); f.otherUID && (errno != 0 || c.EUID != uid) {
			return fmt.Sprintf("it cannot change to its uid %d: %v", uid, errno)
		}
	}

	// Any sequence of calls and programs.
	for range 10 {
		c := a
		ran := false
		for range 12 {
			if r.IntN(4) == 0 {
				ran = true
			}
			c = randomCall(r, c, rules, ran)
			switch {
			case !c.Permitted.SubsetOf(f.most):
				return fmt.Sprintf("it comes to %s", c.Permitted.Minus(f.most).String())
			case f.noNewPrivs && !c.Permitted.SubsetOf(a.Permitted):
				return "it gains under no_new_privs"
			case !ran && a.Securebits&^c.Securebits&cred.SecAllBits&^f.clear&^(cred.SecKeepCaps|cred.SecAllUnprivileged) != 0:
				return "it clears " + SecbitsText(a.Securebits&^c.Securebits)
			case !ran && !f.anyUser && !own(c.EUID), f.noNewPrivs && !f.anyUser && !own(c.EUID):
				return fmt.Sprintf("it becomes user %d", c.EUID)
			}
		}
	}
	return ""
}

// few has the capabilities of random sets.
var few = [...]int{cred.SETGID, cred.SETUID, cred.SETPCAP, 10, 13, cred.SYS_CHROOT}

func randomCaps(r *rand.Rand) cred.Caps {
	switch r.IntN(4) {
	case 0:
		return 0
	case 1:
		return cred.FirstCaps(41)
	}
	var caps cred.Caps
	for _, n := range few {
		if r.IntN(2) == 0 {
			caps = caps.With(n)
		}
	}
	return caps
}

func randomUID(r *rand.Rand) uint32 { return []uint32{0, 0, 33, 1000}[r.IntN(4)] }

func randomFile(r *rand.Rand) cred.File {
	f := cred.File{UID: randomUID(r), GID: randomUID(r)}
	switch r.IntN(5) {
	case 0:
		return f
	case 1, 2:
		f.Setuid, f.Setgid, f.GroupExec = r.IntN(3) > 0, r.IntN(2) == 0, r.IntN(2) == 0
	}
	if r.IntN(2) == 0 {
		f.HasCaps, f.Permitted, f.Inheritable, f.Effective = true, randomCaps(r), randomCaps(r), r.IntN(2) == 0
	}
	f.NoSuid = r.IntN(8) == 0
	return f
}

// randomStart returns a state that the kernel allows, often that of root.
func randomStart(r *rand.Rand) cred.Cred {
	c := cred.Root()
	switch r.IntN(4) {
	case 0:
		return c
	case 1:
		c.UserNS = cred.UserNS{Nested: true,
			UIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 1}, {Inside: 33, Outside: 2000, Count: uint32(r.IntN(2000))}},
			GIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 1 + uint32(r.IntN(2))*1500}}}
		return c
	}
	c.UID, c.EUID = randomUID(r), randomUID(r)
	c.SUID, c.FSUID = c.EUID, c.EUID
	if r.IntN(2) == 0 {
		c.UID = c.EUID
	}
	c.GID = randomUID(r)
	c.EGID, c.SGID, c.FSGID = c.GID, c.GID, c.GID
	if r.IntN(3) > 0 {
		c.Permitted, c.Inheritable = randomCaps(r), randomCaps(r)
		c.Effective = c.Permitted.Intersect(randomCaps(r))
		c.Ambient = c.Permitted.Intersect(c.Inheritable).Intersect(randomCaps(r))
		c.Bounding = randomCaps(r)
	}
	if r.IntN(3) == 0 {
		c.Securebits = cred.Securebits(r.Uint32()) & (cred.SecAllBits | cred.SecAllLocks) &^ cred.SecAllUnprivileged
	}
	c.NoNewPrivs = r.IntN(4) == 0
	return c
}

// randomProfile returns a valid profile without its version.
func randomProfile(r *rand.Rand) string {
	pick := func(list ...string) string {
		if s := list[r.IntN(len(list))]; s != "" {
			return s + "\n"
		}
		return ""
	}
	return pick("", "uid: 0\ngid: 0", "uid: 33\ngid: 33", "uid: 1000\ngid: 33") +
		pick("", "", `caps: "="`, "caps: cap_net_raw=eip", "caps: cap_net_raw=ep", "caps: cap_setuid,cap_setpcap=eip cap_net_raw+i",
			"caps: cap_setuid,cap_setgid,cap_sys_chroot=ep", "caps: all=ep", "caps: cap_net_raw=i") +
		pick("", "", "", `iab: ""`, "iab: ^cap_net_raw,!cap_setuid", `iab: "%cap_net_raw,^cap_setpcap"`, `iab: "!%cap_net_raw"`) +
		pick("", "", "mode: PURE1E", "mode: PURE1E_INIT", "mode: NOPRIV", "mode: HYBRID", "secbits: [noroot]",
			"secbits: [noroot, noroot_locked]", "secbits: [no_cap_ambient_raise, no_setuid_fixup]", "secbits: []") +
		pick("", "no_new_privs: true") + pick("", "chroot: /srv")
}

// randomCall returns the state after one operation that a program may call or, with
// programs, after exec of one.
func randomCall(r *rand.Rand, c cred.Cred, rules cred.Rules, programs bool) cred.Cred {
	calls := 8
	if programs {
		calls += 4
	}
	var next cred.Cred
	var errno cred.Errno
	switch r.IntN(calls) {
	case 0:
		next, errno = c.Capset(c.Permitted, c.Permitted, c.Inheritable.Union(c.Bounding))
	case 1:
		p := c.Permitted.Intersect(randomCaps(r))
		next, errno = c.Capset(p, p, randomCaps(r))
	case 2:
		next, errno = c.RaiseAmbient(few[r.IntN(len(few))])
	case 3:
		next, errno = c.DropBounding(few[r.IntN(len(few))])
	case 4:
		next, errno = c.Setresuid(randomUID(r), randomUID(r), randomUID(r))
	case 5:
		next, errno = c.SetSecurebits(c.Securebits^1<<r.IntN(8), rules)
	case 6:
		next, errno = c.Capset(c.Permitted, c.Permitted, c.Inheritable)
	case 7:
		next, errno = c.SetKeepCaps(r.IntN(2) == 0)
	default:
		next, _, errno = c.Exec(randomFile(r), rules)
	}
	if errno != 0 {
		return c
	}
	return next
}
