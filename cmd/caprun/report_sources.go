package main

import (
	"slices"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/internal/report"
	"caprun/internal/source"
	"caprun/platform"
	"caprun/platform/declared"
	"caprun/policy"
)

// newSources returns the function that makes the sources of a file from what was read: one
// for a profile, and one for each process of a file of another platform.
func newSources(name, file string) func(source.Content, error) []report.Source {
	return func(c source.Content, err error) []report.Source {
		if err != nil || c.Platform == nil {
			return []report.Source{{Name: name, File: file, Text: c.Text, Err: err, NoLines: c.Sealed != nil}}
		}
		documents, findings := c.Platform.Documents()
		if len(documents) == 0 && !c.Platform.IsUnread() && !policy.HasErrors(findings) {
			return nil
		}
		if policy.HasErrors(findings) || len(documents) == 0 {
			unread := ""
			if !policy.HasErrors(findings) {
				unread = c.Platform.Normal()
			}
			return []report.Source{{Name: name, File: file, Undeclared: notDeclared, Unread: unread, Check: func(review.Options) []review.Finding {
				var list []review.Finding
				for _, f := range findings {
					list = append(list, review.Finding{Diagnostic: f})
				}
				return list
			}}}
		}
		sources := make([]report.Source, 0, len(documents))
		reported := reportedDocuments(c.Platform, documents)
		for _, d := range documents {
			s := report.Source{Name: name, File: file, Text: d.Text, Undeclared: notDeclared, StandIn: d.StandIn, NotRoot: d.Sets.NotRoot, Launches: d.Launches, LaunchText: platform.LaunchText(d.Launches)}
			s.Check = func(o review.Options) []review.Finding { return c.Platform.CheckDocument(d, o) }
			if d != documents[0] || len(c.Platform.Main(documents)) > 1 {
				s.Name = processName(name, d.Name)
			}
			s.Key, s.Left = processKey(c.Platform, documents[0], d), !slices.Contains(reported, d)
			s.Outside = outsideOf(c.Platform, d, findings)
			if len(documents) == 1 {
				s.Normal = c.Platform.Normal()
			}
			sources = append(sources, s)
		}
		return sources
	}
}

// notDeclared is what a row says about an identity that a file of another platform does not
// declare: it depends on an image, for example.
const notDeclared = "not declared"

// reportedDocuments returns the processes of a file that are rows: the main ones, and of a
// unit each other command that is granted something that the first main one is not. The row
// of a process that is caprun does not stand for other programs with its privileges.
func reportedDocuments(in *platform.Input, documents []*declared.Document) []*declared.Document {
	main := in.Main(documents)
	first := planOf(documents[0])
	return slices.DeleteFunc(slices.Clone(documents), func(d *declared.Document) bool {
		if slices.Contains(main, d) || documents[0].Launches != "" && d.Launches == "" {
			return false
		}
		plan := planOf(d)
		if first == nil || plan == nil {
			return false
		}
		order := compare.Compare(first, plan).Order()
		return order == compare.Same || order == compare.Less
	})
}

// planOf returns the plan of a document, nil if it has none.
func planOf(d *declared.Document) *engine.Plan {
	p, _ := policy.Parse("profile", d.Text)
	if p == nil {
		return nil
	}
	plan, _ := engine.Compile(d.StandIn(p), cred.Root(), engine.OrdinaryTarget())
	return plan
}

// failed returns the error of sources that could not be read.
func failed(list []report.Source) error {
	if len(list) == 0 {
		return nil
	}
	return list[0].Err
}

// pairVersions returns the sources of the new version of a file with the old ones: those of
// the same process, or if both versions have one, these.
func pairVersions(old, new []report.Source) []report.Source {
	if len(old) == 1 && len(new) == 1 {
		new[0].SetOld(old[0])
		return new
	}
	same := func(list []report.Source, key string) int {
		return slices.IndexFunc(list, func(s report.Source) bool { return s.Key == key })
	}
	for n := range new {
		if at := same(old, new[n].Key); at >= 0 {
			new[n].SetOld(old[at])
		}
	}
	for _, s := range old {
		if !s.Left && same(new, s.Key) < 0 {
			removed := report.Source{Name: s.Name, Removed: true}
			removed.SetOld(s)
			new = append(new, removed)
		}
	}
	return new
}
