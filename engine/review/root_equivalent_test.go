package review

import (
	"fmt"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/docs/rules"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// TestRootEquivalentsPage compares the page with the table. Each other capability
// must have a reason on the page.
func TestRootEquivalentsPage(t *testing.T) {
	page, _ := rules.Page("amounts-to-root")
	for v := range cap.Value(cap.NamedCount) {
		row := fmt.Sprintf("\n| `%s` | ", v)
		if about := rootEquivalents[v]; about.how != "" {
			asRoot := about.asRoot
			switch asRoot {
			case "":
				asRoot = "nothing more"
			case about.how:
				asRoot = "the same"
			}
			row += about.how + " | " + asRoot + " | " + about.instead + " |\n"
		}
		if strings.Count(page, row) != 1 {
			t.Errorf("the page does not have exactly one row %q", row)
		}
	}
	if strings.Count(page, "\n| `cap_") != cap.NamedCount {
		t.Error("the page has other rows")
	}
}

// TestEachRootEquivalent grants each capability alone, to a user and to uid 0.
// TestSetpcap covers cap_setpcap.
func TestEachRootEquivalent(t *testing.T) {
	for v := range cap.Value(cap.NamedCount) {
		if v == cap.NET_RAW || v == cap.SETPCAP {
			continue
		}
		for id, how := range map[int]string{33: rootEquivalents[v].how, 0: rootEquivalents[v].asRoot} {
			text := fmt.Sprintf("version: 1\nuid: %d\ngid: %d\ncaps: cap_net_raw,%s=eip\nno_new_privs: true\nenv: {keep: []}\n", id, id, v)
			var got []string
			const column = 19
			for _, f := range Check("x.yaml", []byte(text), Options{}).Findings {
				if f.Rule == "root-owns-files" {
					continue
				}
				got = append(got, f.Rule+" "+f.Message)
				if at := (policy.Position{Line: 4, Column: column, EndLine: 4, EndColumn: column + len(v.String())}); f.Position != at {
					t.Errorf("%v: at %v", v, f.Position)
				}
			}
			if want := how != ""; want != (len(got) == 1) || want && !strings.HasSuffix(got[0], ": the target can "+how) {
				t.Errorf("uid %d, %v: %q", id, v, got)
			}
		}
	}
}

// TestRootEquivalentsWithoutUser: a profile without a user grants its capabilities to the
// user of every caller. Those that only exec grants uid 0 are not among them.
func TestRootEquivalentsWithoutUser(t *testing.T) {
	const locked = "secbits: [noroot, noroot_locked]\n"
	for text, want := range map[string]string{
		locked + "caps: cap_dac_override,cap_chown,cap_setuid,cap_net_raw=eip\n": "cap_chown,cap_dac_override,cap_setuid",
		"caps: cap_dac_override,cap_setuid,cap_setgid=eip\n":                     "cap_dac_override,cap_setgid,cap_setuid",
		"caps: cap_dac_override,cap_sys_module=ep\n":                             "cap_sys_module",
		locked + "iab: ^cap_setuid,cap_chown\n":                                  "cap_setuid",
		"caps: cap_setuid=i\n" + locked:                                          "",
		"caps: \"=\"\n":                                                          "",
		"mode: NOPRIV\n":                                                         "",
	} {
		p, mistakes := policy.Read("x.yaml", []byte("version: 1\nno_new_privs: true\n"+text))
		if p == nil {
			t.Fatal(mistakes)
		}
		plan, conflicts := compileForRoot(p)
		if plan == nil {
			t.Fatal(conflicts)
		}
		got := rootEquivalentCaps(plan)
		if want == "" {
			want = "none"
		}
		if got.String() != want {
			t.Errorf("%q: %v, want %s", text, got, want)
		}
		// The same profile with a user grants this user no more.
		uid := uint32(33)
		p.UID, p.GID = &uid, &policy.Group{ID: uid}
		if plan, _ := compileForRoot(p); plan != nil && rootEquivalentCaps(plan).Minus(got) != 0 {
			t.Errorf("%q: %v, and %v with a user", text, got, rootEquivalentCaps(plan))
		}
	}
}

// TestRootEquivalentsTogether checks that many capabilities, and those at one
// position, are one finding.
func TestRootEquivalentsTogether(t *testing.T) {
	const text = "version: 1\nuid: 33\ngid: 33\nno_new_privs: true\nenv: {keep: []}\ncaps: "
	for caps, want := range map[string]string{
		"cap_kill,cap_chown,cap_fowner,cap_setuid,cap_mknod,cap_bpf=eip": "6:7-69 the target has cap_chown,cap_fowner,cap_setuid,cap_mknod,cap_bpf, each of which is equivalent to root",
		"\"cap_\\x63hown,cap_bpf=eip\"":                                  "6:7-33 the target has cap_chown,cap_bpf, each of which is equivalent to root",
		"=eip cap_kill-eip":                                              "6:7-24 the target has ",
	} {
		found := Check("x.yaml", []byte(text+caps+"\n"), Options{}).Findings
		if len(found) != 1 {
			t.Errorf("%s: %v", caps, found)
			continue
		}
		f := found[0]
		if got := fmt.Sprintf("%v-%d %s", f.Position, f.EndColumn, f.Message); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", caps, got)
		}
	}
}

