package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"caprun/engine/review"
	"caprun/internal/sanitize"
	"caprun/internal/source"
	"caprun/policy"
)

// The subcommands that review profiles share these functions.

// readProfile reads a profile. If it returns none, it has reported why, and status
// is findingsStatus for a profile with errors, or exitError.
func (c *Command) readProfile(arg string, findingsStatus int) (p *policy.Profile, text []byte, status int) {
	src, err := source.Find(arg, c.Stdin)
	if err != nil {
		return nil, nil, c.fail(err)
	}
	if text, err = src.Text(false); err != nil {
		return nil, nil, c.fail(fmt.Errorf("%s: %w", src.Name, err))
	}
	// A file name may contain control characters.
	p, findings := policy.Parse(sanitize.Line(src.Name), text)
	if p == nil {
		return nil, nil, c.reportFindings(findings, text, findingsStatus)
	}
	return p, text, exitOK
}

// reportFindings prints the errors of a profile without a plan, and returns status.
func (c *Command) reportFindings(findings []policy.Diagnostic, text []byte, status int) int {
	if err := review.Details(c.Stderr, slices.Values([]review.Report{review.NewReport("", text, findings)}), false); err != nil {
		return c.fail(err)
	}
	return status
}

// excludeFlag is the flag -exclude. It can be given more than once.
func excludeFlag(p *source.Patterns) *formFlag {
	return &formFlag{name: "exclude", metavar: "PATTERN", about: "files and directories to leave out below a directory", repeated: true,
		more: "A pattern with a slash matches a path below the directory, one without a name; * and ? do not match a slash.",
		value: value{takes: aText, store: func(text string) error {
			if _, err := path.Match(text, ""); err != nil || text == "" {
				return fmt.Errorf("invalid pattern %q", shorten(text))
			}
			*p = append(*p, strings.TrimSuffix(strings.TrimPrefix(text, "./"), "/"))
			return nil
		}}}
}
