package supervise

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/policy"
)

// TestRefuse: a refusal has the place in the profile that it is about, what to do, and
// the exit status of its cause.
func TestRefuse(t *testing.T) {
	p, diagnostics := policy.Parse("p.yaml", []byte("version: 1\nuser: nobody\nchroot: /srv\nno_new_privs: true\n"))
	if p == nil {
		t.Fatal(diagnostics)
	}
	cause := errors.New("cause")
	step := &engine.LaunchError{Plan: &engine.Plan{Profile: p}, Key: "no_new_privs", What: "step", Err: cause, Hint: "fix"}
	atExec := *step
	atExec.AtExec = true
	for _, c := range []struct {
		err    error
		want   string
		status int
	}{
		{cause, "cause", 125},
		{step, "p.yaml:4:15: step: cause; fix", 125},
		{&atExec, "p.yaml:4:15: step: cause; fix", 126},
		{&machine.TargetError{Path: "/x", Reason: "reason", Hint: "fix"}, "/x: reason; fix", 126},
		{&machine.TargetError{Path: "/x", Reason: "reason", Missing: true}, "/x: reason", 127},
		{&machine.DirectoryError{Key: "chroot", Path: "/srv", Err: cause, Hint: "fix"}, "p.yaml:3:9: root directory /srv: cause; fix", 125},
		{&machine.UserError{User: "nobody", Reason: "reason", Hint: "fix"}, "p.yaml:2:7: user nobody: reason; fix", 125},
	} {
		for _, err := range []error{c.err, fmt.Errorf("%w", c.err)} {
			var messages strings.Builder
			status := Refuse(&render.Env{Stderr: &messages}, p, err)
			if want := "caprun: " + c.want + "\n"; messages.String() != want || status != c.status {
				t.Errorf("%#v: status %d, %q, want %d, %q", err, status, messages.String(), c.status, want)
			}
		}
	}

	// Before the profile has been parsed there is no place.
	var messages strings.Builder
	if status := Refuse(&render.Env{Stderr: &messages}, nil, &machine.UserError{User: "nobody", Reason: "reason"}); status != StatusRefused || messages.String() != "caprun: user nobody: reason\n" {
		t.Errorf("status %d, %q", status, messages.String())
	}
}

// TestRefuseProfile reports every error of a profile, and no warning.
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
