package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/internal/test/requires"
	"caprun/policy"
)

// randomProfile returns the text of a profile.
func randomProfile(g *rand.Rand) string {
	pick := func(list ...string) string { return list[g.IntN(len(list))] }
	caps := func() string {
		var names []string
		for _, c := range []string{"cap_chown", "cap_setuid", "cap_setpcap", "cap_net_raw", "cap_sys_admin", "cap_kill"} {
			if g.IntN(3) == 0 {
				names = append(names, c)
			}
		}
		return strings.Join(names, ",")
	}
	text := "version: 1\n" + pick("", "uid: 0\ngid: 0\n", "uid: 33\ngid: 33\n", "uid: 33\ngid: 33\n", "user: web\n") + pick("", "no_new_privs: true\n") +
		pick("", "secbits: [noroot]\n", "secbits: [noroot, noroot_locked]\n", "secbits: [no_cap_ambient_raise, no_cap_ambient_raise_locked]\n")
	switch set := caps(); g.IntN(4) {
	case 0:
	case 1:
		text += fmt.Sprintf("caps: \"%s\"\n", set+pick("=ep", "=eip"))
	case 2:
		text += "caps: \"=\"\n"
	default:
		var words []string
		for c := range strings.SplitSeq(set, ",") {
			if c != "" {
				words = append(words, pick("", "^", "%", "!")+c)
			}
		}
		text += "iab: \"" + strings.Join(words, ",") + "\"\n"
	}
	return text
}

// TestPower: a launch that grants more than another in capabilities, uid 0 or no_new_privs,
// and nothing less, comes first.
func TestPower(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	type entry struct {
		text string
		plan *engine.Plan
		row  *Row
	}
	var all []entry
	for len(all) < requires.Rounds(120, 250) {
		text := randomProfile(g)
		p, _ := policy.Parse("x", []byte(text))
		if p == nil {
			continue
		}
		if plan, _ := engine.Compile(p, cred.Root(), engine.OrdinaryTarget()); plan != nil {
			all = append(all, entry{text, plan, oneRow(t, text)})
		}
	}
	ordered := []compare.Dimension{compare.UID, compare.Permitted, compare.Regainable, compare.NoNewPrivs}
	more := 0
	classes := map[Power]int{}
	for _, old := range all {
		classes[old.row.Power]++
		for _, new := range all {
			c := compare.Compare(old.plan, new.plan)
			if c.Order() != compare.More || !slices.ContainsFunc(ordered, func(d compare.Dimension) bool { return c.Find(d).Order == compare.More }) {
				continue
			}
			more++
			first, second := *new.row, *old.row
			first.Name, second.Name = "z", "a" // the name does not decide
			if comparePower(&first, &second) >= 0 {
				t.Fatalf("%s\nis before\n%s\nwhich grants more", old.text, new.text)
			}
		}
	}
	if more < requires.Rounds(100, 500) || len(classes) < 5 {
		t.Errorf("%d pairs, classes %v", more, classes)
	}
}

// TestOrder: the order of the rows does not depend on that of the sources.
func TestOrder(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 4))
	var sources []Source
	for n := range 60 {
		text := randomProfile(g)
		sources = append(sources, Source{Name: fmt.Sprintf("a%d.yaml", n), Text: []byte(text)}, Source{Name: fmt.Sprintf("b%d.yaml", n), Text: []byte(text)})
	}
	var first []string
	for round := range 5 {
		r := New(Options{Today: today})
		for _, s := range sources {
			if err := r.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		var names []string
		for _, row := range r.Rows() {
			names = append(names, row.Name)
		}
		if round == 0 {
			first = names
		} else if !slices.Equal(names, first) {
			t.Fatalf("%v\nand then\n%v", first, names)
		}
		g.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
	}
}
