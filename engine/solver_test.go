package engine

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/command"
	"caprun/policy"
)

// The values from which pick makes random scenarios. A test tries all declarations in
// each scenario.
var (
	scenarioIDs = [][4]uint32{{0, 0, 0, 0}, {1000, 1000, 1000, 1000}, {0, 1000, 0, 1000}, {0, 1000, 1000, 1000}, {1000, 0, 1000, 0}, {1000, 0, 0, 0}}

	// Permitted, inheritable, bounding and ambient; ^0 is everything.
	scenarioSets = [][4]cred.Caps{
		{^cred.Caps(0), 0, ^cred.Caps(0), 0},
		{^cred.Caps(0), 0, setpcap | raw, 0},
		{^cred.Caps(0), raw, setpcap | raw, raw},
		{^setpcap, 0, raw, 0},
		{^setpcap, raw, 0, 0},
		{^raw, 0, setpcap | raw, 0},
		{^raw, raw, setpcap, 0},
		{^cred.Caps(0), 0, setpcap, 0},
		{setpcap | raw, 0, setpcap | raw, 0},
		{raw, raw, raw, raw},
		{0, raw, raw, 0},
		{0, 0, setpcap | raw, 0},
		{0, 0, 0, 0},
	}
	// A process does not start with keep_caps: exec clears it.
	callerBits = []cred.Securebits{
		0, 0, cred.SecNoRoot, cred.SecNoRoot | cred.SecNoRootLocked, cred.SecNoRootLocked, cred.SecNoSetuidFixup,
		cred.SecKeepCapsLocked, cred.SecKeepCapsLocked | cred.SecNoSetuidFixupLocked,
		cred.SecNoCapAmbientRaise, cred.SecNoCapAmbientRaise | cred.SecNoCapAmbientRaiseLocked,
	}
	profileBits = []cred.Securebits{
		0, cred.SecNoRoot, cred.SecNoRoot | cred.SecNoRootLocked, cred.SecNoSetuidFixup, cred.SecKeepCapsLocked,
		cred.SecNoCapAmbientRaise | cred.SecNoCapAmbientRaiseLocked, 0xef,
	}
	scenarioModes = []cap.Mode{cap.ModeHybrid, cap.ModePure1EInit, cap.ModePure1E, cap.ModeNoPriv}
	scenarioIABs  = []string{"", "^cap_net_raw", "cap_net_raw", "!cap_net_raw", "^cap_setpcap,cap_net_raw", "!cap_setuid,!cap_setpcap,cap_net_raw"}
	scenarioFiles = []cred.File{
		{}, {},
		{Setuid: true},
		{Setuid: true, UID: 5},
		{Setuid: true, UID: 33},
		{Setgid: true, GroupExec: true, GID: 5},
		{Setgid: true, GID: 5},
		{HasCaps: true},
		{HasCaps: true, Effective: true},
		{HasCaps: true, Permitted: raw},
		{HasCaps: true, Permitted: raw, Effective: true},
		{HasCaps: true, Inheritable: raw},
		{HasCaps: true, Inheritable: raw, Effective: true},
		{HasCaps: true, Permitted: raw | setpcap, Effective: true},
		{HasCaps: true, Permitted: setpcap, Inheritable: raw, Effective: true},
		{HasCaps: true, Permitted: raw | setpcap, Inheritable: raw | setpcap},
		{Setuid: true, HasCaps: true},
		{Setuid: true, HasCaps: true, Permitted: raw, Effective: true},
		{Setuid: true, HasCaps: true, Permitted: raw, Effective: true, NoSuid: true},
		{HasCaps: true, Permitted: raw, NoSuid: true},
	}
)

const setpcap = cred.Caps(1 << cred.SETPCAP)

