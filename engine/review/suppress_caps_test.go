package review

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/engine/cred"
	"caprun/policy"
)

// accepting returns a profile for an ordinary user with these capabilities and
// entries in lint.ignore.
func accepting(caps string, entries ...string) string {
	text := "version: 1\nuid: 33\ngid: 33\ncaps: " + caps + "=eip\nno_new_privs: true\nenv: {keep: []}\nlint:\n  ignore:\n"
	for _, e := range entries {
		text += "  - {" + e + "}\n"
	}
	return text
}

func TestSuppressedCaps(t *testing.T) {
	const (
		rule  = "rule: amounts-to-root, reason: x, caps: "
		chown = "amounts-to-root:4:7"
		five  = "cap_chown,cap_setuid,cap_bpf,cap_mknod,cap_fowner"
	)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"one":                {accepting("cap_chown", rule+"[cap_chown]"), []string{chown + " (suppressed)"}},
		"by number":          {accepting("cap_chown", rule+"[0]"), []string{chown + " (suppressed)", "caps-not-canonical:9:46"}},
		"one is added":       {accepting("cap_chown,cap_sys_admin", rule+"[cap_chown]"), []string{chown + " (suppressed)", "amounts-to-root:4:17"}},
		"one is replaced":    {accepting("cap_sys_admin", rule+"[cap_chown]"), []string{chown, "suppression-unused:9:12"}},
		"one is gone":        {accepting("cap_chown", rule+"[cap_setuid, cap_chown]"), []string{chown + " (suppressed)", "suppression-unused:9:47"}},
		"all are gone":       {accepting("cap_kill", rule+"[cap_setuid, cap_chown]"), []string{"suppression-unused:9:12"}},
		"harmless ones":      {accepting("cap_chown,cap_kill", rule+"[cap_chown, cap_kill]"), []string{chown + " (suppressed)", "suppression-unused:9:58"}},
		"two entries":        {accepting("cap_chown,cap_setuid", rule+"[cap_chown]", rule+"[cap_setuid]"), []string{chown + " (suppressed)", "amounts-to-root:4:17 (suppressed)"}},
		"five by one":        {accepting(five, rule+"["+five+"]"), []string{chown + " (suppressed)"}},
		"five by two":        {accepting(five, rule+"[cap_chown, cap_setuid]", rule+"[cap_fowner,cap_bpf,cap_mknod]"), []string{chown + " (suppressed)"}},
		"five but one":       {accepting(five, rule+"[cap_chown, cap_setuid, cap_bpf, cap_mknod]"), []string{chown}},
		"five but one, two":  {accepting(five, rule+"[cap_chown, cap_setuid]", rule+"[cap_bpf, cap_mknod]"), []string{chown}},
		"five, one expired":  {accepting(five, rule+"[cap_chown, cap_setuid, cap_bpf, cap_mknod]", rule+"[cap_fowner], until: 2020-01-31"), []string{chown, "suppression-expired:10:67"}},
		"expired":            {accepting("cap_chown", rule+"[cap_chown], until: 2020-01-31"), []string{chown, "suppression-expired:9:66"}},
		"too wide":           {accepting("cap_chown", "rule: amounts-to-root, reason: x"), []string{chown + " (suppressed)", "suppression-too-wide:9:5"}},
		"too wide, until":    {accepting("cap_chown", "rule: amounts-to-root, reason: x, until: 2099-01-31"), []string{chown + " (suppressed)", "suppression-too-wide:9:5"}},
		"too wide, expired":  {accepting("cap_chown", "rule: amounts-to-root, reason: x, until: 2020-01-31"), []string{chown, "suppression-expired:9:47"}},
		"not about caps":     {"version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nlint: {ignore: [{rule: no-new-privs-missing, caps: [cap_chown], reason: x}]}\n", []string{"no-new-privs-missing:1:10", "suppression-unused:5:52"}},
		"of the host":        {accepting("cap_kill", "rule: target-writable, caps: [cap_chown], reason: x"), []string{"suppression-unused:9:35"}},
		"of an error":        {accepting("cap_kill", "rule: unreachable-caps, caps: [cap_chown], reason: x"), []string{"suppression-of-error:9:12"}},
		"of suppressions":    {accepting("cap_kill", "rule: suppression-too-wide, caps: [cap_chown], reason: x"), []string{"suppression-of-error:9:12"}},
		"of nothing":         {accepting("cap_kill", "rule: amount-to-root, caps: [cap_chown], reason: x"), []string{"suppression-unknown:9:12"}},
		"without a plan":     {"version: 1\nuid: 33\ngid: 33\ncaps: cap_chown=ep\nlint: {ignore: [{rule: amounts-to-root, caps: [cap_chown], reason: x}]}\n", []string{"unreachable-caps:4:7"}},
		"unnamed":            {accepting("all", rule+"[cap_chown]"), []string{chown}},
		"unnamed, as whole":  {accepting("all", "rule: amounts-to-root, reason: x"), []string{chown + " (suppressed)"}},
		"all that iab keeps": {"version: 1\nuid: 33\ngid: 33\niab: \"\"\nlint: {ignore: [{rule: bounding-wider, reason: x}, {rule: no-new-privs-missing, reason: x}]}\n", []string{"no-new-privs-missing:1:10 (suppressed)", "bounding-wider:4:6 (suppressed)"}},
		"most that iab keeps": {"version: 1\nuid: 33\ngid: 33\niab: \"!cap_chown,!cap_bpf\"\nlint: {ignore: [{rule: bounding-wider, reason: x}, {rule: no-new-privs-missing, reason: x}]}\n",
			[]string{"no-new-privs-missing:1:10 (suppressed)", "bounding-wider:4:6 (suppressed)"}},
		"a shell": {accepting("cap_kill,cap_net_admin", "rule: shell-command, caps: [cap_kill], reason: x") + "command: [/bin/sh]\n",
			[]string{"shell-command:10:11", "terminal-kept:10:11"}},
		"a root directory": {accepting("cap_sys_chroot,cap_mknod", "rule: chroot-escape, caps: [cap_sys_chroot, cap_mknod], reason: x") + "chroot: /srv/x\n",
			[]string{"amounts-to-root:4:22", "chroot-escape:10:9 (suppressed)"}},
		"uid 0": {"version: 1\nuid: 0\ngid: 0\ncaps: cap_kill,cap_net_admin=ep\nenv: {keep: []}\nlint: {ignore: [{rule: noroot-missing, caps: [cap_kill], reason: x}, {rule: no-new-privs-missing, reason: x}]}\n",
			[]string{"no-new-privs-missing:1:10 (suppressed)", "noroot-missing:2:6"}},
		"inheritable": {"version: 1\nuid: 33\ngid: 33\ncaps: cap_kill,cap_net_admin=i\nno_new_privs: true\nlint: {ignore: [{rule: inheritable-not-ambient, caps: [cap_net_admin, cap_kill], reason: x}]}\n",
			[]string{"inheritable-not-ambient:4:7 (suppressed)"}},
		"inheritable, too wide": {"version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=i\nno_new_privs: true\nlint: {ignore: [{rule: inheritable-not-ambient, reason: x}]}\n",
			[]string{"inheritable-not-ambient:4:7 (suppressed)", "suppression-too-wide:6:17"}},
		"all inheritable": {"version: 1\nuid: 33\ngid: 33\ncaps: all=i\nno_new_privs: true\nlint: {ignore: [{rule: inheritable-not-ambient, reason: x}]}\n",
			[]string{"inheritable-not-ambient:4:7 (suppressed)"}},
	} {
		r := Check(name, []byte(c.text), Options{Today: day(t, "2027-01-15T12:00:00Z")})
		if got := summaries(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q\n%s", name, got, c.want, c.text)
		}
	}
}

