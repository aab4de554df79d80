// Package review says what a person who reviews a profile wants to know: the
// mistakes that policy and engine find, and the risks of what is correct.
//
// Two calls review a file:
//
//	report := review.Check("web.yaml", text, review.Options{Today: time.Now()})
//	err := review.Human(os.Stdout, slices.Values([]review.Report{report}), false)
//
// [Check] makes the [Report] of one profile. It marks the findings that the
// profile accepts under lint.ignore, finds what is wrong with those entries,
// and compares with a ceiling if there is one. [Human], [Details], [Oneline],
// [JSON], [SARIF] and [GitHub] print reports as they come, and nothing that a
// terminal or a CI system could obey. [Rules] lists every rule, those of policy
// and engine too; package docs/rules has a page on each.
//
// The package is pure but for [CompileForHost], which Check calls only as
// [Options].Host.
package review
