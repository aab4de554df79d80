package review

import (
	"fmt"
	"strings"

	"caprun/policy"
)

// Totals are the numbers of findings of a run.
type Totals struct {
	Files             int `json:"files"`               // checked
	FilesWithFindings int `json:"files_with_findings"` // with unsuppressed findings
	Errors            int `json:"errors"`              // these and the next two: unsuppressed findings
	Warnings          int `json:"warnings"`
	Infos             int `json:"infos"`
	Suppressed        int `json:"suppressed"`
}

// Add counts a report.
func (t *Totals) Add(r Report) {
	t.Files++
	unsuppressed := false
	for _, f := range r.Findings {
		if f.Suppressed != nil {
			t.Suppressed++
			continue
		}
		unsuppressed = true
		switch f.Severity {
		case policy.Error:
			t.Errors++
		case policy.Warning:
			t.Warnings++
		default:
			t.Infos++
		}
	}
	if unsuppressed {
		t.FilesWithFindings++
	}
}

// String returns one line, for example "1 error, 2 warnings in 3 of 12 files (1
// suppressed)". It is empty if there are no findings.
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
		b.WriteString("no unsuppressed findings in " + files)
	case t.Files == 1:
		b.WriteString(strings.Join(found, ", ") + " in " + files)
	default:
		fmt.Fprintf(&b, "%s in %d of %s", strings.Join(found, ", "), t.FilesWithFindings, files)
	}
	if t.Suppressed > 0 {
		fmt.Fprintf(&b, " (%d suppressed)", t.Suppressed)
	}
	return b.String()
}