// TestSuppressedByCeiling checks that above-ceiling cannot be suppressed.
func TestSuppressedByCeiling(t *testing.T) {
	ceiling := planOf(t, "P", "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\n")
	text := accepting("cap_chown", "rule: amounts-to-root, caps: [cap_chown], reason: x", "rule: above-ceiling, caps: [cap_chown], reason: x")
	r := Check("x", []byte(text), Options{Ceiling: ceiling})
	want := []string{"above-ceiling:4:7", "amounts-to-root:4:7 (suppressed)", "suppression-of-error:10:12"}
	if got := summaries(r); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if r.Findings[0].Caps != cred.CapsOf(cred.CHOWN) {
		t.Errorf("it is about %v", r.Findings[0].Caps.Names())
	}
}

// TestSuppressedCapsTexts checks messages, and hints with text to copy.
func TestSuppressedCapsTexts(t *testing.T) {
	const rule = "rule: amounts-to-root, reason: x"
	for text, want := range map[string]string{
		accepting("cap_setuid,cap_chown", rule):                                    "the entry suppresses amounts-to-root for every capability, including those added later; add caps: [cap_chown, cap_setuid]",
		accepting("cap_chown", rule+", caps: [cap_chown, cap_mknod]"):              "amounts-to-root reports nothing about cap_mknod; remove it from caps",
		accepting("cap_chown,cap_fowner", rule+", caps: [cap_chown, cap_fowner]"):  "",
		accepting("cap_chown,cap_fowner", rule+", caps: [cap_fowner, \"0\"]"):      "capabilities are given by number; write caps: [cap_fowner, cap_chown]",
		accepting("cap_kill", rule+", caps: [cap_chown]"):                          "amounts-to-root reports nothing in this profile: the entry suppresses nothing; delete lint on lines 7 to 9",
		accepting("cap_kill", "rule: bounding-wider, reason: x, caps: [cap_kill]"): "bounding-wider reports nothing in this profile: the entry suppresses nothing; delete lint on lines 7 to 9",
		accepting("cap_kill", "rule: umask-open, reason: x, caps: [cap_kill]"):     "umask-open is not about capabilities: an entry with caps suppresses nothing; remove caps from the entry",
		accepting("cap_mknod", rule+", caps: [cap_chown]", "rule: chroot-escape, reason: x") + "chroot: /srv/x\n": "cap_mknod is equivalent to root: the target can create a device file for the disk and write the raw disk, unless a device cgroup or nodev forbids it; create the device files before the launch\n" +
			"amounts-to-root reports nothing about these capabilities: the entry suppresses nothing; delete the entry on line 9\n" +
			"the entry suppresses chroot-escape for every capability, including those added later; add caps: [cap_mknod]",
		accepting("cap_chown,cap_setuid,cap_bpf,cap_mknod,cap_fowner", rule+", caps: [cap_chown, cap_setuid, cap_bpf]"): "the target has cap_chown,cap_fowner,cap_setuid,cap_mknod,cap_bpf, each of which is equivalent to root; " +
			"remove those that it does not need; caprun rules amounts-to-root lists alternatives; lint.ignore does not list cap_fowner, cap_mknod",
	} {
		var lines []string
		for _, f := range Check("x", []byte(text), Options{Today: day(t, "2027-01-01T00:00:00Z")}).Findings {
			if f.Suppressed == nil {
				lines = append(lines, f.Message+"; "+f.Hint)
			}
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", text, got, want)
		}
	}
}

