package engine

import (
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine/cred"
)

// TestEveryStepIsDescribed fails when the table lacks a kind, or has a key that
// the format does not have.
func TestEveryStepIsDescribed(t *testing.T) {
	if len(stepKinds) != int(cap.StepKinds) {
		t.Errorf("%d rows, want %d", len(stepKinds), cap.StepKinds)
	}
	const either = "chroot: /srv\ncwd: /\numask: \"0027\"\nkeep_fds: [3]\nnew_session: true\nno_new_privs: true\ncommand: [/bin/true]\nrlimits: {nofile: 5}\n"
	named := parse(t, either+"user: nobody\ngroups: [7]\ncaps: cap_net_raw=eip\nsecbits: []\n")
	numbers := parse(t, either+"uid: 7\ngid: 7\niab: ''\nmode: PURE1E\n")
	seen := map[string]bool{"": true}
	for k := cap.StepKind(1); k < cap.StepKinds; k++ {
		row := kindOf(k)
		if seen[row.name] {
			t.Errorf("%v is %q in JSON", k, row.name)
		}
		seen[row.name] = true
		for _, key := range row.keys {
			if key = strings.Replace(key, "*", "nofile", 1); !named.Has(key) && !numbers.Has(key) {
				t.Errorf("%v comes from %q, which neither profile has", k, key)
			}
		}
	}
	for _, k := range []cap.StepKind{0, cap.StepKinds, ^cap.StepKind(0)} {
		if name := (Step{Step: &cap.Step{Kind: k}}).Name(); name != "" {
			t.Errorf("the unknown kind %d is %q", k, name)
		}
	}
}

// TestStepsAgreeWithModel compares what the table says about a kind with what the
// model does for a step that changes something.
func TestStepsAgreeWithModel(t *testing.T) {
	// chown can become inheritable with cap_setpcap alone, and setuid ambient.
	from := cred.Root()
	from.Permitted = from.Permitted.Without(cred.CHOWN)
	from.Effective = from.Permitted.Without(cred.FOWNER)
	from.Inheritable = 1 << cred.SETUID
	for k := cap.StepKind(1); k < cap.StepKinds; k++ {
		s := &cap.Step{Kind: k, ID: 7, Groups: []uint32{7}, Path: "/srv", Caps: 1 << cred.SETUID, Secbits: cap.SecbitNoRoot}
		if k == cap.StepInheritable {
			s.Caps = 1 << cred.CHOWN
		}
		row := kindOf(k)
		start := from
		if k == cap.StepAmbient { // no_cap_ambient_raise is cleared with cap_setpcap
			start.Securebits |= cred.SecNoCapAmbientRaise
		}
		next, _, errno := predictStep(start, s, cred.Latest())
		// The model knows of chroot that the root is another directory, not which.
		if changes := !next.Equal(start); errno != 0 || changes != (row.inModel || k == cap.StepChroot) {
			t.Errorf("%v: errno %v, and the model sees a change: %v", k, errno, changes)
		}
		start.Effective = start.Effective.Minus(row.needs)
		_, _, errno = predictStep(start, s, cred.Latest())
		if needs := row.needs != 0 && k != cap.StepRlimit; (errno != 0) != needs { // limits are not inModel
			t.Errorf("%v without %s: errno %v", k, row.needs.String(), errno)
		}
		start.Effective = row.needs
		if _, _, errno = predictStep(start, s, cred.Latest()); errno != 0 {
			t.Errorf("%v with %s alone: errno %v", k, row.needs.String(), errno)
		}
	}
}
