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

// jsonVersion is the version of the object that JSON prints. New keys do not
// change it; a key that goes or changes its meaning does.
const jsonVersion = 1

type jsonFinding struct {
	File       string           `json:"file"`
	Range      *jsonRange       `json:"range"` // null where the finding has no place
	Severity   string           `json:"severity"`
	Rule       string           `json:"rule"`
	Message    string           `json:"message"`
	Help       string           `json:"help"`         // empty without
	Caps       []string         `json:"capabilities"` // empty where it is not about any
	Suppressed *jsonSuppression `json:"suppressed"`   // null where the finding counts
}

type jsonRange struct {
	Line      int `json:"line"`
	Column    int `json:"column"`
	EndLine   int `json:"end_line"`
	EndColumn int `json:"end_column"`
}

type jsonSuppression struct {
	Reason string  `json:"reason"`
	Until  *string `json:"until"` // null for ever
	Line   int     `json:"line"`
	Column int     `json:"column"`
}

// JSON prints one object with every finding, the suppressed ones too, and the
// totals. Its strings are those of the files, with everything escaped that a
// terminal or the log of a CI system could obey; bytes that are no UTF-8
// become U+FFFD.
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
		at := whole(f.Position)
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

// whole returns a position with an end that is not before its beginning.
func whole(p policy.Position) policy.Position {
	if p.EndLine < p.Line || p.EndLine == p.Line && p.EndColumn < p.Column {
		p.EndLine, p.EndColumn = p.Line, p.Column
	}
	return p
}

// jsonLine returns a value as JSON on one line, with the characters as escapes
// that clean would replace. Outside of strings JSON has none of them.
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