// TestSuppressedTogether checks that a finding suppressed by several entries has all
// reasons, the earliest date, and the position of the first entry.
func TestSuppressedTogether(t *testing.T) {
	text := accepting("cap_chown,cap_setuid,cap_bpf,cap_mknod,cap_fowner",
		"rule: amounts-to-root, caps: [cap_bpf], reason: watches", "rule: shell-command, reason: x",
		"rule: amounts-to-root, caps: [cap_setuid, cap_mknod], reason: logs in, until: 2028-01-31",
		"rule: amounts-to-root, caps: [cap_chown, cap_fowner], reason: uploads, until: 2027-06-30")
	r := Check("x", []byte(text), Options{Today: day(t, "2027-01-01T00:00:00Z")})
	want := Suppression{Position: policy.Position{Line: 9, Column: 5, EndLine: 9, EndColumn: 62}, Reason: "watches; logs in; uploads", Until: "2027-06-30"}
	if f := r.Findings[0]; f.Suppressed == nil || *f.Suppressed != want {
		t.Errorf("%+v, %+v", f, f.Suppressed)
	}
}

// TestTooWideHint follows the hint of suppression-too-wide in real profiles: the
// entry then suppresses the same findings, and nothing is reported about it.
func TestTooWideHint(t *testing.T) {
	widened := 0
	for _, path := range realFiles(t, "*.yaml") {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range Check(path, src, Options{}).Findings {
			if capSetOf(f.Rule) != nil && !slices.Contains(names, f.Rule) {
				names = append(names, f.Rule)
			}
		}
		if names == nil {
			continue
		}
		text := string(src) + "lint:\n  ignore:\n"
		for _, name := range names {
			text += "    - {rule: " + name + ", reason: x}\n"
		}
		lines := strings.Split(text, "\n")
		for _, f := range Check(path, []byte(text), Options{}).Findings {
			switch {
			case f.Rule == suppressionTooWide.Name:
				key, ok := strings.CutPrefix(f.Hint, "add ")
				if !ok || len(f.Hint) > 300 {
					t.Fatalf("%s: %s", path, f.Hint)
				}
				widened++
				lines[f.Line-1] = strings.Replace(lines[f.Line-1], "}", ", "+key+"}", 1)
			case capSetOf(f.Rule) != nil && f.Suppressed == nil:
				t.Errorf("not accepted: %v", f.Diagnostic)
			}
		}
		for _, f := range Check(path, []byte(strings.Join(lines, "\n")), Options{}).Findings {
			if f.Suppressed == nil && (capSetOf(f.Rule) != nil || strings.HasPrefix(f.Rule, "suppression-")) {
				t.Errorf("after following the hint: %v", f.Diagnostic)
			}
		}
	}
	if widened < 10 {
		t.Errorf("%d entries were too wide", widened)
	}
}

