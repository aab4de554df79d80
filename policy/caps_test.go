package policy

import (
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
