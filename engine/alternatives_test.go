package engine

import (
	"math/rand/v2"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/command"
)

// somethingUnknown returns facts about a file, and alternatives for them, as
// machine.FindProgram does if it cannot determine everything.
func somethingUnknown(r *rand.Rand, f cred.File) (cred.File, []machine.Alternative) {
	const no, unknown = 1, 2 // of three answers
	setsIDs := f.Setuid || f.Setgid && f.GroupExec
	if f.NoSuid || !setsIDs && !f.HasCaps {
		return f, nil
	}
	mount := r.IntN(3)
	if mount == no {
		f.NoSuid = true
		return f, nil
	}
	var list []machine.Alternative
	add := func(other cred.File) {
		list = append(list, machine.Alternative{File: other, Unknown: "caprun cannot determine it", Hint: "find out"})
	}
	if setsIDs {
		unmapped := f
		unmapped.UID = cred.NoID
		switch r.IntN(3) {
		case no:
			f = unmapped
		case unknown:
			add(unmapped)
		}
	}
	if mount == unknown {
		foreign := f
		foreign.NoSuid = true
		add(foreign)
	}
	return f, list
}

// TestEveryAlternative compiles all declarations over two capabilities for files with
// unknown facts. A plan must lead to the same state for all facts that may be true. A
// declaration to which all of them lead must not be refused.
func TestEveryAlternative(t *testing.T) {
	u := universe{setpcap | raw, setpcap | raw | 1<<cred.SETUID}
	declarations := u.declarations()
	r := rand.New(rand.NewPCG(2, 1))
	plans, unknown := 0, 0
	for range int(command.Number(t, "CAPRUN_TEST_COMBINATIONS", 60)) {
		w := pick(r, u)
		w.file = scenarioFiles[r.IntN(len(scenarioFiles))]
		file, alternatives := somethingUnknown(r, w.file)
		w.file = file
		for _, d := range declarations {
			target := w.target()
			alone, _ := Compile(w.profile(&d), w.from, target)
			target.Alternatives = alternatives
			plan, found := Compile(w.profile(&d), w.from, target)

			agree, reachable := alone != nil, alone != nil
			for _, a := range alternatives {
				if plan != nil {
					after, result, errno := plan.BeforeExec.Exec(a.File, w.rules)
					if errno != 0 || result.Secure != plan.SecureExec || !after.Equal(plan.AfterExec) {
						t.Fatalf("%s: the plan leads to another state with %+v, in %s", d.text(), a.File, w)
					}
				}
				if alone != nil {
					after, result, errno := alone.BeforeExec.Exec(a.File, w.rules)
					agree = agree && errno == 0 && result.Secure == alone.SecureExec && after.Equal(alone.AfterExec)
				}
				other := w
				other.file = a.File
				otherPlan, _ := Compile(other.profile(&d), w.from, other.target())
				reachable = reachable || otherPlan != nil
			}
			switch {
			case plan != nil:
				plans++
			case agree:
				t.Fatalf("%s: refused although every alternative leads to it: %v, in %s", d.text(), found, w)
			case reachable && !strings.Contains(found[0].Message, "cannot determine"):
				t.Fatalf("%s: reachable %v, and %v, in %s", d.text(), reachable, found, w)
			case reachable:
				unknown++
			}
		}
	}
	if plans == 0 || unknown == 0 {
		t.Errorf("%d plans, %d refused for unknown facts", plans, unknown)
	}
	t.Logf("%d plans, %d refused for unknown facts", plans, unknown)
}