// pick returns a random scenario without a file.
func pick(r *rand.Rand, u universe) scenario {
	uids := scenarioIDs[r.IntN(len(scenarioIDs))]
	sets := scenarioSets[r.IntN(len(scenarioSets))]
	if uids[0] == 0 && uids[1] == 0 && r.IntN(2) == 0 {
		sets = scenarioSets[0]
	}
	c := cred.Cred{All: u.all, GID: 1000, EGID: 1000, SGID: 1000, FSGID: 1000, Groups: []uint32{1000}}
	c.UID, c.EUID, c.SUID, c.FSUID = uids[0], uids[1], uids[2], uids[3]
	c.Permitted, c.Inheritable, c.Bounding, c.Ambient = sets[0]&u.all, sets[1]&u.all, sets[2]&u.all, sets[3]&u.all
	c.Effective = c.Permitted
	if r.IntN(4) == 0 {
		c.Effective = 0
	}
	c.Securebits = callerBits[r.IntN(len(callerBits))]
	c.NoNewPrivs = r.IntN(8) == 0
	w := scenario{from: c, nnp: r.IntN(3) == 0, rules: cred.Latest()}
	if r.IntN(4) == 0 {
		w.rules = cred.Linux(5, 10)
	}
	if uid := [...]uint32{0, 33, 1000}; r.IntN(2) == 0 {
		w.uid = &uid[r.IntN(3)]
	}
	switch r.IntN(4) {
	case 0, 1:
		w.secbits = &profileBits[r.IntN(len(profileBits))]
	case 2:
		w.mode = &scenarioModes[r.IntN(len(scenarioModes))]
	}
	if r.IntN(4) == 0 {
		var err error
		if w.iab, err = policy.NewIAB(scenarioIABs[r.IntN(len(scenarioIABs))]); err != nil {
			panic(err)
		}
	}
	return w
}

// TestEveryRoute compares solve with a search through all operations of the model, for
// every declaration over two capabilities: both must find the same declarations reachable,
// and a plan must lead to what it was made for.
func TestEveryRoute(t *testing.T) {
	u := universe{setpcap | raw, setpcap | raw | 1<<cred.SETUID}
	declarations := u.declarations()
	r := rand.New(rand.NewPCG(1, 1))
	total, plans, failures := 0, 0, 0
	for range int(command.Number(t, "CAPRUN_TEST_COMBINATIONS", 240)) {
		w := pick(r, u)
		finals := w.beforeExec(u)
		for range 3 {
			w.file = scenarioFiles[r.IntN(len(scenarioFiles))]
			reach := w.outcomes(u, finals)
			c := &compiler{Plan: Plan{Profile: w.profile(nil), Caller: w.from, Target: w.target()}}
			c.Identity = machine.TargetIdentity(c.Profile, c.Caller, nil)
			if d := c.readDeclaration(); d != nil {
				t.Fatal(d)
			}
			for _, d := range declarations {
				total++
				c.caps = &d
				_, ok := c.solve()
				if ok != reach[d] {
					failures++
					t.Errorf("%s: solve reports %v, the search %v, in %s", d.text(), ok, reach[d], w)
				}
				if ok {
					plans++
					w.checkPlan(t, d)
				}
				if failures > 5 {
					t.FailNow()
				}
			}
		}
	}
	t.Logf("%d combinations, %d with a plan", total, plans)
}

// checkPlan compares the plan for a declaration with the declaration.
func (w scenario) checkPlan(t *testing.T, d declaredCaps) {
	t.Helper()
	plan, diagnostics := w.compile(d)
	if plan == nil {
		t.Errorf("%s: refused with %v in %s", d.text(), diagnostics, w)
		return
	}
	a := plan.AfterExec
	if a.Effective != d.e || a.Permitted != d.p || a.Inheritable != d.i {
		t.Errorf("%s: the plan leads to %s, in %s", d.text(), setText(a.Effective, a.Permitted, a.Inheritable), w)
	}
	if w.uid != nil && (a.UID != *w.uid || a.EUID != *w.uid || a.SUID != *w.uid || a.FSUID != *w.uid || a.EGID != w.from.GID) {
		t.Errorf("%s: the plan leads to uids %d %d, in %s", d.text(), a.UID, a.EUID, w)
	}
	if w.iab == nil && !a.Bounding.SubsetOf(d.p.Union(d.i)) {
		t.Errorf("%s: the bounding set keeps %s, in %s", d.text(), a.Bounding.String(), w)
	}
	if a.NoNewPrivs != (w.nnp || w.from.NoNewPrivs || w.mode != nil && *w.mode == cap.ModeNoPriv) {
		t.Errorf("%s: no_new_privs is %v, in %s", d.text(), a.NoNewPrivs, w)
	}
	if plan.Route < RouteNone || plan.Route > RouteFile {
		t.Errorf("%s: route %d", d.text(), int(plan.Route))
	}
}

