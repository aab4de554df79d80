package platform

import (
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/platform/declared"
	"caprun/policy"
)

// Check reports the mistakes and risks of the processes that a file declares, at the
// declarations: a report for each file that has findings, and at least one for the file
// itself. The names of the processes begin the messages if there are several.
func (in Input) Check(o review.Options) []review.Report {
	documents, mistakes := in.Documents()
	var found []review.Finding
	for _, f := range mistakes {
		found = append(found, review.Finding{Diagnostic: f})
	}
	main := in.Main(documents)
	for n, d := range documents {
		for _, f := range in.CheckDocument(d, o) {
			// Of a command beside the main one, the risks are those that its own findings name:
			// the others are also those of the main one, except of caprun.
			other := n >= len(main)
			if other && documents[0].Launches == "" && f.Severity != policy.Error && !slices.Contains(d.Findings, f.Diagnostic) {
				continue
			}
			if other || len(main) > 1 {
				f.Message = d.Name + ": " + f.Message
			}
			found = append(found, f)
		}
	}
	return in.reports(found)
}

// Main returns the documents of the processes that the file is about: of a unit those of
// ExecStart=, without those of commands such as ExecStartPre=, or if it has only such
// commands the first one; and of another file all of them.
func (in Input) Main(documents []*declared.Document) []*declared.Document {
	at := slices.IndexFunc(documents, func(d *declared.Document) bool { return d.Other })
	if at < 0 {
		return documents
	}
	return documents[:max(at, 1)]
}

// CheckDocument reports the mistakes and risks of one process that the file declares.
func (in Input) CheckDocument(d *declared.Document, o review.Options) []review.Finding {
	var found []review.Finding
	for _, f := range d.Findings {
		found = append(found, review.Finding{Diagnostic: f})
	}
	for _, f := range in.refusals(d) {
		found = append(found, review.Finding{Diagnostic: f})
	}
	ineffective := slices.ContainsFunc(found, func(f review.Finding) bool { return f.Rule == declared.Rules()[declared.Ineffective].Name })
	if d.Sets.NotRoot && o.Host == nil {
		o.Host = func(p *policy.Profile) (*engine.Plan, []policy.Diagnostic) {
			return engine.Compile(d.StandIn(p), cred.Root(), engine.OrdinaryTarget())
		}
	}
	for _, f := range review.Check(in.Name, d.Text, o).Findings {
		if slices.Contains(textRules[:], f.Rule) || d.Sets.UnknownUID && slices.Contains(rootRules[:], f.Rule) || d.Launches != "" && slices.Contains(launchRules[:], f.Rule) || ineffective && f.Rule == "bounding-wider" {
			continue // the capability without effect is that of the bounding set
		}
		f.Diagnostic = d.Locate(f.Diagnostic)
		f.Hint = in.Kind.hint(f.Rule)
		found = append(found, f)
	}
	if d.Launches != "" && len(found) == 1 {
		return nil // starts-caprun says what the other findings are about, and there are none
	}
	return found
}

// Reports returns findings about the file and those that are read with it, as Check does.
func (in Input) Reports(findings []policy.Diagnostic) []review.Report {
	found := make([]review.Finding, 0, len(findings))
	for _, f := range findings {
		found = append(found, review.Finding{Diagnostic: f})
	}
	return in.reports(found)
}

// reports returns the findings of each file.
func (in Input) reports(found []review.Finding) []review.Report {
	reports := make([]review.Report, 0, 1)
	for _, f := range in.files() {
		reports = append(reports, review.Report{File: f.Name, Source: f.Text})
	}
	slices.SortStableFunc(found, func(a, b review.Finding) int { return a.Compare(b.Diagnostic) })
	for _, f := range found {
		at := slices.IndexFunc(reports, func(r review.Report) bool { return r.File == f.File })
		reports[max(at, 0)].Findings = append(reports[max(at, 0)].Findings, f)
	}
	kept := reports[:1]
	for _, r := range reports[1:] {
		if len(r.Findings) > 0 {
			kept = append(kept, r)
		}
	}
	return kept
}

// rootRules are the rules about uid 0. For an unknown uid, the finding about the identity
// says what root would have.
var rootRules = [...]string{"root-keeps-power", "noroot-missing", "root-owns-files", "drops-by-itself"}

// launchRules are the rules about uid 0 that do not matter for caprun itself: it changes the
// user and the securebits as its profile declares.
var launchRules = [...]string{"noroot-missing", "root-owns-files", "drops-by-itself"}

// textRules are the rules that are about the text of a profile, and not about what it
// declares. The text of a document is not that of its author.
var textRules = [...]string{"caps-not-canonical", "nothing-declared", "not-expanded"}

// Losses returns what a profile cannot express of a process, as diagnostics.
func Losses(d *declared.Document) []policy.Diagnostic {
	list := make([]policy.Diagnostic, 0, len(d.Losses))
	for _, l := range d.Losses {
		list = append(list, declared.NotExpressed.Diagnostic(l.At, "", l.What))
	}
	return list
}
