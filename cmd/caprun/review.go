package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"caprun/engine/review"
	"caprun/internal/sanitize"
	"caprun/internal/source"
	"caprun/policy"
	"caprun/seal"
)

// The subcommands that review profiles share these functions.

// reviewed is a profile to review.
type reviewed struct {
	*policy.Profile
	text []byte

	sealed *seal.Sealed // the launcher that has the profile; nil for a file that is one

	// unverified is the error for a launcher whose code cannot be compared with its
	// profile, because another version of the generator wrote it.
	unverified error
}

// readProfile reads a profile. If it returns none, it has reported why, and status
// is findingsStatus for a profile with errors, or exitError.
func (c *Command) readProfile(arg string, findingsStatus int) (p *policy.Profile, text []byte, status int) {
	r, status := c.readReviewed(arg, findingsStatus)
	switch {
	case r == nil:
		return nil, nil, status
	case r.unverified != nil:
		return nil, nil, c.fail(fmt.Errorf("%s: %w", r.File, r.unverified))
	}
	return r.Profile, r.text, exitOK
}

// readReviewed is readProfile; a launcher of another version of the generator is not an
// error.
func (c *Command) readReviewed(arg string, findingsStatus int) (*reviewed, int) {
	src, err := source.Find(arg, c.Stdin)
	if err != nil {
		return nil, c.fail(err)
	}
	var r reviewed
	r.text, r.sealed, err = src.Review()
	switch {
	case errors.Is(err, seal.ErrGenerator):
		r.unverified = err
	case err != nil:
		return nil, c.fail(fmt.Errorf("%s: %w", src.Name, err))
	}
	// A file name may contain control characters.
	var findings []policy.Diagnostic
	if r.Profile, findings = policy.Parse(sanitize.Line(src.Name), r.text); r.Profile == nil {
		return nil, c.reportFindings(findings, r.text, findingsStatus)
	}
	return &r, exitOK
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
