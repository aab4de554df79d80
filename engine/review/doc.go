// Package review reports the mistakes that policy and engine find in a profile,
// and the risks of a profile without mistakes.
//
// Two calls review a file:
//
//	report := review.Check("web.yaml", text, review.Options{Today: time.Now()})
//	err := review.Human(os.Stdout, slices.Values([]review.Report{report}), false)
//
// [Check] returns the [Report] of one profile. It marks the findings that the
// profile suppresses in lint.ignore, reports mistakes in those entries, and
// compares the profile with a ceiling if there is one. [Human], [Details],
// [Oneline], [JSON], [SARIF] and [GitHub] print reports one by one and remove
// everything that a terminal or a CI system could interpret as a command.
// [Rules] lists every rule, including those of policy and engine; package
// docs/rules has a page for each.
//
// The package is pure except for [CompileForHost], which Check calls only as
// [Options].Host.
package review
