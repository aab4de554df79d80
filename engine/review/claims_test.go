package review

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// TestClaims compares messages with the model of the kernel on random profiles and
// programs: what a message claims about capabilities, securebits and IDs must be
// possible, and if it is possible the rule must report it.
func TestClaims(t *testing.T) {
	g := rand.New(rand.NewPCG(5, 6))
	rules := claims()
	reported, silent, failed := map[string]int{}, map[string]int{}, map[string]bool{}
	for planned := 0; planned < 5000; {
		text := randomProfile(g)
		p, _ := policy.Read("x.yaml", []byte(text))
		if p == nil {
			t.Fatalf("a mistake in\n%s", text)
		}
		target := engine.OrdinaryTarget()
		if g.IntN(3) == 0 {
			target.File = randomFile(g)
		}
		switch {
		case g.IntN(2) == 0:
		case p.User == "web":
			target.Accounts = &machine.Accounts{User: &machine.User{Name: "web", UID: 33, GID: uint32(g.IntN(2)), Groups: []uint32{6}}}
		case p.UID != nil:
			target.Accounts = &machine.Accounts{Groups: map[string]uint32{"ops": uint32(g.IntN(2)) * 42, "docker": 999}}
		}
		plan, _ := engine.Compile(p, cred.Root(), target)
		if plan == nil {
			continue
		}
		planned++
		message := map[string]string{}
		for _, f := range risksOf(plan) {
			if fault := claimedCaps(f); fault != "" {
				t.Fatalf("%v: %s", f.Diagnostic, fault)
			}
			message[f.Rule] += f.Message + "\n"
			reported[f.Rule]++
		}
		for rule, claim := range rules {
			if message[rule] == "" {
				silent[rule]++
			}
			if fault := claim(plan, message[rule]); fault != "" && !failed[rule] {
				failed[rule] = true
				t.Errorf("%s: %s\nthe message is %q, the state %+v, the file %+v, the profile\n%s", rule, fault, message[rule], plan.AfterExec, target.File, text)
			}
		}
	}
	for rule := range rules {
		if reported[rule] < 50 || silent[rule] < 50 {
			t.Errorf("%s: %d reports, %d times silent", rule, reported[rule], silent[rule])
		}
	}
}

// claimedCaps compares the capabilities of a finding with its message and rule.
func claimedCaps(f Finding) (fault string) {
	names := f.Caps.String()
	number := fmt.Sprintf("%d capabilities", f.Caps.Len())
	switch {
	case (f.Caps != 0) != (capSetOf(f.Rule) != nil):
		return "the finding or its rule is about capabilities, but not both"
	case f.Caps != 0 && !strings.Contains(f.Message, names) && !strings.Contains(f.Message, number):
		return "it is about " + names
	}
	return ""
}

// risksAbout returns the risks of a plan by some rules.
func risksAbout(p *engine.Plan, rules ...string) []Finding {
	return slices.DeleteFunc(risksOf(p), func(f Finding) bool { return !slices.Contains(rules, f.Rule) })
}