// String describes a scenario for a failure.
func (w scenario) String() string {
	var b strings.Builder
	f := w.from
	b.WriteString("caller IDs " + joinNumbers([]uint32{f.UID, f.EUID, f.SUID}) + " sets " + setText(f.Effective, f.Permitted, f.Inheritable) +
		" ambient " + f.Ambient.String() + " bounding " + f.Bounding.String() + " securebits " + SecbitsText(f.Securebits))
	if f.NoNewPrivs {
		b.WriteString(" no_new_privs")
	}
	b.WriteString("; profile")
	if w.uid != nil {
		b.WriteString(" uid " + strconv.Itoa(int(*w.uid)))
	}
	if w.secbits != nil {
		b.WriteString(" secbits " + SecbitsText(*w.secbits))
	}
	if w.mode != nil {
		b.WriteString(" mode " + w.mode.String())
	}
	if w.iab != nil {
		b.WriteString(" iab " + strconv.Quote(w.iab.Text))
	}
	if w.nnp {
		b.WriteString(" no_new_privs")
	}
	c := compiler{Plan: Plan{Target: w.target()}}
	b.WriteString("; target " + c.targetEffect())
	if w.file.NoSuid {
		b.WriteString(" on nosuid")
	}
	if w.rules != cred.Latest() {
		b.WriteString("; old kernel")
	}
	return b.String()
}

// refusalCheck compares refusals in a scenario with the search, with and without causes.
type refusalCheck struct {
	scenario
	u        universe
	causes   cause                     // those of the scenario
	outcomes [16]map[declaredCaps]bool // by the causes that are removed
	states   [16][]cred.Cred           // before exec, by the causes that are removed
}

func newRefusalCheck(w scenario, u universe) *refusalCheck {
	j := &refusalCheck{scenario: w, u: u, causes: causeTarget | causeCaller}
	if w.mode != nil && *w.mode != cap.ModeHybrid {
		j.causes |= causeMode // HYBRID sets securebits and empties nothing
	}
	if w.iab != nil {
		j.causes |= causeIAB
	}
	return j
}

// outcomesWithout returns the outcomes of the scenario without the causes gone.
func (j *refusalCheck) outcomesWithout(gone cause) map[declaredCaps]bool {
	if j.outcomes[gone] == nil {
		w, before := j.scenario.withoutCauses(gone), gone&^causeTarget
		if j.states[before] == nil {
			j.states[before] = w.beforeExec(j.u)
		}
		j.outcomes[gone] = w.outcomes(j.u, j.states[before])
	}
	return j.outcomes[gone]
}

