package compose

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"caprun/platform/containers"
	"caprun/platform/internal/golden"
	"caprun/policy"
)

// TestManyFindings: warnings do not displace errors, and an error reports findings and losses
// that are not listed.
func TestManyFindings(t *testing.T) {
	service := func(volumes, variables int, more string) string {
		return "services: {a: {user: \"1\", volumes: [" + strings.Repeat("/a:/b,", volumes) + "], cap_drop: [" + strings.Repeat("KILL,", variables) +
			"], cap_add: [" + strings.Repeat("KILL,", min(variables, 1)) + "CAP_SYS_TIEM]" + more + "}}"
	}
	for name, test := range map[string]struct {
		text       string
		incomplete bool
	}{
		"fewer":    {service(511, 0, ""), false},
		"losses":   {service(513, 0, ""), true},
		"findings": {service(0, 0, ", security_opt: ["+strings.Repeat("\"${X}\",", 257)+"]"), true},
		"warnings": {service(0, 0, ", security_opt: ["+strings.Repeat("\"${X}\",", 250)+"]"), false},
		"files":    {strings.Repeat("include: [a]\n---\n", 257) + service(0, 0, ""), true},
		"include":  {strings.Repeat("include: [a]\n---\n", 100) + "- a", false},
	} {
		r := read(test.text, containers.Podman)
		found := r.Findings
		if len(r.Processes) > 0 {
			found = append(found, r.Processes[0].Findings...)
		}
		if golden.IsIncomplete(r) != test.incomplete {
			t.Errorf("%s: not everything is listed: want %t; %d processes, %.500s", name, test.incomplete, len(r.Processes), fmt.Sprint(found))
		}
		if !policy.HasErrors(slices.DeleteFunc(found, golden.IsIncompleteFinding)) {
			t.Errorf("%s: no error: %.500s", name, fmt.Sprint(found))
		}
	}
}
