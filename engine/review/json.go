package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"caprun/internal/sanitize"
	"caprun/policy"
)

// jsonVersion is the version of the object that JSON prints. It changes when a key
// is removed or changes its meaning, not when one is added.
const jsonVersion = 1

type jsonFinding struct {
	File       string           `json:"file"`
	Range      *jsonRange       `json:"range"` // null if the finding has no position
	Severity   string           `json:"severity"`
	Rule       string           `json:"rule"`
	Message    string           `json:"message"`
	Help       string           `json:"help"`         // empty if there is no hint
	Caps       []string         `json:"capabilities"` // empty if it is not about capabilities
	Suppressed *jsonSuppression `json:"suppressed"`   // null if the finding is not suppressed
}

type jsonRange struct {
	Line      int `json:"line"`
	Column    int `json:"column"`
	EndLine   int `json:"end_line"`
	EndColumn int `json:"end_column"`
}

type jsonSuppression struct {
	Reason string  `json:"reason"`
	Until  *string `json:"until"` // null if it does not expire
	Line   int     `json:"line"`
	Column int     `json:"column"`
}

// JSON prints one object with every finding, suppressed or not, and the totals.
// Characters that a terminal or the log of a CI system could interpret are escaped;
// invalid UTF-8 becomes U+FFFD.
func JSON(w io.Writer, reports iter.Seq[Report]) error {
	if _, err := fmt.Fprintf(w, "{\n  \"version\": %d,\n  \"findings\": [", jsonVersion); err != nil {
		return err
	}
	var t Totals
	separator := "\n    "
	for r := range reports {
		t.Add(r)
		for _, f := range r.Findings {
			text, err := jsonLine(newJSONFinding(f))
			if err != nil {
				return err
			}
			if _, err := io.WriteString(w, separator+text); err != nil {
				return err
			}
			separator = ",\n    "
		}
	}
	totals, err := jsonLine(t)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n  ],\n  \"totals\": "+totals+"\n}\n")
	return err
}

func newJSONFinding(f Finding) jsonFinding {
	j := jsonFinding{File: f.File, Severity: f.Severity.String(), Rule: f.Rule, Message: f.Message, Help: f.Hint, Caps: f.Caps.Names()}
	if f.IsKnown() {
		at := withEnd(f.Position)
		j.Range = &jsonRange{at.Line, at.Column, at.EndLine, at.EndColumn}
	}
	if s := f.Suppressed; s != nil {
		j.Suppressed = &jsonSuppression{Reason: s.Reason, Line: s.Line, Column: s.Column}
		if s.Until != "" {
			j.Suppressed.Until = &s.Until
		}
	}
	return j
}

// withEnd returns a position whose end is not before its start.
func withEnd(p policy.Position) policy.Position {
	if p.EndLine < p.Line || p.EndLine == p.Line && p.EndColumn < p.Column {
		p.EndLine, p.EndColumn = p.Line, p.Column
	}
	return p
}

// jsonLine returns a value as JSON on one line. It escapes the characters that
// sanitize.Text replaces; JSON has none of them outside strings.
func jsonLine(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return string(sanitize.JSON(text)), nil
}
