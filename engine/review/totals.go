package review

import (
	"fmt"
	"strings"

	"caprun/policy"
)

// Totals count what a run has found.
type Totals struct {
	Files             int `json:"files"`               // checked
	FilesWithFindings int `json:"files_with_findings"` // that count
	Errors            int `json:"errors"`              // these and the next two: findings that count
	Warnings          int `json:"warnings"`
	Infos             int `json:"infos"`
	Suppressed        int `json:"suppressed"`
}

// Add counts a report.
func (t *Totals) Add(r Report) {
	t.Files++
	counted := false
	for _, f := range r.Findings {
		if f.Suppressed != nil {
			t.Suppressed++
			continue
		}
		counted = true
		switch f.Severity {
		case policy.Error:
			t.Errors++
		case policy.Warning:
			t.Warnings++
		default:
			t.Infos++
		}
	}
	if counted {
		t.FilesWithFindings++
	}
}

// String returns one line, as "1 error, 2 warnings in 3 of 12 files; 1
// suppressed". It is empty where nothing was found.
func (t *Totals) String() string {
	var found []string
	for _, n := range [...]struct {
		count int
		what  string
	}{{t.Errors, "error"}, {t.Warnings, "warning"}, {t.Infos, "info"}} {
		if n.count > 0 {
			found = append(found, count(n.count, n.what))
		}
	}
	files := count(t.Files, "file")
	var b strings.Builder
	switch {
	case len(found) == 0 && t.Suppressed == 0:
		return ""
	case len(found) == 0:
		b.WriteString("nothing that counts in " + files)
	case t.Files == 1:
		b.WriteString(strings.Join(found, ", ") + " in " + files)
	default:
		fmt.Fprintf(&b, "%s in %d of %s", strings.Join(found, ", "), t.FilesWithFindings, files)
	}
	if t.Suppressed > 0 {
		fmt.Fprintf(&b, "; %d suppressed", t.Suppressed)
	}
	return b.String()
}
