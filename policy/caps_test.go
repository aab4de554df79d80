package policy

import (
	"encoding/json"
	"errors"
	"testing"

	"caprun/cap"
)

func caps(t *testing.T, text string) *Caps {
	t.Helper()
	c, err := NewCaps(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func iab(t *testing.T, text string) *IAB {
	t.Helper()
	v, err := NewIAB(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNewCaps(t *testing.T) {
	const kill, chown, named = cap.Mask(1 << cap.KILL), cap.Mask(1 << cap.CHOWN), cap.Mask(1<<cap.NamedCount - 1)
	for text, want := range map[string][3]cap.Mask{
		"=":                                {},
		"all=eip":                          {named, named, named},
		"=p cap_kill+e cap_chown-p+i":      {kill, named &^ chown, chown},
		"cap_kill,cap_chown=ip cap_kill+e": {kill, kill | chown, kill | chown},
	} {
		if c := caps(t, text); [3]cap.Mask{c.Effective, c.Permitted, c.Inheritable} != want || c.Text != text || c.Clauses == nil {
			t.Errorf("%q is %+v", text, c)
		}
	}
	v := iab(t, "^cap_kill,!cap_chown")
	if v.Inheritable != kill || v.Ambient != kill || v.Blocked != chown || len(v.Fields) != 2 || v.Text != "^cap_kill,!cap_chown" {
		t.Errorf("the tuple is %+v", v)
	}
	var fault *cap.TextError
	if c, err := NewCaps("cap_kil=p"); c != nil || !errors.As(err, &fault) {
		t.Errorf("NewCaps: %+v, %v", c, err)
	}
	if v, err := NewIAB("cap_kil"); v != nil || !errors.As(err, &fault) {
		t.Errorf("NewIAB: %+v, %v", v, err)
	}
}

// TestTextIsLibcaps: caps accepts what cap.ParseText accepts, except clauses that a
// later one discards and numbers without a name.
func TestTextIsLibcaps(t *testing.T) {
	for _, text := range []string{
		"=", "all=", "all+eip", "=ep-e", "=ip cap_setpcap-p+e", "cap_chown,cap_setuid=ip cap_setuid+e", "cap_kill=eip-e+p-i",
		"0,40=p", "cap_kill+p\tcap_kill-p", "\u00a0cap_kill=p\u2003", "= cap_kill+p",
	} {
		if _, err := cap.ParseText(text, cap.NamedCount); err != nil {
			t.Fatalf("%q is not a libcap text: %v", text, err)
		}
		quoted, _ := json.Marshal(text)
		p := accepted(t, "version: 1\ncaps: "+string(quoted)+"\n")
		if p.Caps.Text != text {
			t.Errorf("%q became %q", text, p.Caps.Text)
		}
	}
	for text, rule := range map[string]rule{
		"cap_kill=eip cap_net_raw=eip": discardedClause, "=p cap_kill=p": discardedClause, "cap_kill+p =": discardedClause,
		"41=p": unknownCapability, "63+p": unknownCapability, "64+p": unknownCapability, "all,cap_kill=p": unknownCapability, "CAP_KILL=p": unknownCapability,
		"cap_kill": badCaps, "cap_kill=P": badCaps, "cap_kill,=p": badCaps, "07=p": badCaps, "==p": badCaps, " ": badCaps,
	} {
		quoted, _ := json.Marshal(text)
		_, diagnostics := Parse("x", []byte("version: 1\ncaps: "+string(quoted)+"\n"))
		if len(diagnostics) != 1 || diagnostics[0].Rule != rules[rule].Name {
			t.Errorf("%q: %v", text, diagnostics)
		}
	}
}