// TestOnlyListedCapsAreSuppressed checks on random profiles that an entry suppresses
// a finding if and only if it lists each of its capabilities, and is reported as
// unused for the others that it lists.
func TestOnlyListedCapsAreSuppressed(t *testing.T) {
	g := rand.New(rand.NewPCG(11, 12))
	accepted, left := map[string]int{}, map[string]int{}
	for range 3000 {
		p, _ := policy.Read("x.yaml", []byte(randomProfile(g)))
		plan, _ := compileForRoot(p)
		if plan == nil {
			continue
		}
		found := risksOf(plan)
		names := cred.Caps(g.Uint64()|g.Uint64()) & plan.AfterExec.All
		var about cred.Caps
		rule := ""
		for _, n := range g.Perm(len(found)) {
			if found[n].Caps != 0 {
				rule = found[n].Rule
			}
		}
		if rule == "" || names == 0 {
			continue
		}
		p.Ignored = []policy.Ignore{{Rule: rule, Caps: names.Names(), Reason: "x"}}
		unused := 0
		for _, f := range suppress(p, found, time.Time{}, coverage{plan: plan}) {
			switch {
			case f.Rule == rule:
				about = about.Union(f.Caps)
				if got, want := f.Suppressed != nil, f.Caps.SubsetOf(names); got != want {
					t.Fatalf("%s about %v is accepted: %v, by %v", rule, f.Caps.Names(), got, names.Names())
				} else if got {
					accepted[rule]++
				} else {
					left[rule]++
				}
			case f.Suppressed != nil:
				t.Fatalf("%s is accepted by an entry for %s", f.Rule, rule)
			case f.Rule == suppressionUnused.Name:
				unused++
			}
		}
		want := names.Minus(about).Len()
		if names.Intersect(about) == 0 {
			want = 1
		}
		if unused != want {
			t.Fatalf("%s: %d times unused, want %d", rule, unused, want)
		}
	}
	for _, r := range risks {
		if r.findCaps != nil && r.Name != "chroot-escape" && (accepted[r.Name] < 10 || left[r.Name] < 10) {
			t.Errorf("%s: %d accepted, %d left", r.Name, accepted[r.Name], left[r.Name])
		}
	}
}
