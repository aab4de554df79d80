package report

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/policy"
)

// TestRows: a row says what the target has, and what the profile does not declare is the
// caller's.
func TestRows(t *testing.T) {
	const user = "version: 1\nuid: 33\ngid: 33\n"
	const root = "version: 1\nuid: 0\ngid: 0\n"
	all := cred.FirstCaps(41)
	netRaw, setuid := cred.CapsOf(13), cred.CapsOf(cred.SETUID)
	for _, test := range []struct {
		text                  string
		power                 Power
		user                  string
		held, children, later cred.Caps
		ofCaller              bool
		locks                 string
	}{
		{"version: 1\n", AmountsToRoot, "caller", all, all, 0, true, "none"},
		{"version: 1\ncaps: \"=\"\nno_new_privs: true\nsecbits: [noroot, noroot_locked]\n", OwnsRootFiles, "caller", 0, 0, 0, false, "noroot"},
		{root + "caps: cap_setuid=ep\n", AmountsToRoot, "0", setuid, setuid, 0, false, "none"},
		{root + "caps: cap_net_raw=eip\nsecbits: [noroot]\n", OwnsRootFiles, "0", netRaw, netRaw, 0, false, "unlocked"},
		{"version: 1\nuser: root\ncaps: \"=\"\nno_new_privs: true\n", OwnsRootFiles, "0", 0, 0, 0, false, "none"},
		{"version: 1\nuser: web\ncaps: cap_net_raw=eip\nno_new_privs: true\n", SomeCaps, "web", netRaw, netRaw, 0, false, "none"},
		{user, Gains, "33", 0, 0, all, true, "none"},
		{user + "no_new_privs: true\n", None, "33", 0, 0, 0, true, "none"},
		{user + "caps: \"=\"\n", None, "33", 0, 0, 0, false, "none"},
		{user + "caps: \"=\"\nno_new_privs: true\nsecbits: [noroot, noroot_locked, no_setuid_fixup, no_setuid_fixup_locked]\n", None, "33", 0, 0, 0, false, "noroot +1"},
		{user + "secbits: [keep_caps_locked]\nno_new_privs: true\n", None, "33", 0, 0, 0, true, "1 other"},
	} {
		row := oneRow(t, test.text)
		if !row.HasPlan || row.Power != test.power || row.User != test.user || row.Held != test.held || row.Children != test.children ||
			row.Later != test.later || row.CallerCaps != test.ofCaller || row.locks() != test.locks {
			t.Errorf("%s: %+v, locks %s", test.text, row, row.locks())
		}
	}
}

// TestStartsCaprun: a process that is caprun is in a class of its own, in each format. Its
// privileges are counted: a program can have that name.
func TestStartsCaprun(t *testing.T) {
	r := New(Options{})
	for _, s := range []Source{
		{Name: "caprun.service", Text: []byte("version: 1\nuid: 0\ngid: 0\n"), Launches: "web", LaunchText: "web"},
		{Name: "undeclared", Text: []byte("version: 1\n"), Undeclared: "not declared", Launches: "web", LaunchText: "web"},
		{Name: "none", Text: []byte("version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\n"), Launches: "web", LaunchText: "web"},
		{Name: "errors", Text: []byte("version: 1\nuid: x\n"), Launches: "web", LaunchText: "web"},
		{Name: "root", Text: []byte("version: 1\nuid: 0\ngid: 0\n")},
		{Name: "clock", Text: []byte("version: 1\nuid: 0\ngid: 0\ncaps: cap_sys_time=eip\nsecbits: [noroot]\n")},
	} {
		if err := r.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	s := r.Summary()
	const want = "6 profiles: 3 have a capability that amounts to root, 3 run as uid 0, 1 with an undeclared user, which may be root, 3 start a program with caprun, 1 has no capability, 1 has no plan"
	if s.String() != want || s.StartsCaprun != 3 || s.UndeclaredUser != 1 {
		t.Errorf("%s\n%+v\nwant %s", s, s, want)
	}
	var order []string
	for _, row := range r.Rows() {
		order = append(order, row.Name+" "+row.Power.String())
	}
	if got := strings.Join(order, ", "); got != "root amounts-to-root, caprun.service starts-caprun, undeclared starts-caprun, none starts-caprun, clock owns-root-files, errors no-plan" {
		t.Errorf("order: %s", got)
	}
	for format, has := range map[string]struct {
		write func(*bytes.Buffer) error
		text  string
		count int
	}{
		"table": {func(b *bytes.Buffer) error { return r.Table(b, 0, false) }, "\nIs named caprun, and starts the program with a profile: the privileges are those of caprun\n", 1},
		"page":  {func(b *bytes.Buffer) error { return r.HTML(b, ".") }, "caprun, which starts the program with profile web<", 3},
		"json":  {func(b *bytes.Buffer) error { return r.JSON(b, ".") }, "\"launched_profile\": \"web\"", 3},
	} {
		var b bytes.Buffer
		if err := has.write(&b); err != nil || strings.Count(b.String(), has.text) != has.count {
			t.Errorf("%s: error %v, not %d times %q in\n%s", format, err, has.count, has.text, &b)
		}
	}
}

// TestUndeclared: the summary of a file of another platform does not count an unknown user
// as another user than root.
func TestUndeclared(t *testing.T) {
	r := New(Options{})
	for n, text := range []string{"version: 1\n", "version: 1\niab: \"\"\n", "version: 1\nuid: 33\ngid: 33\n", "version: 1\nuid: x\n"} {
		if err := r.Add(Source{Name: fmt.Sprint(n), Text: []byte(text), Undeclared: "not declared"}); err != nil {
			t.Fatal(err)
		}
	}
	s := r.Summary()
	if s.UndeclaredUser != 2 || s.Caller != 0 || s.UID0 != 0 {
		t.Errorf("%+v", s)
	}
	if got := s.String(); !strings.Contains(got, ", 0 run as uid 0, 2 with an undeclared user, which may be root, ") {
		t.Error(got)
	}
	for name, want := range map[string]string{
		"html": `<li class="bad"><strong>2</strong> with an undeclared user, which may be root</li>`, "json": `"undeclared_user": 2`,
	} {
		var b bytes.Buffer
		if err := formats()[name](r, &b); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s has no %s: %v", name, want, err)
		}
	}
	if s := (Summary{}).String(); strings.Contains(s, "undeclared") {
		t.Error(s)
	}
}

