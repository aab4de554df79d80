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

// TestClaims holds what the rules say to the model of the kernel, on random
// profiles and programs: what a message claims of capabilities, securebits and
// ids can be done, and where it can be done the rule says so.
func TestClaims(t *testing.T) {
	g := rand.New(rand.NewPCG(5, 6))
	rules := claims()
	spoke, silent, failed := map[string]int{}, map[string]int{}, map[string]bool{}
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
		if p.User == "web" && g.IntN(2) == 0 {
			target.User = &machine.User{Name: "web", UID: 33, GID: uint32(g.IntN(2)), Groups: []uint32{6}}
		}
		plan, _ := engine.Compile(p, cred.Root(), target)
		if plan == nil {
			continue
		}
		planned++
		said := map[string]string{}
		for _, f := range risksOf(plan) {
			if fault := claimedCaps(f); fault != "" {
				t.Fatalf("%v: %s", f.Diagnostic, fault)
			}
			said[f.Rule] += f.Message + "\n"
			spoke[f.Rule]++
		}
		for rule, claim := range rules {
			if said[rule] == "" {
				silent[rule]++
			}
			if fault := claim(plan, said[rule]); fault != "" && !failed[rule] {
				failed[rule] = true
				t.Errorf("%s: %s\nsaid %q of %+v, for %+v and\n%s", rule, fault, said[rule], plan.AfterExec, target.File, text)
			}
		}
	}
	for rule := range rules {
		if spoke[rule] < 50 || silent[rule] < 50 {
			t.Errorf("%s spoke %d times and was silent %d times", rule, spoke[rule], silent[rule])
		}
	}
}

// claimedCaps says what is wrong with the capabilities that a finding is about,
// next to its message.
func claimedCaps(f Finding) (fault string) {
	names := f.Caps.String()
	number := fmt.Sprintf("%d capabilities", f.Caps.Len())
	switch {
	case (f.Caps != 0) != (vectorOf(f.Rule) != nil):
		return "it is about capabilities, and its rule is not, or the other way round"
	case f.Caps != 0 && !strings.Contains(f.Message, names) && !strings.Contains(f.Message, number):
		return "it is about " + names
	}
	return ""
}

// risksAbout returns the risks of a plan by some rules.
func risksAbout(p *engine.Plan, rules ...string) []Finding {
	return slices.DeleteFunc(risksOf(p), func(f Finding) bool { return !slices.Contains(rules, f.Rule) })
}

