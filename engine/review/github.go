package review

import (
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"caprun/internal/sanitize"
	"caprun/policy"
)

// GitHub prints each unsuppressed finding as a workflow command of GitHub Actions,
// which becomes an annotation of the line. GitHub accepts columns only for a
// position on one line.
func GitHub(w io.Writer, reports iter.Seq[Report]) error {
	for r := range reports {
		for _, f := range r.Findings {
			if f.Suppressed != nil {
				continue
			}
			if _, err := io.WriteString(w, annotation(f)); err != nil {
				return err
			}
		}
	}
	return nil
}

func annotation(f Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "::%s file=%s", annotationLevel(f.Severity), commandProperty(filepath.ToSlash(filepath.Clean(f.File))))
	if f.IsKnown() {
		at := withEnd(f.Position)
		fmt.Fprintf(&b, ",line=%d,endLine=%d", at.Line, at.EndLine)
		if at.Line == at.EndLine {
			fmt.Fprintf(&b, ",col=%d,endColumn=%d", at.Column, at.EndColumn)
		}
	}
	fmt.Fprintf(&b, ",title=%s::%s", commandProperty("caprun: "+f.Rule), commandText(f.Message))
	if f.Hint != "" {
		b.WriteString("%0Ahelp: " + commandText(f.Hint))
	}
	b.WriteByte('\n')
	return b.String()
}

func annotationLevel(s policy.Severity) string {
	if s == policy.Info {
		return "notice"
	}
	return s.String()
}

// commandText escapes the text of a workflow command. sanitize.Text has removed
// line breaks.
func commandText(s string) string { return strings.ReplaceAll(sanitize.Text(s), "%", "%25") }

// commandProperty escapes the value of a property of a workflow command.
func commandProperty(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(commandText(s), ":", "%3A"), ",", "%2C")
}