// TestNoPlan: a profile with errors is a row with its findings and without privileges.
func TestNoPlan(t *testing.T) {
	for _, text := range []string{"", "version: 1\nuid: -1\n", "version: 1\nuid: 33\ngid: 33\ncaps: cap_net_raw=ep\n", "a: [", "\xff", strings.Repeat("#", 70<<10)} {
		row := oneRow(t, text)
		if row.HasPlan || row.Power != NoPlan || row.Errors == 0 || row.User != "" || row.Held|row.Children|row.Later != 0 {
			t.Errorf("%.40q: %+v", text, row)
		}
	}
	r := New(Options{Base: "HEAD"})
	err := errors.Join(r.Add(Source{Name: "a", Err: errors.New("not a\nregular file")}), r.Add(Source{Name: "b", Removed: true, Old: []byte("version: 1\n")}))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Add(Source{Name: "c", Text: []byte("version: 1\n"), OldErr: errors.New("too large")}); err != nil {
		t.Fatal(err)
	}
	c, a, b := r.Rows()[0], r.Rows()[1], r.Rows()[2]
	if c.Name != "c" || !c.HasPlan || c.Change != "invalid" || !strings.HasSuffix(c.Note, "too large") {
		t.Errorf("%+v", c)
	}
	if a.Problem != "not a regular file" || a.Power != NoPlan || a.Change != "invalid" || b.Power != Removed || b.Change != "removed" {
		t.Errorf("%+v, %+v", a, b)
	}
	if s := r.Summary(); s.Profiles != 2 || s.NoPlan != 1 || s.changesText() != "2 invalid, 1 removed" {
		t.Errorf("%+v", s)
	}
}

// TestCheck: findings of a source that is not a profile link to its own lines.
func TestCheck(t *testing.T) {
	r := New(Options{Today: today})
	err := r.Add(Source{
		Name: "web.service", File: "units/web.service", Text: []byte("version: 1\nuid: 0\ngid: 0\ncaps: cap_sys_admin=ep\n"),
		Check: func(review.Options) []review.Finding {
			at := func(file string, line int) review.Finding {
				return review.Finding{Diagnostic: policy.Diagnostic{File: file, Position: policy.Position{Line: line, Column: 1}, Severity: policy.Warning, Rule: "own", Message: "x"}}
			}
			return []review.Finding{at("units/web.service.d/x.conf", 102), at("units/web.service", 7)}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.HTML(&b, "out"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`href="../units/web.service"`, `href="../units/web.service#L7">line 7<`, `href="../units/web.service.d/x.conf#L10`, `x.conf line 10`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

// TestTooMany: a report is bounded.
func TestTooMany(t *testing.T) {
	r := New(Options{})
	for range MaxProfiles {
		if err := r.Add(Source{Removed: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Add(Source{}); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// TestTooLarge: the size of each format is bounded, and so are the findings and the text of
// a row.
func TestTooLarge(t *testing.T) {
	text := "version: 1\ndescription: " + strings.Repeat("x", 5000) + "\n"
	for n := range 900 {
		text += fmt.Sprintf("%s%d: 1\n", strings.Repeat("k", 40), n)
	}
	row := oneRow(t, text)
	if len(row.Findings) > maxFindings || row.More == 0 && row.Errors > maxFindings {
		t.Errorf("%d findings, %d more, %d errors", len(row.Findings), row.More, row.Errors)
	}
	huge := &Row{Name: strings.Repeat("n", maxText), Problem: strings.Repeat("p", maxText)}
	for range maxFindings {
		huge.Findings = append(huge.Findings, Finding{Message: strings.Repeat("m", maxText)})
	}
	r := New(Options{})
	for range MaxSize / (maxFindings * maxText) {
		r.rows = append(r.rows, huge)
	}
	for _, name := range []string{"html", "json"} {
		var b bytes.Buffer
		if err := formats()[name](r, &b); !errors.Is(err, ErrTooLarge) || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, b.Len())
		}
	}
}
