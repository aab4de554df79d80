// Package report makes an overview of many profiles: who has which privilege, as a page for
// a browser, a table for a terminal, and JSON.
//
//	r := report.New(report.Options{Today: time.Now()})
//	err := r.Add(report.Source{Name: "web.yaml", File: "web.yaml", Text: text})
//	err = r.HTML(w, "out")
//
// Each plan is for a caller that is root with every capability, and for an ordinary program,
// as [review.Check] has it. The rows are ordered by power, see [Power].
//
// The output depends only on the sources and the options: it has no date and no absolute
// path, and the same sources in another order give the same output.
//
// All text of a source is untrusted. The package replaces control characters and marks that
// reorder text in every format.
package report
