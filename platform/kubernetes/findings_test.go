package kubernetes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"caprun/platform/internal/golden"
	"caprun/policy"
)

// TestManyFindings: warnings do not displace errors, and an error reports findings and losses
// that are not listed.
func TestManyFindings(t *testing.T) {
	const unknown = `securityContext: {runAsUser: 1, capabilities: {add: [CAP_SYS_TIEM]}`
	pod := func(fields, sysctls int, list string) string {
		text := "kind: Pod\nmetadata: {name: a}\nspec:\n  securityContext: {sysctls: [" + strings.Repeat("{name: a, value: b},", sysctls) + "]}\n  containers:\n  - {name: b, " + unknown
		for n := range fields {
			text += fmt.Sprintf(", x%d: 1", n)
		}
		return text + "}}\n" + list
	}
	second := "  - {name: c, " + unknown + ", x: 1}}\n"
	for name, test := range map[string]struct {
		text       string
		incomplete bool
	}{
		"256 warnings":  {pod(255, 0, ""), false},
		"more warnings": {pod(300, 0, ""), true},
		"512 losses":    {pod(0, 511, ""), false},
		"more losses":   {pod(0, 513, ""), true},
		"containers":    {pod(0, 513, second), true},
	} {
		r := read(test.text)
		found := r.Findings
		if len(r.Processes) > 0 {
			found = append(found, r.Processes[0].Findings...)
		}
		if golden.IsIncomplete(r) != test.incomplete {
			t.Errorf("%s: not everything is listed: want %t; %d processes, %.500s", name, test.incomplete, len(r.Processes), fmt.Sprint(found))
		}
		rest := slices.DeleteFunc(slices.Clone(found), golden.IsIncompleteFinding)
		if test.incomplete && len(found)-len(rest) != 1 || !policy.HasErrors(rest) {
			t.Errorf("%s: %d findings, errors %t", name, len(found)-len(rest), policy.HasErrors(rest))
		}
	}
}
