package review

import (
	"caprun/engine/cred"
	"caprun/policy"
)

// A Report is what there is to say about one profile.
type Report struct {
	// File is what the findings call the profile.
	File string

	// Source is its text.
	Source []byte

	// Findings are sorted by position, the suppressed ones among the others.
	Findings []Finding
}

// A Finding is a mistake or a risk, and whether the profile's author has
// accepted it.
type Finding struct {
	policy.Diagnostic

	// Caps are the capabilities that the finding is about: more of them would
	// make it worse. Most findings are not about any.
	Caps cred.Caps

	// Suppressed is what accepts the finding in the profile. It is nil where
	// the finding counts.
	Suppressed *Suppression
}

// A Suppression is an entry of lint.ignore in a profile, or the several that
// accept a finding together, each some of its capabilities.
type Suppression struct {
	// Position is where the first of the entries stands.
	policy.Position

	// Reason is why the finding is accepted, in the words of the profile: those
	// of several entries with semicolons between.
	Reason string

	// Until is the last day on which it is, as 2027-01-31; empty for ever.
	Until string
}

// NewReport returns the report of findings of which none is suppressed.
func NewReport(file string, source []byte, found []policy.Diagnostic) Report {
	policy.Sort(found)
	r := Report{File: file, Source: source}
	for _, d := range found {
		r.Findings = append(r.Findings, Finding{Diagnostic: d})
	}
	return r
}
