package supervise

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/policy"
)

// TestRefuse: a message has the place in the profile and what to do, and the exit status
// depends on the cause.
func TestRefuse(t *testing.T) {
	p, diagnostics := policy.Parse("p.yaml", []byte("version: 1\nuser: nobody\nchroot: /srv\nno_new_privs: true\n"))
	if p == nil {
		t.Fatal(diagnostics)
	}
	cause := errors.New("cause")
	for _, c := range []struct {
		err    error
		want   string
		status int
	}{
		{cause, "cause", 125},
		{&machine.Error{Profile: p, Key: "no_new_privs", Subject: "step", Err: cause, Hint: "fix"}, "p.yaml:4:15: step: cause; fix", 125},
		{&machine.Error{Profile: p, Key: "command", Subject: "step", Err: cause, NotExecutable: true}, "p.yaml: step: cause", 126},
		{&machine.Error{Subject: "/x", Err: cause, Hint: "fix", NotExecutable: true}, "/x: cause; fix", 126},
		{&machine.Error{Subject: "/x", Err: cause, Missing: true}, "/x: cause", 127},
		{&machine.Error{Profile: p, Key: "chroot", Subject: "root directory /srv", Err: cause, Hint: "fix"}, "p.yaml:3:9: root directory /srv: cause; fix", 125},
		{&machine.Error{Profile: p, Key: "user", Subject: "user nobody", Err: cause, Hint: "fix"}, "p.yaml:2:7: user nobody: cause; fix", 125},
	} {
		for _, err := range []error{c.err, fmt.Errorf("%w", c.err)} {
			var messages strings.Builder
			status := Refuse(&render.Env{Stderr: &messages}, err)
			if want := "caprun: " + c.want + "\n"; messages.String() != want || status != c.status {
				t.Errorf("%#v: status %d, %q, want %d, %q", err, status, messages.String(), c.status, want)
			}
		}
	}
}

// TestRefuseProfile: the errors of a profile are reported, and no warnings.
func TestRefuseProfile(t *testing.T) {
	var messages strings.Builder
	status := refuseProfile(&render.Env{Stderr: &messages}, []policy.Diagnostic{
		{File: "p.yaml", Severity: policy.Error, Message: "first", Hint: "fix"},
		{File: "p.yaml", Severity: policy.Warning, Message: "second"},
		{File: "p.yaml", Severity: policy.Error, Message: "third"},
	})
	if want := "caprun: p.yaml: first; fix\ncaprun: p.yaml: third\n"; status != StatusRefused || messages.String() != want {
		t.Errorf("status %d, %q, want %q", status, messages.String(), want)
	}
}