// smallest returns the smallest sets of causes for which ok reports true.
func (j *refusalCheck) smallest(ok func(gone cause) bool) []cause {
	for size := range 5 {
		var found []cause
		for gone := range cause(16) {
			if gone&^j.causes == 0 && cred.Caps(gone).Len() == size && ok(gone) {
				found = append(found, gone)
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

var causeOf = map[string]cause{
	rules[ruleMode].Name: causeMode, rules[ruleCapsIAB].Name: causeIAB, rules[ruleTarget].Name: causeTarget, rules[ruleIdentity].Name: causeTarget,
	rules[ruleMissing].Name: causeCaller, rules[ruleCaller].Name: causeCaller, rules[ruleSecbits].Name: causeCaller,
}

// check returns what is wrong with the refusal of d; empty if nothing is.
func (j *refusalCheck) check(d declaredCaps, got policy.Diagnostic) string {
	if j.iab != nil {
		// An iab that is refused without caps is the cause, whatever caps declares.
		if plan, alone := Compile(j.profile(nil), j.from, j.target()); plan == nil {
			// What a mount hides can matter only with caps.
			if !strings.HasPrefix(got.Message, alone[0].Message) {
				return "without caps, iab is refused with: " + alone[0].Message
			}
			return ""
		}
	}
	named := causeOf[got.Rule]
	if named == 0 && got.Rule != rules[ruleUnreachable].Name {
		return "unexpected rule"
	}
	nearest, isNear := nearestOf(d, j.outcomesWithout(0))
	if wrong := j.checkHint(got.Rule, got.Hint, nearest, isNear); wrong != "" {
		return wrong
	}
	if sets := j.smallest(func(gone cause) bool { return j.outcomesWithout(gone)[d] }); sets != nil {
		for _, s := range sets {
			if s&named != 0 {
				if named == causeCaller && s == causeCaller {
					return j.fixCaller(d)
				}
				return ""
			}
		}
		return "the named cause is in no smallest set of causes"
	}
	// d is not reachable for any caller and ordinary target.
	if named == 0 && !j.isForbidden(d, got.Message) {
		return "the named rule allows the declaration"
	}
	sets := j.smallest(func(gone cause) bool { _, ok := nearestOf(d, j.outcomesWithout(gone)); return ok })
	for _, s := range sets {
		switch {
		case s&named != 0 && named != causeCaller && named != causeTarget, named == 0 && s&(causeMode) == 0:
			return ""
		}
	}
	if sets == nil && named == 0 && strings.HasPrefix(got.Hint, "grant fewer capabilities: no declaration that grants ") {
		return ""
	}
	return "caps is not the cause"
}

// readText parses a caps text of a hint, with or without quotes.
func readText(text string) declaredCaps {
	caps, err := policy.NewCaps(strings.Trim(text, `"`))
	if err != nil {
		panic(err)
	}
	return declaredCaps{caps.Effective, caps.Permitted, caps.Inheritable}
}

// granted matches a hint to grant what the target's file requires; written matches other
// hints to write caps.
var (
	granted = regexp.MustCompile(`^remove the target's file capabilities, or write caps: (.*)$`)
	written = regexp.MustCompile(`(?:^|or )write (?:caps: )?(["=ca0-9].*)$`)
)

// checkHint returns what is wrong with a hint; empty if nothing is.
func (j *refusalCheck) checkHint(rule, hint string, nearest declaredCaps, isNear bool) string {
	m := written.FindStringSubmatch(hint)
	if n := granted.FindStringSubmatch(hint); n != nil {
		if plan, _ := j.compile(readText(n[1])); plan == nil {
			return "the caps of the hint have no plan"
		}
		return ""
	}
	switch {
	case m == nil && isNear && causeOf[rule] != causeCaller && rule != rules[ruleIdentity].Name && !strings.HasPrefix(hint, "remove the target's file capabilities"):
		return "the hint does not name the nearest caps, " + nearest.text()
	case m == nil:
		if rule == rules[ruleCapsIAB].Name && !strings.HasPrefix(hint, "remove iab") {
			return "no hint"
		}
		return ""
	}
	if m[1] == "=" {
		return "a plain = is not valid in YAML 1.1"
	}
	x := readText(m[1])
	if plan, _ := j.compile(x); plan == nil {
		return "the caps of the hint have no plan"
	}
	if isNear && x != nearest {
		return "the nearest is " + nearest.text()
	}
	if !isNear && rule != rules[ruleCapsIAB].Name {
		return "the hint does not grant the declared caps"
	}
	return ""
}

// isForbidden reports whether the rule that a message names forbids d.
func (j *refusalCheck) isForbidden(d declaredCaps, message string) bool {
	for text, forbids := range map[string]bool{
		"an effective capability is also permitted":                       !d.e.SubsetOf(d.p),
		": a capability passed on by the ambient set is also inheritable": d.p != 0 && !d.p.SubsetOf(d.i),
		"permitted, effective and inheritable":                            d.e != d.p,
		"becomes effective":                                               d.e != d.p,
		"of uid 0 becomes permitted":                                      !d.i.SubsetOf(d.p) && !j.nnp && !j.from.NoNewPrivs,
		"its effective set is the ambient one":                            !d.e.SubsetOf(d.i),
		"exec empties the ambient set":                                    d.e != 0 && j.rules != cred.Latest() && j.from.UID != j.from.EUID,
		"leaves nothing inheritable":                                      d.i != 0 && (j.mode == nil || *j.mode != cap.ModePure1E),
		"leaves nothing ambient":                                          d.p != 0,
	} {
		if strings.Contains(message, text) {
			return forbids
		}
	}
	return false
}

var lacking = regexp.MustCompile(`(?:needs|lacks) (cap_[a-z_]+(?:,cap_[a-z_]+)*)`)

// fixCaller gives the caller what refusals say that it lacks, one after the other, until
// there is a plan. It returns what is wrong with these refusals; empty if nothing is.
func (j *refusalCheck) fixCaller(d declaredCaps) string {
	w := j.scenario
	var refusals []string
	for range 8 {
		plan, diagnostics := w.compile(d)
		if plan != nil {
			return ""
		}
		got := diagnostics[0]
		refusals = append(refusals, got.Message)
		before := searchStateOf(w.from)
		switch got.Rule {
		case rules[ruleMissing].Name:
			m := lacking.FindStringSubmatch(got.Message)
			if m == nil {
				return "the message does not name what the caller lacks: " + got.Message
			}
			for _, name := range strings.Split(m[1], ",") {
				v, err := cap.FromName(name)
				if err != nil {
					return err.Error()
				}
				bit := cred.CapsOf(int(v))
				w.from.Permitted |= bit
				w.from.Effective |= bit
				w.from.Bounding |= bit
			}
		case rules[ruleCaller].Name, rules[ruleSecbits].Name:
			w.from.Securebits = w.withoutCauses(causeCaller).from.Securebits
		default:
			return "after the caller, another cause is named: " + strings.Join(refusals, "; ")
		}
		if searchStateOf(w.from) == before {
			return "the caller has what it is said to lack: " + strings.Join(refusals, "; ")
		}
	}
	return "there is no plan although the caller has everything: " + strings.Join(refusals, "; ")
}

// TestEveryRefusal compares every refusal with the search: the named cause must be in a
// smallest set of causes, and the hint must name the nearest declaration.
func TestEveryRefusal(t *testing.T) {
	u := universe{setpcap | raw, setpcap | raw | 1<<cred.SETUID}
	declarations := u.declarations()
	r := rand.New(rand.NewPCG(2, 2))
	total, failures := 0, 0
	rules := map[string]int{}
	for range int(command.Number(t, "CAPRUN_TEST_COMBINATIONS", 60)) {
		w := pick(r, u)
		w.file = scenarioFiles[r.IntN(len(scenarioFiles))]
		j := newRefusalCheck(w, u)
		for _, d := range declarations {
			if j.outcomesWithout(0)[d] {
				continue
			}
			total++
			plan, diagnostics := j.compile(d)
			if plan != nil || len(diagnostics) != 1 {
				t.Fatalf("%s: %v in %s", d.text(), diagnostics, w)
			}
			got := diagnostics[0]
			rules[got.Rule]++
			if wrong := j.check(d, got); wrong != "" {
				failures++
				t.Errorf("%s: %s: %s: %v; %s; in %s", d.text(), wrong, got.Rule, got.Message, got.Hint, w)
			}
			if failures > 8 {
				t.FailNow()
			}
		}
	}
	t.Logf("%d refusals: %v", total, rules)
}
