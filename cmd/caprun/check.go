package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"time"

	"caprun/engine"
	"caprun/engine/review"
	"caprun/internal/checkrun"
	"caprun/policy"
)

// check finds the mistakes and risks of profiles.
func (c *Command) check(args []string) int {
	f := flags("check")
	format := f.String("format", "human", "")
	failOn := f.String("fail-on", "warning", "")
	ceiling := f.String("ceiling", "", "")
	host := f.Bool("host", false, "")
	stdinName := f.String("stdin-name", "", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	print, ok := checkPrinter(*format, c.Colour)
	if !ok {
		return c.usageError(fmt.Sprintf("-format %q: human, oneline, json, sarif or github", *format), usage, exitTrouble)
	}
	fails, ok := failing(*failOn)
	if !ok {
		return c.usageError(fmt.Sprintf("-fail-on %q: error, warning, info or never", *failOn), usage, exitTrouble)
	}
	fromStdin := slices.Contains(f.Args(), "-")
	switch {
	case f.NArg() == 0:
		return c.usageError("check needs a file or a directory", usage, exitTrouble)
	case given(f, "stdin-name") && !fromStdin:
		return c.usageError("-stdin-name says what findings call the standard input, which is the file -", usage, exitTrouble)
	case *ceiling == "-" && fromStdin:
		return c.usageError("the standard input is either the ceiling or a profile to check", usage, exitTrouble)
	case *host && runtime.GOOS != "linux":
		return c.usageError("-host: only Linux has what it looks at", usage, exitTrouble)
	}
	options := review.Options{Today: time.Now()}
	if *host {
		options.Host = engine.Host
	}
	if given(f, "ceiling") {
		var status int
		if options.Ceiling, status = c.readCeiling(*ceiling); options.Ceiling == nil {
			return status
		}
	}
	run := checkrun.New(&c.Env, options, fails)
	run.Add(f.Args(), cmp.Or(*stdinName, "<stdin>"))
	return checkStatus[run.Print(print)]
}

// checkStatus is the exit status of a run.
var checkStatus = [...]int{checkrun.Clean: exitOK, checkrun.Findings: exitFindings, checkrun.Trouble: exitTrouble}

// failing returns which findings make the status 1.
func failing(name string) (fails func(review.Finding) bool, ok bool) {
	if name == "never" {
		return func(review.Finding) bool { return false }, true
	}
	for _, s := range []policy.Severity{policy.Error, policy.Warning, policy.Info} {
		if s.String() == name {
			return func(f review.Finding) bool { return f.Suppressed == nil && f.Severity <= s }, true
		}
	}
	return nil, false
}

// trouble prints why a reviewing command could not do its work.
func (c *Command) trouble(err error) int {
	c.ReportError(err)
	return exitTrouble
}