// TestSetpcap checks how cap_setpcap gains other capabilities: from files, and for
// uid 0 from exec if noroot can be cleared.
func TestSetpcap(t *testing.T) {
	const byFile = "cap_setpcap is equivalent to root: the target can make its entire bounding set inheritable, so that files with inheritable capabilities grant it"
	for text, want := range map[string]string{
		"uid: 33\ngid: 33\niab: ^cap_setpcap\n":                                 byFile,
		"uid: 0\ngid: 0\niab: ^cap_setpcap\nsecbits: [noroot]\n":                "cap_setpcap removes the limits of uid 0: the target can clear noroot, which is not locked, and gain its entire bounding set at the next exec",
		"uid: 0\ngid: 0\niab: ^cap_setpcap\nsecbits: [noroot, noroot_locked]\n": "cap_setpcap removes the limits of uid 0: the target can make its entire bounding set inheritable, so that files with inheritable capabilities grant it",
		"uid: 33\ngid: 33\ncaps: cap_setpcap,cap_net_raw=eip\n":                 "",
		"uid: 33\ngid: 33\nno_new_privs: true\niab: ^cap_setpcap\n":             "",
		"uid: 33\ngid: 33\niab: \"" + blockedButNetRaw(t) + "\"\n":              "",
	} {
		got := ""
		for _, f := range Check("x.yaml", []byte("version: 1\nenv: {keep: []}\n"+text), Options{}).Findings {
			if f.Severity == policy.Error {
				t.Errorf("%q: %v", text, f)
			}
			if f.Rule == "amounts-to-root" {
				got += f.Message
			}
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// blockedButNetRaw returns an IAB text with cap_setpcap, and cap_net_raw in the
// bounding set.
func blockedButNetRaw(t *testing.T) string {
	t.Helper()
	text := "^cap_setpcap"
	for v := range cap.Value(cap.NamedCount) {
		if v != cap.SETPCAP && v != cap.NET_RAW {
			text += ",!" + v.String()
		}
	}
	return text
}

// TestChrootEscapesPage compares the page with the table.
func TestChrootEscapesPage(t *testing.T) {
	page, _ := rules.Page("chroot-escape")
	for v := range cap.Value(cap.NamedCount) {
		if strings.Contains(page, fmt.Sprintf("\n| `%s` | ", v)) != (chrootEscapes[v] != "") {
			t.Errorf("the page does not agree about %v", v)
		}
	}
}

// TestCapNames finds names in texts of various forms.
func TestCapNames(t *testing.T) {
	for text, want := range map[string]string{
		"=":                             "",
		"all=eip":                       "",
		"cap_kill=eip":                  "cap_kill@0",
		" cap_kill,cap_chown+p\n10=i":   "cap_kill@1 cap_chown@10 10@22",
		"=eip cap_kill-e":               "",
		"=p cap_kill+e-p":               "cap_kill@3",
		"=p cap_kill,cap_chown-p":       "",
		"cap_kill=ep\u00a0cap_chown+ep": "cap_kill@0 cap_chown@13",
	} {
		caps, err := policy.NewCaps(text)
		if err != nil {
			t.Fatal(err)
		}
		var words nameList
		namesGiven(caps.Clauses, words.add)
		if got := words.String(); got != want {
			t.Errorf("caps %q: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"":                              "",
		"cap_kill":                      "cap_kill@0",
		"^cap_kill,!cap_chown":          "cap_kill@1",
		"!%cap_kill,!^cap_chown,%10":    "cap_kill@2 cap_chown@13 10@24",
		"!cap_kill,cap_chown,!!cap_bpf": "cap_chown@10",
	} {
		iab, err := policy.NewIAB(text)
		if err != nil {
			t.Fatal(err)
		}
		var words nameList
		namesInherited(iab.Fields, words.add)
		if got := words.String(); got != want {
			t.Errorf("iab %q: got %q, want %q", text, got, want)
		}
	}
}

type nameList []string

func (l *nameList) add(n cap.Name) { *l = append(*l, fmt.Sprintf("%s@%d", n.Text, n.Offset)) }

func (l nameList) String() string { return strings.Join(l, " ") }

// TestCanonicalAcceptsPrintedText checks that text printed by cap is canonical.
func TestCanonicalAcceptsPrintedText(t *testing.T) {
	for n := range 5000 {
		// A few capabilities in each set, sometimes most of them.
		bits := func(shift int) cred.Caps {
			x := uint64(n)*0x9e3779b97f4a7c15 ^ uint64(n+shift)*0xbf58476d1ce4e5b9
			caps := cred.Caps(x&(x>>7)&(x>>13)) & cred.FirstCaps(cap.NamedCount)
			if x>>60 == 0 {
				caps = cred.FirstCaps(cap.NamedCount) &^ caps
			}
			return caps
		}
		set := cap.NewSet()
		iab := cap.NewIAB()
		for v := range cap.Value(cap.NamedCount) {
			for flag, caps := range map[cap.Flag]cred.Caps{cap.Effective: bits(1), cap.Permitted: bits(2), cap.Inheritable: bits(3)} {
				if err := set.SetFlag(flag, caps.Has(int(v)), v); err != nil {
					t.Fatal(err)
				}
			}
			for vec, caps := range map[cap.Vector]cred.Caps{cap.Inh: bits(4), cap.Bound: bits(5)} {
				if err := iab.SetVector(vec, caps.Has(int(v)), v); err != nil {
					t.Fatal(err)
				}
			}
			if bits(4).Has(int(v)) && n%2 == 0 {
				if err := iab.SetVector(cap.Amb, true, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		text := set.Text(cap.NamedCount)
		var reported []string
		p := &policy.Profile{}
		var err, iabErr error
		p.Caps, err = policy.NewCaps(text)
		p.IAB, iabErr = policy.NewIAB(iab.String())
		if err != nil || iabErr != nil {
			t.Fatal(err, iabErr)
		}
		capsNotCanonical(&engine.Plan{Profile: p}, func(_ policy.Position, _, hint string) { reported = append(reported, hint) })
		if len(reported) > 0 {
			t.Errorf("%q, %v: %q", text, iab, reported)
		}
	}
}

// TestRootEquivalent: the set does not depend on the uid. cap_setpcap is in it if the
// target can gain another one.
func TestRootEquivalent(t *testing.T) {
	for _, test := range []struct {
		text string
		want cred.Caps
	}{
		{"caps: cap_net_raw,cap_chown,cap_setuid=eip", cred.CapsOf(cred.CHOWN, cred.SETUID)},
		{"caps: cap_net_raw=eip", 0},
		{"caps: cap_setpcap=eip", 0},
		{"iab: ^cap_setpcap", cred.CapsOf(cred.SETPCAP)},
		{"iab: ^cap_setpcap\nno_new_privs: true", 0},
		{"iab: ^cap_setpcap,^cap_chown", cred.CapsOf(cred.SETPCAP, cred.CHOWN)},
	} {
		for _, id := range []int{33, 0} {
			p, found := policy.Parse("x.yaml", fmt.Appendf(nil, "version: 1\nuid: %d\ngid: %d\nsecbits: [noroot, noroot_locked]\n%s\n", id, id, test.text))
			if p == nil {
				t.Fatal(found)
			}
			plan, found := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
			if plan == nil {
				t.Fatal(found)
			}
			if got := RootEquivalent(plan); got != test.want {
				t.Errorf("uid %d, %s: %v, want %v", id, test.text, got, test.want)
			}
		}
	}
}