// claims returns checks of the messages of a rule about a plan; without a finding
// the messages are empty.
func claims() map[string]func(p *engine.Plan, message string) (fault string) {
	return map[string]func(*engine.Plan, string) string{
		"amounts-to-root": func(p *engine.Plan, message string) string {
			if isUnrestrictedRoot(p) {
				return expect(message, false)
			}
			named := namedCaps(message)
			if !named.SubsetOf(p.AfterExec.Permitted) {
				return "the target does not have it"
			}
			if p.AfterExec.Permitted.Has(cred.SETPCAP) && named.Has(cred.SETPCAP) != setpcapGains(p) {
				return "cap_setpcap does, or does not, gain more"
			}
			return ""
		},
		"bounding-wider": func(p *engine.Plan, message string) string {
			a := p.AfterExec
			var given cred.Caps
			for n := range cap.NamedCount {
				if b, _, errno := a.Exec(cred.File{HasCaps: true, Permitted: cred.CapsOf(n), Effective: true}, p.Target.KernelRules); errno == 0 && b.Permitted.Has(n) {
					given = given.With(n)
				}
			}
			given = given.Minus(a.Permitted.Union(a.Inheritable))
			return cmpCaps(message, given, p.Profile.IAB != nil && given != 0)
		},
		"drops-by-itself": func(p *engine.Plan, message string) string {
			a := raise(p.AfterExec)
			_, e1 := a.Setgroups([]uint32{5})
			b, e2 := a.Setgid(5)
			b, e3 := b.Setuid(5)
			if able := isRootUser(p) && e1|e2|e3 == 0 && b.UID == 5; message != "" && !able {
				return "it cannot"
			}
			return ""
		},
		"inheritable-not-ambient": func(p *engine.Plan, message string) string {
			a := p.AfterExec
			if message == "" || strings.Contains(message, "uid 0 does not need") {
				return ""
			}
			for n := range cap.NamedCount {
				bit := cred.CapsOf(n)
				if !a.Inheritable.Has(n) || a.Ambient.Has(n) || a.Permitted.Has(n) {
					continue
				}
				byInheritable, _, _ := a.Exec(cred.File{HasCaps: true, Inheritable: bit}, p.Target.KernelRules)
				byPermitted, _, _ := a.Exec(cred.File{HasCaps: true, Permitted: bit}, p.Target.KernelRules)
				switch gets := byInheritable.Permitted.Has(n); {
				case gets != strings.Contains(message, "only from its file capabilities"):
					return "such a file grants it, or does not grant it"
				case byPermitted.Permitted.Has(n) && strings.Contains(message, "only from its inheritable file capabilities"):
					return "a file that has it permitted grants it too"
				}
			}
			if named := namedCaps(message); named.Intersect(a.Permitted) != 0 {
				return "the target has it"
			}
			return ""
		},
		"loader-variable": func(p *engine.Plan, message string) string {
			if strings.Contains(message, "loads code into") && (p.SecureExec || p.AfterExec.Permitted == 0) {
				return "it is not loaded, or the target has no capability"
			}
			return ""
		},
		"no-new-privs-missing": func(p *engine.Plan, message string) string {
			b, _, _ := p.AfterExec.Exec(cred.File{Setuid: true, UID: 1234}, p.Target.KernelRules)
			return expect(message, b.EUID == 1234 && !isUnrestrictedRoot(p))
		},
		"noroot-missing": func(p *engine.Plan, message string) string {
			a := p.AfterExec
			dropped, _ := a.Capset(0, 0, a.Inheritable)
			b, _, _ := dropped.ClearAmbient().Exec(cred.File{}, p.Target.KernelRules)
			return cmpCaps(message, b.Permitted, b.Permitted != 0 && !isUnrestrictedRoot(p))
		},
		"root-group": func(p *engine.Plan, message string) string {
			member := func(group uint32) bool { return slices.Contains(p.AfterExec.Groups, group) || p.AfterExec.GID == group }
			named := slices.ContainsFunc([]string{"root", "disk", "shadow", "docker", "lxd", "incus-admin"}, func(name string) bool {
				is := policy.Group{Name: name}
				return slices.Contains(p.Profile.Groups, is) || p.Profile.GID != nil && *p.Profile.GID == is
			})
			return expect(message, (member(0) || member(6) || member(42) || named) && p.Identity.Declared && p.AfterExec.UID != 0)
		},
		"root-owns-files": func(p *engine.Plan, message string) string {
			// Uid 0 always owns root's files, and one rule must report it.
			switch zero := p.AfterExec.FSUID == 0; {
			case message != "" && !zero:
				return "it does not"
			case message == "" && zero && p.Identity.Declared && p.Profile.Chroot == "" && len(risksAbout(p, "root-keeps-power", "noroot-missing", "drops-by-itself", "amounts-to-root")) == 0:
				return "no rule reports uid 0"
			}
			return ""
		},
		"root-keeps-power": func(p *engine.Plan, message string) string {
			b, _, _ := p.AfterExec.Exec(cred.File{}, p.Target.KernelRules)
			all := p.AfterExec.UID == 0 && b.Permitted == b.All
			if message != "" && !all {
				return "exec does not grant every capability"
			}
			if message == "" && all && p.AfterExec.Permitted == p.AfterExec.All && !p.AfterExec.Securebits.Has(cred.SecNoRoot) {
				return "it does not report it"
			}
			return ""
		},
		"securebit-unlocked": func(p *engine.Plan, message string) string {
			if p.Profile.Secbits == nil {
				return expect(message, false)
			}
			for bit := cred.SecNoRoot; bit <= cred.SecExecDenyInteractive; bit <<= 2 {
				if !p.AfterExec.Securebits.Has(bit) {
					continue
				}
				name := bit.Names()[0]
				how := clears(p, bit)
				line := ""
				for l := range strings.Lines(message) {
					if subject, _, _ := strings.Cut(l, " not locked"); slices.Contains(strings.Fields(strings.ReplaceAll(subject, ",", " ")), name) {
						line = l
					}
				}
				if (line == "") != (how == "") || !strings.Contains(line, how) {
					return fmt.Sprintf("%s can be cleared by %q", name, how)
				}
			}
			return ""
		},
		"shell-command": func(p *engine.Plan, message string) string {
			b, _, _ := p.AfterExec.Exec(cred.File{}, p.Target.KernelRules)
			same := b.Permitted.Intersect(p.AfterExec.Permitted)
			return cmpCaps(message, same, same != 0 && p.Profile.Command[0] == "/bin/sh" && !isUnrestrictedRoot(p))
		},
	}
}

