// Package evidence says what the runs of learn showed about each capability, and writes
// the profile.
//
//	base := evidence.Base{Profile: profile, Caller: caller, Target: engine.OrdinaryTarget()}
//	text, err := base.Text(evidence.Settings{Caps: set})  // the profile of one run
//	report := evidence.Judge(input)                       // after the last run
//	report.Table(os.Stdout)
//	text, err = report.ProfileText()
//	report.JSON(os.Stdout)
//
// Each sentence of a report states what was run or recorded. The observed program controls
// the paths, names and messages in a report: each is printed on one line, in ASCII, without
// control characters, and at most [MaxText] characters long.
//
// The package is pure and works on every system.
//
// The package serves the command. Its Go API may change in any release.
package evidence
