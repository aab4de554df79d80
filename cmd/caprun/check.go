package main

import (
	"bufio"
	"cmp"
	"io"
	"iter"
	"runtime"
	"slices"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/internal/checkrun"
	"caprun/internal/source"
	"caprun/internal/version"
	"caprun/policy"
)

// checkOptions are the flags of check.
type checkOptions struct {
	print     findingPrinter
	fails     func(review.Finding) bool
	ceiling   string // empty without one
	host      bool
	stdinName string
	exclude   source.Patterns
}

// checkForm is the form that finds mistakes and risks in profiles.
func checkForm() *form {
	var o checkOptions
	stdinName := &formFlag{name: "stdin-name", metavar: "NAME", about: "name of standard input in findings", value: anyText(&o.stdinName)}
	return &form{
		name: "check", about: "find mistakes and risks in profiles",
		help: "PATH is a file, a directory, builtin:NAME for a built-in profile, or - for standard input. " +
			"A file is a profile, a sealed launcher, or a file of another platform, such as a systemd unit. " +
			"In a directory, caprun checks all files below it that end in .yaml, .yml or .service and are not hidden.",
		flags: []*formFlag{
			{name: "format", metavar: "FORMAT", about: "output format", value: oneOf(&o.print, "format", "human", findingFormats()...),
				more: "oneline is for editors and logs, json for programs, sarif for code scanning, github for annotations of GitHub Actions."},
			{name: "fail-on", metavar: "SEVERITY", about: "lowest severity that makes the exit status 1", value: oneOf(&o.fails, "severity", "warning", failures()...)},
			{name: "ceiling", metavar: "PROFILE", about: "report privileges that this profile does not grant", value: nonEmpty(&o.ceiling, aProfile)},
			{name: "host", about: "check this machine, too", value: isSet(&o.host),
				more: "caprun reports a missing user, directory or program, and paths that the user of the program can write."},
			excludeFlag(&o.exclude),
			stdinName,
		},
		operands: []operand{{metavar: "PATH", takes: aCheckPath, many: true, about: "profile or directory"}},
		status:   "Exit status: 0 no findings at or above -fail-on, 1 findings, 2 usage error or unreadable file.",
		run: func(c *Command, paths []string) int {
			if stdinName.given && !slices.Contains(paths, "-") {
				return c.usageError("-stdin-name requires the path - (standard input)")
			}
			return c.check(o, paths)
		},
	}
}

// check finds mistakes and risks in profiles.
func (c *Command) check(o checkOptions, paths []string) int {
	switch {
	case o.ceiling == "-" && slices.Contains(paths, "-"):
		return c.usageError("-ceiling - and the path - are mutually exclusive")
	case o.host && runtime.GOOS != "linux":
		return c.usageError("-host requires Linux")
	}
	options := review.Options{Today: time.Now()}
	if o.host {
		options.Host = review.CompileForHost
	}
	if o.ceiling != "" {
		var status int
		if options.Ceiling, status = c.readCeiling(o.ceiling); options.Ceiling == nil {
			return status
		}
	}
	run := checkrun.New(&c.Env, options, o.fails)
	run.Add(paths, cmp.Or(o.stdinName, "<stdin>"), o.exclude)
	return checkStatus[run.Print(printFindings(o.print, c.Colour))]
}

// checkStatus is the exit status of a run.
var checkStatus = [...]int{checkrun.Clean: exitOK, checkrun.Findings: exitFindings, checkrun.Failed: exitError}

// failures returns the words of -fail-on, each with the findings that make the exit
// status 1.
func failures() []choice[func(review.Finding) bool] {
	from := func(s policy.Severity) choice[func(review.Finding) bool] {
		return choice[func(review.Finding) bool]{s.String(), func(f review.Finding) bool { return f.Suppressed == nil && f.Severity <= s }}
	}
	return []choice[func(review.Finding) bool]{
		from(policy.Error), from(policy.Warning), from(policy.Info),
		{"never", func(review.Finding) bool { return false }},
	}
}

// findingPrinter prints the findings of check.
type findingPrinter func(w io.Writer, reports iter.Seq[review.Report], colour bool) error

// findingFormats returns the output formats of check.
func findingFormats() []choice[findingPrinter] {
	plain := func(print func(io.Writer, iter.Seq[review.Report]) error) findingPrinter {
		return func(w io.Writer, reports iter.Seq[review.Report], _ bool) error { return print(w, reports) }
	}
	sarif := func(w io.Writer, reports iter.Seq[review.Report]) error {
		return review.SARIF(w, reports, version.String())
	}
	return []choice[findingPrinter]{
		{"human", review.Human},
		{"oneline", plain(review.Oneline)},
		{"json", plain(review.JSON)},
		{"sarif", plain(sarif)},
		{"github", plain(review.GitHub)},
	}
}

// printFindings returns a printer that buffers its output.
func printFindings(print findingPrinter, colour bool) func(io.Writer, iter.Seq[review.Report]) error {
	return func(w io.Writer, reports iter.Seq[review.Report]) error {
		b := bufio.NewWriter(w)
		return cmp.Or(print(b, reports, colour), b.Flush())
	}
}

// readCeiling plans the profile of -ceiling. If it returns no plan, it has reported
// why, and status is exitError.
func (c *Command) readCeiling(arg string) (plan *engine.Plan, status int) {
	p, text, status := c.readProfile(arg, exitError)
	if p == nil {
		return nil, status
	}
	plan, findings := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		return nil, c.reportFindings(findings, text, exitError)
	}
	return plan, exitOK
}
