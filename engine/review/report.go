package review

import (
	"caprun/engine/cred"
	"caprun/policy"
)

// A Report has the findings of one profile.
type Report struct {
	// File is the name of the profile in its findings.
	File string

	// Source is its text.
	Source []byte

	// Findings are sorted by position and include suppressed ones.
	Findings []Finding
}

// A Finding is a mistake or a risk, suppressed or not.
type Finding struct {
	policy.Diagnostic

	// Caps are the capabilities that the finding is about; empty for most rules.
	Caps cred.Caps

	// Suppressed is the entry that suppresses the finding, nil if there is none.
	Suppressed *Suppression
}

// A Suppression is an entry in lint.ignore, or several entries that together list
// all capabilities of a finding.
type Suppression struct {
	// Position is that of the first entry.
	policy.Position

	// Reason is the reason in the profile. Reasons of several entries are separated
	// by semicolons.
	Reason string

	// Until is the last day on which it applies, for example 2027-01-31; empty if it
	// does not expire.
	Until string
}

// NewReport returns a report of unsuppressed findings.
func NewReport(file string, source []byte, found []policy.Diagnostic) Report {
	policy.Sort(found)
	r := Report{File: file, Source: source}
	for _, d := range found {
		r.Findings = append(r.Findings, Finding{Diagnostic: d})
	}
	return r
}
