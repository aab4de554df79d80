package review

import (
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/engine"
	"caprun/policy"
)

// summaries returns findings as rule:line:column, with "(suppressed)" if they are.
func summaries(r Report) []string {
	var list []string
	for _, f := range r.Findings {
		text := f.Rule + ":" + f.Position.String()
		if f.Suppressed != nil {
			text += " (suppressed)"
		}
		list = append(list, text)
	}
	return list
}

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSuppressions(t *testing.T) {
	// It has two findings: no-new-privs-missing and relative-command.
	const risky = "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\ncommand: [./x]\nlint:\n  ignore:\n"
	const nnp, relative = "no-new-privs-missing:1:10", "relative-command:5:11"
	onHost := compileForRoot
	missingOnHost := func(p *policy.Profile) (*engine.Plan, []policy.Diagnostic) {
		plan, _ := compileForRoot(p)
		return plan, []policy.Diagnostic{{File: p.File, Position: p.Position("command[0]"), Severity: policy.Error, Rule: "missing-target", Message: "x", Hint: "x"}}
	}
	for name, c := range map[string]struct {
		text  string
		today string
		host  func(*policy.Profile) (*engine.Plan, []policy.Diagnostic)
		want  []string
	}{
		"one":           {text: risky + "  - {rule: no-new-privs-missing, reason: x}\n", want: []string{nnp + " (suppressed)", relative}},
		"both":          {text: risky + "  - {rule: no-new-privs-missing, reason: x}\n  - {rule: relative-command, reason: x}\n", want: []string{nnp + " (suppressed)", relative + " (suppressed)"}},
		"the day":       {text: risky + "  - {rule: relative-command, reason: x, until: 2027-01-31}\n", today: "2027-01-31T23:59:59Z", want: []string{nnp, relative + " (suppressed)"}},
		"the day after": {text: risky + "  - {rule: relative-command, reason: x, until: 2027-01-31}\n", today: "2027-02-01T00:00:00Z", want: []string{nnp, relative, "suppression-expired:8:48"}},
		"in UTC":        {text: risky + "  - {rule: relative-command, reason: x, until: 2027-01-31}\n", today: "2027-01-31T23:00:00-02:00", want: []string{nnp, relative, "suppression-expired:8:48"}},
		"in UTC, east":  {text: risky + "  - {rule: relative-command, reason: x, until: 2027-01-31}\n", today: "2027-02-01T01:00:00+02:00", want: []string{nnp, relative + " (suppressed)"}},
		"expired, unused": {text: risky + "  - {rule: terminal-kept, reason: x, until: 2027-01-31}\n", today: "2028-01-01T00:00:00Z",
			want: []string{nnp, relative, "suppression-expired:8:45"}},
		"unused":               {text: risky + "  - {rule: terminal-kept, reason: x}\n", want: []string{nnp, relative, "suppression-unused:8:12"}},
		"unknown":              {text: risky + "  - {rule: no-new-privs-mising, reason: x}\n", want: []string{nnp, relative, "suppression-unknown:8:12"}},
		"unknown and expired":  {text: risky + "  - {rule: zzz, reason: x, until: 2027-01-31}\n", today: "2028-01-01T00:00:00Z", want: []string{nnp, relative, "suppression-unknown:8:12"}},
		"an error of policy":   {text: risky + "  - {rule: unknown-key, reason: x}\n", want: []string{nnp, relative, "suppression-of-error:8:12"}},
		"an error of engine":   {text: risky + "  - {rule: unreachable-caps, reason: x}\n", want: []string{nnp, relative, "suppression-of-error:8:12"}},
		"a ceiling":            {text: risky + "  - {rule: above-ceiling, reason: x}\n", want: []string{nnp, relative, "suppression-of-error:8:12"}},
		"of suppressions":      {text: risky + "  - {rule: suppression-unused, reason: x}\n  - {rule: terminal-kept, reason: x}\n", want: []string{nnp, relative, "suppression-of-error:8:12", "suppression-unused:9:12"}},
		"of itself":            {text: risky + "  - {rule: suppression-of-error, reason: x}\n", want: []string{nnp, relative, "suppression-of-error:8:12"}},
		"of expired ones":      {text: risky + "  - {rule: suppression-expired, reason: x, until: 2027-01-31}\n", today: "2028-01-01T00:00:00Z", want: []string{nnp, relative, "suppression-of-error:8:12"}},
		"no plan":              {text: "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=ep\nlint: {ignore: [{rule: terminal-kept, reason: x}]}\n", want: []string{"unreachable-caps:4:7"}},
		"no plan, of an error": {text: "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=ep\nlint: {ignore: [{rule: unreachable-caps, reason: x}]}\n", want: []string{"unreachable-caps:4:7", "suppression-of-error:5:24"}},
		"no plan, unknown":     {text: "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=ep\nlint: {ignore: [{rule: zzz, reason: x}]}\n", want: []string{"unreachable-caps:4:7", "suppression-unknown:5:24"}},
		"no plan, expired":     {text: "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=ep\nlint: {ignore: [{rule: terminal-kept, reason: x, until: 2027-01-31}]}\n", today: "2028-01-01T00:00:00Z", want: []string{"unreachable-caps:4:7", "suppression-expired:5:57"}},
		"mistakes":             {text: "version: 1\nnmae: x\nlint: {ignore: [{rule: zzz, reason: x}]}\n", want: []string{"unknown-key:2:1"}},
		"host":                 {text: risky + "  - {rule: terminal-kept, reason: x}\n", host: onHost, want: []string{nnp, relative, "suppression-unused:8:12"}},
		"host, unused":         {text: risky + "  - {rule: target-writable, reason: x}\n", host: onHost, want: []string{nnp, relative, "suppression-unused:8:12"}},
		"host, missing":        {text: risky + "  - {rule: target-writable, reason: x}\n", host: missingOnHost, want: []string{nnp, "missing-target:5:11", relative}},
		"host, an error": {text: risky + "  - {rule: relative-command, reason: x}\n", host: func(p *policy.Profile) (*engine.Plan, []policy.Diagnostic) {
			// An error is never suppressed, even if its rule is a warning.
			plan, _ := compileForRoot(p)
			return plan, []policy.Diagnostic{{File: p.File, Position: p.Position("uid"), Severity: policy.Error, Rule: "relative-command", Message: "x", Hint: "x"}}
		}, want: []string{nnp, "relative-command:2:6", relative + " (suppressed)"}},
	} {
		today := day(t, "2027-01-15T12:00:00Z")
		if c.today != "" {
			today = day(t, c.today)
		}
		r := Check(name, []byte(c.text), Options{Today: today, Host: c.host})
		if got := summaries(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		for _, f := range r.Findings {
			if f.Hint == "" || f.File != name {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

// TestSuppressedRulesThatDidNotRun checks that an entry for a rule that was not
// checked is not reported as unused.
func TestSuppressedRulesThatDidNotRun(t *testing.T) {
	p, _ := policy.Parse("x", []byte("version: 1\nlint: {ignore: [{rule: terminal-kept, reason: x}]}\n"))
	plan, _ := compileForRoot(p)
	for _, c := range []struct {
		checked coverage
		want    int
	}{{coverage{}, 0}, {coverage{host: true}, 0}, {coverage{plan: plan}, 1}} {
		if got := suppress(p, nil, time.Time{}, c.checked); len(got) != c.want {
			t.Errorf("%+v: %v", c.checked, got)
		}
	}
}

// TestSuppression checks that a finding refers to the entry that suppresses it.
func TestSuppression(t *testing.T) {
	const text = "version: 1\ncaps: \"=\"\nuid: 33\ngid: 33\nlint:\n  ignore:\n  - rule: no-new-privs-missing\n    reason: |\n      runs\tsudo,\n      on purpose\n    until: 2027-01-31\n"
	r := Check("x.yaml", []byte(text), Options{Today: day(t, "2027-01-01T00:00:00Z")})
	if len(r.Findings) != 1 || r.Findings[0].Suppressed == nil {
		t.Fatalf("%+v", r.Findings)
	}
	want := Suppression{Position: policy.Position{Line: 7, Column: 5, EndLine: 11, EndColumn: 22}, Reason: "runs sudo, on purpose", Until: "2027-01-31"}
	if got := *r.Findings[0].Suppressed; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var out strings.Builder
	if err := Oneline(&out, slices.Values([]Report{r})); err != nil || out.Len() > 0 {
		t.Errorf("%v, %q", err, out.String())
	}
}

// TestExpiredWithFinding checks that the hint does not only ask to delete the entry.
func TestExpiredWithFinding(t *testing.T) {
	const text = "version: 1\ncaps: \"=\"\nuid: 3\ngid: 3\nlint: {ignore: [{rule: no-new-privs-missing, reason: x, until: 2020-01-31}]}\n"
	found := Check("x", []byte(text), Options{Today: day(t, "2027-01-01T00:00:00Z")}).Findings
	if len(found) != 2 || found[1].Hint != "fix the finding and delete the entry, or write a later date and a current reason" {
		t.Errorf("%v", found)
	}
}

// TestSuppressionTexts checks messages, and hints with the lines to delete.
func TestSuppressionTexts(t *testing.T) {
	const head = "version: 1\ncaps: \"=\"\nno_new_privs: true\n"
	for text, want := range map[string]string{
		head + "lint:\n  ignore:\n    - {rule: terminal-kept, reason: x}\n":    "terminal-kept reports nothing in this profile: the entry suppresses nothing; delete lint on lines 4 to 6",
		head + "lint: {ignore: [{rule: terminal-kept, reason: x}]}\nname: x\n": "terminal-kept reports nothing in this profile: the entry suppresses nothing; delete lint on line 4",
		head + "lint:\n  ignore:\n    - {rule: terminal-kept, reason: x}\n    - rule: bounding-wider\n      reason: x\n": "terminal-kept reports nothing in this profile: the entry suppresses nothing; delete the entry on line 6\n" +
			"bounding-wider reports nothing in this profile: the entry suppresses nothing; delete the entry on lines 7 to 8",
		head + "lint: {ignore: [{rule: terminalkept, reason: x}]}\n":                      "unknown rule \"terminalkept\"; did you mean terminal-kept?",
		head + "lint: {ignore: [{rule: No_New_Privs_Missing, reason: x}]}\n":              "unknown rule \"No_New_Privs_Missing\"; did you mean no-new-privs-missing?",
		head + "lint: {ignore: [{rule: SC2086, reason: x}]}\n":                            "unknown rule \"SC2086\"; delete lint on line 4",
		head + "lint: {ignore: [{rule: bad-id, reason: x}]}\n":                            "bad-id is an error and cannot be suppressed; delete lint on line 4",
		head + "lint: {ignore: [{rule: suppression-unused, reason: x}]}\n":                "suppression-unused is about suppressions and cannot be suppressed; delete lint on line 4",
		head + "lint: {ignore: [{rule: bounding-wider, reason: x, until: 2020-01-31}]}\n": "the suppression of bounding-wider expired after 2020-01-31; delete lint on line 4",
	} {
		var lines []string
		for _, f := range Check("x", []byte(text), Options{Today: day(t, "2027-01-01T00:00:00Z")}).Findings {
			lines = append(lines, f.Message+"; "+f.Hint)
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", text, got, want)
		}
	}
}
