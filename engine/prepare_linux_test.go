package engine

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// TestPrepareReadsCaller checks that without a caller Prepare reads the state of the
// calling thread, and its parent-death signal.
func TestPrepareReadsCaller(t *testing.T) {
	p := parse(t, "command: [/bin/sh]")
	plan, err := Prepare(p, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	now, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	if diff := plan.Caller.Diff(now); diff != nil || plan.Target.Supervised {
		t.Errorf("%v %t", diff, plan.Target.Supervised)
	}
	if err := plan.checkCaller(); err != nil {
		t.Errorf("the plan of the present state: %v", err)
	}
}

// TestPrepareRefusesAnotherCaller checks that a plan for another state, such as that of an
// empty Caller, is not executed.
func TestPrepareRefusesAnotherCaller(t *testing.T) {
	plan, err := Prepare(parse(t, "command: [/bin/sh]"), nil, &Caller{})
	if err != nil {
		t.Fatal(err)
	}
	var failed *machine.Error
	if err := plan.checkCaller(); !errors.As(err, &failed) || !strings.Contains(err.Error(), "the caller's state") {
		t.Errorf("%v", err)
	}
}

// TestPrepareErrors checks the types of errors: no plan, no program named, program missing.
func TestPrepareErrors(t *testing.T) {
	plan, err := Prepare(parse(t, "uid: 33\ngid: 33\ncaps: cap_net_raw=ep\ncommand: [/bin/sh]"), nil, nil)
	var none *NoPlanError
	if plan != nil || !errors.As(err, &none) || !policy.HasErrors(none.Diagnostics) || none.Error() != none.Diagnostics[0].String() {
		t.Errorf("no plan: %v, %v", plan, err)
	}
	if plan, err := Prepare(parse(t, ""), nil, nil); plan != nil || !errors.Is(err, machine.ErrNoCommand) {
		t.Errorf("no command: %v, %v", plan, err)
	}
	var missing *machine.Error
	if plan, err := Prepare(parse(t, ""), []string{"/nowhere/program"}, nil); plan != nil || !errors.As(err, &missing) || !missing.NotExecutable {
		t.Errorf("a missing program: %v, %v", plan, err)
	}
}

// TestDiffError: the text has the terms of the man pages, not the names of Go fields. A
// field without a text form is named alone.
func TestDiffError(t *testing.T) {
	want, got := cred.Root(), cred.Root()
	got.EUID, got.UserNS.Nested = 33, true
	if text := diffError(got.Diff(want), want, got).Error(); text != "euid is 33, not 0, user namespace differs" {
		t.Error(text)
	}
	fields := reflect.TypeFor[cred.Cred]()
	for n := range fields.NumField() {
		if name := fields.Field(n).Name; FieldName(name) == name {
			t.Errorf("%s has no name in messages", name)
		}
	}
}