// claims has for some rules what is wrong with what they say of a plan; empty
// messages are silence.
func claims() map[string]func(p *engine.Plan, said string) (fault string) {
	return map[string]func(*engine.Plan, string) string{
		"amounts-to-root": func(p *engine.Plan, said string) string {
			if isAllPowerful(p) {
				return expect(said, false)
			}
			named := namedCaps(said)
			if !named.SubsetOf(p.AfterExec.Permitted) {
				return "the target does not hold it"
			}
			if p.AfterExec.Permitted.Has(cred.SETPCAP) && named.Has(cred.SETPCAP) != setpcapLeadsOn(p) {
				return "cap_setpcap does, or does not, lead on"
			}
			return ""
		},
		"bounding-wider": func(p *engine.Plan, said string) string {
			a := p.AfterExec
			var given cred.Caps
			for n := range cap.NamedCount {
				if b, _, errno := a.Exec(cred.File{HasCaps: true, Permitted: cred.CapsOf(n), Effective: true}, p.Target.KernelRules); errno == 0 && b.Permitted.Has(n) {
					given = given.With(n)
				}
			}
			given = given.Minus(a.Permitted.Union(a.Inheritable))
			return cmpCaps(said, given, p.Profile.IAB != nil && given != 0)
		},
		"drops-by-itself": func(p *engine.Plan, said string) string {
			a := raise(p.AfterExec)
			_, e1 := a.Setgroups([]uint32{5})
			b, e2 := a.Setgid(5)
			b, e3 := b.Setuid(5)
			if able := isRootUser(p) && e1|e2|e3 == 0 && b.UID == 5; said != "" && !able {
				return "it cannot"
			}
			return ""
		},
		"inheritable-not-ambient": func(p *engine.Plan, said string) string {
			a := p.AfterExec
			if said == "" || strings.Contains(said, "need not be") {
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
				case gets != strings.Contains(said, "only from a file"):
					return "such a file gives it, or gives it not"
				case byPermitted.Permitted.Has(n) && strings.Contains(said, "inheritable too"):
					return "a file that has it permitted gives it too"
				}
			}
			if named := namedCaps(said); named.Intersect(a.Permitted) != 0 {
				return "the target holds it"
			}
			return ""
		},
		"loader-variable": func(p *engine.Plan, said string) string {
			if strings.Contains(said, "is loaded into") && (p.SecureExec || p.AfterExec.Permitted == 0) {
				return "it is not loaded, or the target has no privilege"
			}
			return ""
		},
		"no-new-privs-missing": func(p *engine.Plan, said string) string {
			b, _, _ := p.AfterExec.Exec(cred.File{Setuid: true, UID: 1234}, p.Target.KernelRules)
			return expect(said, b.EUID == 1234 && !isAllPowerful(p))
		},
		"noroot-missing": func(p *engine.Plan, said string) string {
			a := p.AfterExec
			dropped, _ := a.Capset(0, 0, a.Inheritable)
			b, _, _ := dropped.ClearAmbient().Exec(cred.File{}, p.Target.KernelRules)
			return cmpCaps(said, b.Permitted, b.Permitted != 0 && !isAllPowerful(p))
		},
		"root-group": func(p *engine.Plan, said string) string {
			member := func(group uint32) bool { return slices.Contains(p.AfterExec.Groups, group) || p.AfterExec.GID == group }
			return expect(said, (member(0) || member(6) || member(42)) && p.Identity.Declared && p.AfterExec.UID != 0)
		},
		"root-owns-files": func(p *engine.Plan, said string) string {
			// Whatever is said, uid 0 writes what is root's; and one rule says so.
			switch zero := p.AfterExec.FSUID == 0; {
			case said != "" && !zero:
				return "it does not"
			case said == "" && zero && p.Identity.Declared && p.Profile.Chroot == "" && len(risksAbout(p, "root-keeps-power", "noroot-missing", "drops-by-itself", "amounts-to-root")) == 0:
				return "nothing is said about uid 0"
			}
			return ""
		},
		"root-keeps-power": func(p *engine.Plan, said string) string {
			b, _, _ := p.AfterExec.Exec(cred.File{}, p.Target.KernelRules)
			all := p.AfterExec.UID == 0 && b.Permitted == b.All
			if said != "" && !all {
				return "exec does not give everything"
			}
			if said == "" && all && p.AfterExec.Permitted == p.AfterExec.All && !p.AfterExec.Securebits.Has(cred.SecNoRoot) {
				return "it says nothing"
			}
			return ""
		},
		"securebit-unlocked": func(p *engine.Plan, said string) string {
			if p.Profile.Secbits == nil {
				return expect(said, false)
			}
			for bit := cred.SecNoRoot; bit <= cred.SecExecDenyInteractive; bit <<= 2 {
				if !p.AfterExec.Securebits.Has(bit) {
					continue
				}
				name := bit.Names()[0]
				how := clears(p, bit)
				line := ""
				for l := range strings.Lines(said) {
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
		"shell-command": func(p *engine.Plan, said string) string {
			b, _, _ := p.AfterExec.Exec(cred.File{}, p.Target.KernelRules)
			same := b.Permitted.Intersect(p.AfterExec.Permitted)
			return cmpCaps(said, same, same != 0 && p.Profile.Command[0] == "/bin/sh" && !isAllPowerful(p))
		},
	}
}

// setpcapLeadsOn reports whether cap_setpcap gives the target, or what it
// starts, a capability of rootLike that is neither held nor inheritable.
func setpcapLeadsOn(p *engine.Plan) bool {
	a := raise(p.AfterExec)
	inherits, _ := a.Capset(a.Effective, a.Permitted, a.Inheritable.Union(a.Bounding))
	viaFile, _, _ := inherits.Exec(cred.File{HasCaps: true, Inheritable: a.All}, p.Target.KernelRules)
	cleared, _ := a.SetSecurebits(a.Securebits&^cred.SecNoRoot, p.Target.KernelRules)
	viaExec, _, _ := cleared.Exec(cred.File{}, p.Target.KernelRules)
	more := viaFile.Permitted.Union(viaExec.Permitted).Minus(a.Permitted.Union(a.Inheritable)).Without(cred.SETPCAP)
	for v, about := range rootLike {
		if how := about.how; more.Has(v) && (how != "" && !isRootUser(p) || about.asRoot != "") {
			return true
		}
	}
	return false
}

// clears says with which words a rule should say that a securebit can be
// cleared by the target or by what it executes; empty where it cannot.
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
		return "the target holds cap_setpcap"
	case can(byPermitted):
		return "the bounding set has cap_setpcap"
	case can(byInheritable):
		return "cap_setpcap is inheritable"
	}
	return ""
}

// raise makes everything effective that is permitted.
func raise(c cred.Cred) cred.Cred {
	c, _ = c.Capset(c.Permitted, c.Permitted, c.Inheritable)
	return c
}

func expect(said string, want bool) (fault string) {
	switch {
	case want && said == "":
		return "it says nothing"
	case !want && said != "":
		return "it is not so"
	}
	return ""
}

// cmpCaps compares what a message names, or how many, with what it is about.
func cmpCaps(said string, caps cred.Caps, want bool) (fault string) {
	if fault := expect(said, want); fault != "" || said == "" {
		return fault
	}
	if count := regexp.MustCompile(`(\d+) capabilities`).FindStringSubmatch(said); count != nil {
		if n, _ := strconv.Atoi(count[1]); n != caps.Len() {
			return "it is about " + caps.String()
		}
	} else if namedCaps(said) != caps {
		return "it is about " + caps.String()
	}
	return ""
}

// namedCaps returns what a message names.
func namedCaps(said string) cred.Caps {
	var caps cred.Caps
	for _, name := range regexp.MustCompile(`cap_[a-z_0-9]+`).FindAllString(said, -1) {
		if v, err := cap.FromName(name); err == nil {
			caps = caps.With(int(v))
		}
	}
	return caps
}

// interesting are capabilities that rules speak of, and some of which they do not.
var interesting = [...]cap.Value{cap.SETPCAP, cap.SETUID, cap.SETGID, cap.CHOWN, cap.SYS_ADMIN, cap.NET_RAW, cap.KILL, cap.SYS_RESOURCE}

// randomProfile returns a profile without mistakes of its own.
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
		one("", "uid: 33\ngid: 33\n", "uid: 33\ngid: 0\n", "uid: 33\ngid: 33\ngroups: [6, 0]\n", "uid: 0\ngid: 0\n", "uid: 0\ngid: 6\n", "user: web\n", "user: root\n") +
		caps + security +
		one("", "no_new_privs: true\n") +
		one("command: [/bin/sh, x]\n", "command: [/bin/server]\n") +
		one("", "env: {keep: [LD_PRELOAD]}\n", "env: {set: {LD_PRELOAD: /x}}\n")
}

// randomFile returns a program with set-id bits or capabilities.
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
