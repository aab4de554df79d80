package launcher_test

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/command"
	"caprun/internal/test/requires"
	"caprun/seal/internal/interp"
	"caprun/seal/internal/interp/kernel"
	"caprun/seal/internal/launcher"
)

// TestRandom runs the launchers of random profiles for random callers in the model of the
// kernel. A target must start in the state that caprun gives it. Where caprun starts the
// target and the launcher does not, it must be for a reason in strict.
//
// CAPRUN_TEST_LAUNCHES and CAPRUN_TEST_SEED choose other cases.
func TestRandom(t *testing.T) {
	count := int(command.Number(t, "CAPRUN_TEST_LAUNCHES", uint64(requires.Rounds(1000, 20000))))
	seed := command.Number(t, "CAPRUN_TEST_SEED", 1)
	outcomes := map[string]int{}
	for index := range count {
		s := newScene(seed, index)
		if s == nil {
			outcomes["the profile is not valid"]++
			continue
		}
		program, err := s.build()
		if err != nil {
			outcomes[buildRefusal(t, s, err)]++
			continue
		}
		k := kernel.New(s.world, s.task)
		o, err := interp.Run(program, k, s.start)
		switch {
		case err != nil:
			t.Errorf("%v\n%v", err, s)
		case o.Exec:
			outcomes["started"]++
			if list := s.differences(k.Started); list != nil {
				t.Errorf("%s\n%v", strings.Join(list, "\n"), s)
			}
		case s.plan == nil:
			outcomes["both refuse"]++
		default:
			reason := strictReason(s, k)
			if outcomes["only the launcher refuses: "+reason]++; reason == "" {
				t.Errorf("only the launcher refuses: %s\n%v", k.Messages, s)
			}
		}
		if !o.Exec && err == nil && (o.Killed || o.Status < 125 || o.Status > 127) {
			t.Errorf("%+v\n%v", o, s)
		}
	}
	for _, o := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%6d %s", outcomes[o], o)
	}
}

// buildRefusal returns what happened to a profile that cannot be sealed.
func buildRefusal(t *testing.T, s *scene, err error) string {
	var unsupported *launcher.UnsupportedError
	var noPlan *launcher.NoPlanError
	which := ""
	switch {
	case errors.As(err, &unsupported):
		which = "not sealed, unsupported: " + unsupported.Reason
	case errors.As(err, &noPlan):
		which = "not sealed, no plan for root: " + noPlan.Diagnostics[0].Rule
	default:
		t.Errorf("%v\n%v", err, s)
	}
	if s.plan == nil {
		return which + " (caprun refuses too)"
	}
	return which
}

// strict are the reasons why a launcher refuses what caprun starts, with a part of their
// messages.
var strict = []struct{ reason, message string }{
	{"the target may execute the program, but not read it", "cannot be read"},
	{"the program has file capabilities", "it has file capabilities"},
	{"the program has set-id bits", "it is set-user-ID or set-group-ID"},
	{"the caller lacks capabilities that exec grants to uid 0", "lacks capabilities that exec would grant"},
	{"no_cap_ambient_raise is locked, and the ambient set must shrink", "set the ambient set: operation not permitted (EPERM)"},
	{"env.keep names a loader variable, and the program may be privileged", "env.keep names a variable"},
	{"there is no plan for a caller of this class with every capability", "web: profile: "},
}

// strictReason returns the reason of a refusal; empty if there is none that strict has.
func strictReason(s *scene, k *kernel.Kernel) string {
	if _, open := s.task.Files[2]; !open || s.world.Stderr != kernel.Reading {
		return "unknown: no process reads the message"
	}
	for _, r := range strict {
		if strings.Contains(string(k.Messages), r.message) {
			return r.reason
		}
	}
	return ""
}

var numbers = regexp.MustCompile(`[0-9]+`)
