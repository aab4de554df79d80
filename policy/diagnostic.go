package policy

import (
	"cmp"
	"slices"
)

// Severity is how much a Diagnostic matters.
type Severity int

// A profile with an Error is never used. A Warning is a risk for its author to
// assess. Info is worth knowing.
const (
	Error Severity = iota
	Warning
	Info
)

// String returns "error", "warning" or "info".
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	case Info:
		return "info"
	}
	return "unknown severity"
}

// A Diagnostic is a finding about a profile.
type Diagnostic struct {
	File string // as it was given to Parse
	Position
	Severity Severity
	Rule     string // one kebab-case name
	Message  string // what is wrong, without a final period
	Hint     string // how to fix it, or empty
}

// String returns "path:line:col: severity: message [rule]", without line and
// column where the position is unknown. It leaves out the hint.
func (d Diagnostic) String() string {
	at := d.File
	if d.IsKnown() {
		at += ":" + d.Position.String()
	}
	return at + ": " + d.Severity.String() + ": " + d.Message + " [" + d.Rule + "]"
}

// Sort orders diagnostics by file, position, rule and message, so that the
// same findings always come in the same order.
func Sort(diagnostics []Diagnostic) {
	slices.SortStableFunc(diagnostics, Diagnostic.Compare)
}

// Compare returns -1, 0 or 1: where Sort puts d, next to other.
func (d Diagnostic) Compare(other Diagnostic) int {
	return cmp.Or(
		cmp.Compare(d.File, other.File),
		d.Position.compare(other.Position),
		cmp.Compare(d.Rule, other.Rule),
		cmp.Compare(d.Message, other.Message),
		cmp.Compare(d.Hint, other.Hint),
	)
}

// HasErrors reports whether any of the diagnostics is an Error.
func HasErrors(diagnostics []Diagnostic) bool {
	return slices.ContainsFunc(diagnostics, func(d Diagnostic) bool { return d.Severity == Error })
}
