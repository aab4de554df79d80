package review

import (
	"fmt"
	"testing"

	"caprun/policy"
)

// checkCeilings follows the hints about profiles that grant more than a ceiling.
func checkCeilings(t *testing.T, h *hintCheck) {
	h.uncovers = func(_ string, before, after policy.Diagnostic) bool {
		return before.Rule == "noroot-missing" && after.Rule == "above-ceiling"
	}
	for n, ceiling := range ceilings {
		profile, found := policy.Parse("ceiling.yaml", []byte(ceiling))
		if profile == nil {
			t.Fatalf("%s\n%v", ceiling, found)
		}
		plan, found := compileForRoot(profile)
		if plan == nil {
			t.Fatalf("%s\n%v", ceiling, found)
		}
		for name, text := range validProfiles(t) {
			h.check(fmt.Sprintf("ceiling %d, %s", n, name), text, func(text string) []Finding {
				return Check("profile.yaml", []byte(text), Options{Ceiling: plan}).Findings
			})
		}
	}
}

var ceilings = [...]string{
	"version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\nsecbits: [noroot, noroot_locked]\nenv: {keep: [LANG], unset: [A]}\nrlimits: {nofile: 10, core: {soft: 0, hard: 5}, cpu: 1}\nchroot: /srv/x/y\nnew_session: true\n",
	"version: 1\ncaps: all=eip\nrlimits: {nofile: {soft: 10}, core: {hard: 1}, cpu: {soft: 1, hard: unlimited}, as: {hard: unlimited}, stack: {hard: 100}, data: {soft: 4, hard: 9}}\n",
	"version: 1\nuser: www-data\ngroups: []\ncaps: cap_kill=eip\nrlimits: {as: 1}\nenv: {unset: [PATH]}\n", "version: 1\nuid: 33\ngid: 33\nmode: NOPRIV\nkeep_fds: [3]\nchroot: /srv/x\n", "version: 1\niab: \"\"\n",
}
