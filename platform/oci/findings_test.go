package oci

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"caprun/platform/declared"
	"caprun/platform/internal/golden"
	"caprun/policy"
)

// TestManyFindings: warnings do not displace errors, and an error reports findings and losses
// that are not listed.
func TestManyFindings(t *testing.T) {
	list := func(item string, n int) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	hooks := func(n int) string { return `, "hooks": {"prestart": [` + list(`{"path": "/x"}`, n) + `]}` }
	for name, test := range map[string]struct {
		text       string
		incomplete bool
	}{
		"256 warnings":  {`{"process": {"cwd": "x"}` + hooks(256) + `}`, false},
		"more warnings": {`{"process": {"cwd": "x"}` + hooks(257) + `}`, true},
		"losses":        {`{"process": {"cwd": "x", "env": [` + list(`"1=\u0001"`, 600) + `]}}`, true},
		"errors":        {`{"process": {"cwd": "x", "args": [` + list(`1`, 257) + `]}}`, true},
		"namespaces":    {`{"process": {"cwd": "x"}, "linux": {"namespaces": [` + list(`{"type": "mount"}`, 17) + `]}}`, false},
	} {
		r := Read(declared.File{Name: "config.json", Text: []byte(test.text)})
		found := r.Findings
		if len(r.Processes) > 0 {
			found = append(found, r.Processes[0].Findings...)
		}
		if golden.IsIncomplete(r) != test.incomplete {
			t.Errorf("%s: not everything is listed: want %t; %d processes, %.500s", name, test.incomplete, len(r.Processes), fmt.Sprint(found))
		}
		if !policy.HasErrors(slices.DeleteFunc(slices.Clone(found), golden.IsIncompleteFinding)) {
			t.Errorf("%s: no error: %.500s", name, fmt.Sprint(found))
		}
	}
	if r := Read(declared.File{Name: "config.json", Text: []byte(`{"process": {}, "linux": {"namespaces": [` + list(`{"type": "mount"}`, 16) + `, {"type": "user"}]}}`)}); len(r.Processes) != 0 {
		t.Error("a namespace is not reported")
	}
}
