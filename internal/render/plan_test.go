package render

import (
	"bytes"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
	"caprun/profiles"
)

// planOf compiles a profile, whose text lacks the version.
func planOf(t *testing.T, text string, from cred.Cred) *engine.Plan {
	t.Helper()
	p, diagnostics := policy.Parse("test.yaml", []byte("version: 1\n"+text+"\n"))
	if p == nil {
		t.Fatal(diagnostics)
	}
	plan, diagnostics := engine.Compile(p, from, engine.OrdinaryTarget())
	if plan == nil {
		t.Fatal(diagnostics)
	}
	return plan
}

// TestCapTable: the rows of the table of capabilities, for several callers.
func TestCapTable(t *testing.T) {
	newer := cred.Root()
	newer.All = cred.FirstCaps(43)
	newer.Permitted, newer.Effective, newer.Bounding = newer.All, newer.All, newer.All.Without(42)
	half := cred.Root()
	half.Bounding = half.All.Minus(cred.FirstCaps(20))
	none := cred.Root()
	none.Permitted, none.Effective, none.Bounding = 0, 0, 0
	nine := cred.Root()
	nine.Bounding = nine.All.Minus(cred.FirstCaps(9))
	for _, c := range []struct {
		name, text string
		from       cred.Cred
		rows       []string
	}{
		{"all alike", "umask: \"0022\"", cred.Root(), []string{"all 41 / e p - b - / e p - b -"}},
		{"nothing", "umask: \"0022\"", none, []string{"all 41 / - - - - - / - - - - -"}},
		{"a newer kernel", "umask: \"0022\"", newer, []string{"42 / e p - - - / - - - - -", "the other 42 / e p - b - / e p - b -"}},
		{"a newer kernel, all lost", "uid: 3\ngid: 3\nmode: NOPRIV", newer, []string{"42 / e p - - - / - - - - -", "the other 42 / e p - b - / - - - - -"}},
		{"two many", "uid: 3\ngid: 3", half, []string{
			"cap_chown,cap_dac_override,cap_dac_read_search,…,cap_sys_ptrace / e p - - - / - - - - -",
			"the other 21 / e p - b - / - - - b -"}},
		{"nine are named beside more", "uid: 3\ngid: 3", nine, []string{
			"cap_chown,cap_dac_override,cap_dac_read_search,…,cap_setpcap / e p - - - / - - - - -",
			"the other 32 / e p - b - / - - - b -"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := planOf(t, c.text, c.from)
			rows, names := capNames(capRows(plan))
			var got []string
			var all cred.Caps
			for n, r := range rows {
				name := strings.Join(names[n], "")
				if list := strings.Split(name, ","); len(list) > 4 {
					name = strings.Join(append(list[:3:3], "…", list[len(list)-1]), ",")
				}
				got = append(got, name+" / "+setMarks(r.caller, r.caller, false)+" / "+setMarks(r.caller, r.target, false))
				if all.Intersect(r.caps) != 0 {
					t.Errorf("%s is in two rows", all.Intersect(r.caps).String())
				}
				all = all.Union(r.caps)
			}
			if strings.Join(got, "\n") != strings.Join(c.rows, "\n") {
				t.Errorf("the rows are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.rows, "\n"))
			}
			if all != c.from.All {
				t.Errorf("there are rows for %s", all.String())
			}
		})
	}
}

// TestSetMarks: on a terminal, added marks are green and removed ones red.
func TestSetMarks(t *testing.T) {
	before := [5]bool{true, true, false, false, false}
	after := [5]bool{false, true, false, true, false}
	if got := setMarks(before, after, false); got != "- p - b -" {
		t.Error(got)
	}
	if got := setMarks(before, after, true); got != "\x1b[31m-\x1b[0m p - \x1b[1;32mb\x1b[0m -" {
		t.Errorf("%q", got)
	}
}

// TestPlanWidth: no line of the plans of the built-in profiles, and of ones with long
// lists, has more than 100 columns. Colour does not change the text.
func TestPlanWidth(t *testing.T) {
	plans := []*engine.Plan{
		planOf(t, "uid: 3\ngid: 3\ncaps: all=eip cap_chown,cap_kill-eip\nsecbits: [noroot, no_setuid_fixup, no_cap_ambient_raise, keep_caps_locked, exec_restrict_file]", cred.Root()),
		planOf(t, "uid: 3\ngid: 3\ncaps: cap_chown,cap_fowner,cap_fsetid,cap_kill,cap_setgid,cap_setuid,cap_setpcap,cap_mknod,cap_audit_write,cap_setfcap,cap_net_raw=eip", cred.Root()),
		planOf(t, "groups: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26]\nuid: 4294967294\ngid: 4294967294\niab: '!cap_kill'", cred.Root()),
	}
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		p, diagnostics := policy.Parse("builtin:"+name, text)
		plan, _ := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
		if plan == nil {
			t.Fatal(diagnostics)
		}
		plans = append(plans, plan)
	}
	for _, plan := range plans {
		var bare, coloured bytes.Buffer
		Plan(&bare, plan, PlanView{As: "root"})
		Plan(&coloured, plan, PlanView{As: "root", Colour: true})
		for line := range strings.Lines(bare.String()) {
			line = strings.TrimSuffix(line, "\n")
			if len(line) > 100 || strings.TrimRight(line, " ") != line || strings.Contains(line, "\x1b") {
				t.Errorf("%d columns: %q", len(line), line)
			}
		}
		plain := strings.NewReplacer("\x1b[1m", "", "\x1b[1;32m", "", "\x1b[31m", "", "\x1b[0m", "").Replace(coloured.String())
		if plain != bare.String() {
			t.Errorf("the text with colour differs:\n%s", plain)
		}
	}
}

// TestWrap: wrap also breaks long lists, and keeps all text.
func TestWrap(t *testing.T) {
	text := "It keeps " + strings.Repeat("cap_net_raw,", 20) + "cap_kill still."
	lines := wrap(text, 60)
	for _, line := range lines {
		if len(line) > 60 {
			t.Errorf("%d: %s", len(line), line)
		}
	}
	if len(lines) < 4 || strings.ReplaceAll(strings.Join(lines, ""), " ", "") != strings.ReplaceAll(text, " ", "") {
		t.Errorf("%q", lines)
	}
	if got := wrap("", 10); got != nil {
		t.Errorf("%q", got)
	}
}
