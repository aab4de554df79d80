package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caprun/engine"
	"caprun/internal/test/launches"
	"caprun/internal/test/requires"
	"caprun/policy"
	"caprun/seal"
)

// TestSealedLaunches runs the random launches of TestLaunches with caprun and with a sealed
// launcher. The targets have the same state, or both are refused. A sealed launcher may
// refuse more, for the reasons in sealedRefuses.
//
// CAPRUN_TEST_SEALED and CAPRUN_TEST_SEED select other launches, CAPRUN_TEST_FIRST the first.
func TestSealedLaunches(t *testing.T) {
	count := int(testNumber(t, "CAPRUN_TEST_SEALED", uint64(requires.Rounds(24, 300))))
	seed := testNumber(t, "CAPRUN_TEST_SEED", 1)
	first := int(testNumber(t, "CAPRUN_TEST_FIRST", 0))
	machine := &launches.Machine{}
	place := newLaunchPlace(t, machine)
	detectMachine(t, place)
	outcomes := map[string]int{}
	failures := 0
	for index := first; index < count && failures < 5; index++ {
		c := launches.Make(machine, seed, index)
		outcome, fault := place.launchSealed(c)
		outcomes[outcome]++
		if fault != "" {
			failures++
			t.Errorf("launch %d: %s\n%v", index, fault, c)
		}
	}
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%6d %s", outcomes[outcome], outcome)
	}
	if total := count - first; total > 100 && outcomes[launched] < total/8 {
		t.Errorf("only %d of %d targets were started: the cases are too simple", outcomes[launched], total)
	}
}

// sealedRefuses are the causes for which a sealed launcher refuses what caprun launches:
// docs/seal.md.
var sealedRefuses = []string{
	"it is set-user-ID or set-group-ID",
	"it has file capabilities",
	"the permitted set lacks capabilities that exec would grant",
	"env.keep names a variable that the dynamic loader of a privileged program ignores",
	// A profile that has a plan only because the caller lacks capabilities.
	": profile: ",
}

// launchSealed runs one case with caprun and with a sealed launcher. It returns the outcome
// and the fault, if there is one.
func (p *launchPlace) launchSealed(c launches.Case) (outcome, fault string) {
	if err := p.prepare(c.Target); err != nil {
		return "fault", fmt.Sprintf("target: %v", err)
	}
	text := []byte(c.Profile.Text(p.Dir))
	path, launcher := filepath.Join(p.Dir, "profile.yaml"), filepath.Join(p.Dir, "sealed")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return "fault", err.Error()
	}
	profile, _ := policy.Parse(path, text)
	if profile == nil {
		return "not a profile", ""
	}
	file, sealErr := seal.Seal(profile, seal.Options{Root: "/"})
	run := func(argv ...string) (printed, int) {
		args := slices.Concat(c.Caller.Arguments(p.Dir), []string{"--"}, argv, []string{"--", c.Target.Path(p.Dir, c.Profile.Chroot)})
		return p.run(filepath.Join(p.bin, "runas"), args...)
	}
	full, fullStatus := run(filepath.Join(p.bin, "caprun"), "-profile", path)
	if sealErr != nil {
		if fullStatus == 0 {
			return "launched, but not sealed: " + sealErr.Error(), ""
		}
		return "not sealed", ""
	}
	// A child that is started meanwhile must not have the file open for writing.
	syscall.ForkLock.RLock()
	os.Remove(launcher)
	err := os.WriteFile(launcher, file, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		return "fault", err.Error()
	}
	sealed, status := run(launcher)
	switch {
	case status == 0 && fullStatus == 0:
		report := launches.ParseReport(sealed.text)
		want := launches.ParseReport(full.text)
		if mayKeepLoader(c) {
			withoutLoader(&report)
			withoutLoader(&want)
		}
		if faults := compareReports(want, report); faults != nil {
			return "fault", "state: " + strings.Join(faults, "; ")
		}
		return launched, ""
	case status == 0 && strings.Contains(full.messages, launches.UnknownFileCaps):
		// For a target of uid 0, the file capabilities do not matter.
		return "refused only by caprun: it cannot determine the file capabilities", ""
	case status == 0:
		return "fault", fmt.Sprintf("only the sealed launcher starts it: caprun: %s", full.messages)
	case sealed.text != "" || status < exitRefused || status > exitNotFound:
		return "fault", fmt.Sprintf("status %d, output %q, message %q", status, sealed.text, sealed.messages)
	case !strings.HasSuffix(sealed.messages, "\n") || strings.Count(sealed.messages, "\n") != 1:
		return "fault", fmt.Sprintf("message %q", sealed.messages)
	case fullStatus != 0:
		return "refused", ""
	}
	for _, cause := range sealedRefuses {
		if strings.Contains(sealed.messages, cause) {
			return "refused only by the sealed launcher: " + cause, ""
		}
	}
	if f := c.Target.File; (f.Setuid || f.Setgid || f.HasCaps) && strings.Contains(sealed.messages, "(EPERM)") {
		// It would refuse the program later, but a step of its own plan failed before.
		return "refused only by the sealed launcher: a step that caprun does not need for this program", ""
	}
	return "fault", fmt.Sprintf("only caprun starts it: %s", sealed.messages)
}

// compareReports returns the subjects in which two targets differ, but for the process ID.
func compareReports(full, sealed launches.Report) []string {
	delete(full.Lines, "pid")
	faults := sealed.Compare(full.Lines)
	if !slices.Equal(full.Env, sealed.Env) {
		faults = append(faults, fmt.Sprintf("environment: %q, not %q", sealed.Env, full.Env))
	}
	return faults
}

// mayKeepLoader reports whether caprun keeps loader variables that a sealed launcher
// removes: for a program with set-id bits or file capabilities that the kernel ignores, of a
// profile that declares neither an identity nor capabilities.
func mayKeepLoader(c launches.Case) bool {
	f, p := c.Target.File, c.Profile
	return (f.Setuid || f.Setgid || f.HasCaps) && p.UID == nil && p.User == "" && p.Caps == nil
}

// withoutLoader removes the loader variables of a report, and their number.
func withoutLoader(r *launches.Report) {
	delete(r.Lines, "variables")
	r.Env = slices.DeleteFunc(r.Env, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return engine.IsLoaderVariable(name)
	})
}