// setpcapGains reports whether the target, or a program that it starts, gains a
// root-equivalent capability with cap_setpcap.
func setpcapGains(p *engine.Plan) bool {
	a := raise(p.AfterExec)
	inherits, _ := a.Capset(a.Effective, a.Permitted, a.Inheritable.Union(a.Bounding))
	viaFile, _, _ := inherits.Exec(cred.File{HasCaps: true, Inheritable: a.All}, p.Target.KernelRules)
	cleared, _ := a.SetSecurebits(a.Securebits&^cred.SecNoRoot, p.Target.KernelRules)
	viaExec, _, _ := cleared.Exec(cred.File{}, p.Target.KernelRules)
	more := viaFile.Permitted.Union(viaExec.Permitted).Minus(a.Permitted.Union(a.Inheritable)).Without(cred.SETPCAP)
	for v, about := range rootEquivalents {
		if how := about.how; more.Has(v) && (how != "" && !isRootUser(p) || about.asRoot != "") {
			return true
		}
	}
	return false
}

// clears returns the expected words of the message that a securebit can be cleared,
// "" if it cannot.
func clears(p *engine.Plan, bit cred.Securebits) (how string) {
	can := func(c cred.Cred) bool {
		_, errno := raise(c).SetSecurebits(c.Securebits&^bit, p.Target.KernelRules)
		return errno == 0
	}
	a := p.AfterExec
	setpcap := cred.CapsOf(cred.SETPCAP)
	none, _ := a.Capset(0, 0, 0)
	byPermitted, _, _ := a.Exec(cred.File{HasCaps: true, Permitted: setpcap}, p.Target.KernelRules)
	byInheritable, _, _ := a.Exec(cred.File{HasCaps: true, Inheritable: setpcap}, p.Target.KernelRules)
	switch {
	case can(none):
		return "without a capability"
	case can(a):
		return "the target has cap_setpcap"
	case can(byPermitted):
		return "the bounding set has cap_setpcap"
	case can(byInheritable):
		return "cap_setpcap is inheritable"
	}
	return ""
}

// raise makes every permitted capability effective.
func raise(c cred.Cred) cred.Cred {
	c, _ = c.Capset(c.Permitted, c.Permitted, c.Inheritable)
	return c
}

func expect(message string, want bool) (fault string) {
	switch {
	case want && message == "":
		return "it does not report it"
	case !want && message != "":
		return "it reports something wrong"
	}
	return ""
}

