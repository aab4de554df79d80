package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"caprun/internal/profiletext"
	"caprun/internal/sanitize"
)

// Table prints the report for people: the verdicts as a table, the result, and its limits.
// The lines are ASCII and at most 100 bytes long.
func (r *Report) Table(w io.Writer) error {
	var b strings.Builder
	line := func(text string) { b.WriteString(strings.TrimRight(cut(text, maxLine), " ") + "\n") }
	line("Program  " + r.programText())
	if r.Test != "" {
		line("Test     " + r.Test)
	}
	if r.Reset != "" {
		line("Reset    " + r.Reset)
	}
	line(fmt.Sprintf("Start    uid %d, gid %d", r.UID, r.GID))
	line(fmt.Sprintf("Runs     %d in %.1f s", r.Runs, r.Seconds))
	if len(r.Verdicts) > 0 {
		const row = "%-22s  %-14s  %6s"
		b.WriteByte('\n')
		line(fmt.Sprintf(row, "CAPABILITY", "VERDICT", "CHECKS"))
		for _, v := range r.Verdicts {
			checks := strconv.Itoa(v.Checks)
			switch {
			case v.unrecorded:
				checks = "-"
			case v.incomplete:
				checks += "+"
			}
			line(fmt.Sprintf(row, v.Capability, v.Kind.words(), checks))
			for _, fact := range evidenceLines(v) {
				line("    " + fact)
			}
		}
	}
	b.WriteByte('\n')
	if r.Works {
		r.result(line)
	}
	for _, text := range [...]string{r.proofText(), r.hardeningText()} {
		for _, text := range profiletext.Wrap(strings.Fields(text), maxLine) {
			line(text)
		}
	}
	for _, l := range r.Limits {
		b.WriteByte('\n')
		for n, text := range profiletext.Wrap(strings.Fields(l.Text), maxLine-2) {
			line([...]string{"- ", "  "}[min(n, 1)] + text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// result prints the set.
func (r *Report) result(line func(string)) {
	const indent = len("Result   ")
	text := setText(r.Capabilities)
	for n, text := range profiletext.Wrap(strings.Fields(text), maxLine-indent) {
		line([...]string{"Result   ", "         "}[min(n, 1)] + text)
	}
}

// words returns the verdict for a column.
func (k Kind) words() string {
	if k == CallFails {
		return "a call fails"
	}
	return strings.ReplaceAll(string(k), "-", " ")
}

// JSON prints the report as one JSON object, in the format that [Report] describes.
// Characters that a terminal or the log of a CI system could interpret are escaped.
func (r *Report) JSON(w io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return err
	}
	_, err := w.Write(sanitize.JSON(b.Bytes()))
	return err
}