// cmpCaps compares the names, or the number, of capabilities in a message with caps.
func cmpCaps(message string, caps cred.Caps, want bool) (fault string) {
	if fault := expect(message, want); fault != "" || message == "" {
		return fault
	}
	if count := regexp.MustCompile(`(\d+) capabilities`).FindStringSubmatch(message); count != nil {
		if n, _ := strconv.Atoi(count[1]); n != caps.Len() {
			return "it is about " + caps.String()
		}
	} else if namedCaps(message) != caps {
		return "it is about " + caps.String()
	}
	return ""
}

// namedCaps returns the capabilities that a message names.
func namedCaps(message string) cred.Caps {
	var caps cred.Caps
	for _, name := range regexp.MustCompile(`cap_[a-z_0-9]+`).FindAllString(message, -1) {
		if v, err := cap.FromName(name); err == nil {
			caps = caps.With(int(v))
		}
	}
	return caps
}

// interesting are capabilities that rules report, and some that they do not.
var interesting = [...]cap.Value{cap.SETPCAP, cap.SETUID, cap.SETGID, cap.CHOWN, cap.SYS_ADMIN, cap.NET_RAW, cap.KILL, cap.SYS_RESOURCE}

// randomProfile returns a profile without mistakes.
func randomProfile(g *rand.Rand) string {
	one := func(of ...string) string { return of[g.IntN(len(of))] }
	names := func(mark string) string {
		var list []string
		for _, v := range interesting {
			if g.IntN(3) == 0 {
				list = append(list, mark+v.String())
			}
		}
		return strings.Join(list, ",")
	}
	caps := ""
	switch g.IntN(6) {
	case 0:
		caps = "caps: \"=\"\n"
	case 1, 2:
		first, second := names(""), names("")
		if first != "" && second != "" {
			caps = "caps: " + first + one("=eip", "=eip", "=ep", "=i") + one("", " "+second+one("+i", "+eip", "+p")) + "\n"
		}
	case 3, 4:
		var items []string
		blocks := g.IntN(2) == 0
		for v := range cap.Value(cap.NamedCount) {
			marks := ""
			if blocks && (!slices.Contains(interesting[:], v) || g.IntN(2) == 0) {
				marks = "!"
			}
			if slices.Contains(interesting[:], v) {
				marks += one("", "", "%", "^")
			}
			if marks != "" {
				items = append(items, marks+v.String())
			}
		}
		caps = "iab: \"" + strings.Join(items, ",") + "\"\n"
	}
	var secbits []string
	for _, name := range [...]string{"noroot", "no_setuid_fixup", "no_cap_ambient_raise", "exec_restrict_file", "exec_deny_interactive"} {
		switch g.IntN(5) {
		case 0:
			secbits = append(secbits, name, name+"_locked")
		case 1:
			secbits = append(secbits, name)
		}
	}
	security := "secbits: [" + strings.Join(secbits, ", ") + "]\n"
	if g.IntN(3) == 0 {
		security = one("", "mode: PURE1E\n", "mode: HYBRID\n")
	}
	return "version: 1\n" +
		one("", "uid: 33\ngid: 33\n", "uid: 33\ngid: 0\n", "uid: 33\ngid: 33\ngroups: [6, 0]\n", "uid: 33\ngid: ops\n", "uid: 33\ngid: 33\ngroups: [ops, docker]\n", "uid: 0\ngid: 0\n", "uid: 0\ngid: 6\n", "user: web\n", "user: root\n") +
		caps + security +
		one("", "no_new_privs: true\n") +
		one("command: [/bin/sh, x]\n", "command: [/bin/server]\n") +
		one("", "env: {keep: [LD_PRELOAD]}\n", "env: {set: {LD_PRELOAD: /x}}\n")
}

// randomFile returns a program with set-user-ID bit or file capabilities.
func randomFile(g *rand.Rand) cred.File {
	var f cred.File
	if g.IntN(3) == 0 {
		f.Setuid, f.UID = true, uint32(g.IntN(2)*33)
	}
	if g.IntN(3) > 0 {
		f.HasCaps, f.Effective = true, g.IntN(2) == 0
		for _, v := range interesting {
			switch g.IntN(4) {
			case 0:
				f.Permitted = f.Permitted.With(int(v))
			case 1:
				f.Inheritable = f.Inheritable.With(int(v))
			}
		}
	}
	return f
}
