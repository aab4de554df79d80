package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"caprun/engine/review"
	"caprun/internal/sanitize"
	"caprun/internal/source"
	"caprun/platform"
	"caprun/platform/declared"
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

	// document is the process of a file of another platform that the profile was made
	// from; nil for a profile. input is that file, and findings are those about it.
	document *declared.Document
	input    *platform.Input
	main     bool   // not a command of a unit beside the main one
	key      string // see processKey; empty for a profile
	findings []policy.Diagnostic
}

// readProfile reads a profile. If it returns none, it has reported why, and status
// is findingsStatus for a profile with errors, or exitError. It refuses a file of another
// platform.
func (c *Command) readProfile(arg string, findingsStatus int) (p *policy.Profile, text []byte, status int) {
	list, name, status := c.readAll(arg, findingsStatus)
	if list == nil {
		return nil, nil, status
	}
	r := list[0]
	switch {
	case r.document != nil:
		return nil, nil, c.fail(fmt.Errorf("%s: %w", name, r.input.Kind.NotProfile()))
	case r.unverified != nil:
		return nil, nil, c.fail(fmt.Errorf("%s: %w", r.File, r.unverified))
	}
	return r.Profile, r.text, exitOK
}

// readReviewed reads a profile, a sealed launcher, also one of another version of the
// generator, or a process of a file of another platform: the one that process names, or the
// first if the file has one, or a unit with commands that differ in nothing else.
func (c *Command) readReviewed(arg, process string, findingsStatus int) (*reviewed, int) {
	list, name, status := c.readAll(arg, findingsStatus)
	switch {
	case list == nil:
		return nil, status
	case process == "" && areAlike(list):
		return list[0], exitOK
	case list[0].document == nil:
		return nil, c.usageError("-process is for files of other platforms")
	}
	if r := findProcess(list, process); r != nil {
		return r, exitOK
	}
	return nil, c.fail(noProcess(name, process, list))
}

// areAlike reports whether a file has one process, or is a unit whose main commands get the
// same privileges.
func areAlike(list []*reviewed) bool {
	for _, r := range list[1:] {
		if r.main && (r.input.Kind != platform.Systemd || !r.document.IsLike(list[0].document)) {
			return false
		}
	}
	return true
}

// findProcess returns the process that an argument of -process means, nil if it is not
// certain.
func findProcess(list []*reviewed, process string) *reviewed {
	names := processNames(list)
	name, ok := findName(names, process)
	if !ok {
		return nil
	}
	return list[slices.Index(names, name)]
}

func processNames(list []*reviewed) []string {
	names := make([]string, 0, len(list))
	for _, r := range list {
		names = append(names, r.document.Name)
	}
	return names
}

// noProcess is the error for a missing or unknown name of a process.
func noProcess(file, process string, list []*reviewed) error {
	names, more := processNames(list), ""
	const most = 10
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
	}
	what := fmt.Sprintf("the file declares %d processes; pass one with -process", len(list))
	if process != "" {
		what = fmt.Sprintf("unknown process %s; the file declares", sanitize.Text(strconv.Quote(shorten(process))))
	}
	return fmt.Errorf("%s: %s: %s%s", file, what, sanitize.Text(strings.Join(names[:min(most, len(names))], ", ")), more)
}

// readAll reads the profile that an argument names, or the profiles of all processes of a
// file of another platform. If it returns none, it has reported why. name is that of the
// file in messages.
func (c *Command) readAll(arg string, findingsStatus int) (list []*reviewed, name string, status int) {
	src, err := source.Find(arg, c.Stdin)
	if err != nil {
		return nil, "", c.fail(err)
	}
	content, err := src.Review()
	if err != nil && !errors.Is(err, seal.ErrGenerator) {
		return nil, "", c.fail(fmt.Errorf("%s: %w", src.Name, err))
	}
	// A file name may contain control characters.
	name = sanitize.Line(src.Name)
	list, status = c.readContent(name, content, findingsStatus)
	if list == nil && status == exitOK {
		_, findings := content.Platform.Documents()
		return nil, name, c.reportPlatform(content.Platform, findings, findingsStatus)
	}
	for _, r := range list {
		r.unverified = err
	}
	return list, name, status
}

// readContent returns the profiles in the content of a file. If it returns none, it has
// reported why, or status is exitOK: it is a file of another platform without a process.
func (c *Command) readContent(name string, content source.Content, findingsStatus int) ([]*reviewed, int) {
	if content.Platform != nil {
		return c.readPlatform(name, content.Platform, findingsStatus)
	}
	p, findings := policy.Parse(name, content.Text)
	if p == nil {
		return nil, c.reportFindings(findings, content.Text, findingsStatus)
	}
	return []*reviewed{{Profile: p, text: content.Text, sealed: content.Sealed}}, exitOK
}

// readPlatform returns the processes of a file of another platform. If it returns none, it
// has reported why, or status is exitOK: the file has no process.
func (c *Command) readPlatform(name string, in *platform.Input, findingsStatus int) ([]*reviewed, int) {
	documents, findings := in.Documents()
	var list []*reviewed
	for _, d := range documents {
		p, wrong := policy.Parse(name, d.Text)
		if p == nil {
			for _, f := range wrong {
				findings = append(findings, d.Locate(f))
			}
			continue
		}
		list = append(list, &reviewed{Profile: d.StandIn(p), text: d.Text, document: d, input: in})
	}
	switch {
	case policy.HasErrors(findings):
		return nil, c.reportPlatform(in, findings, findingsStatus)
	case len(list) == 0:
		return nil, exitOK
	}
	main := in.Main(documents)
	for n, r := range list {
		r.findings, r.main, r.key = findings, n < len(main), processKey(in, documents[0], r.document)
	}
	return list, exitOK
}

// reportPlatform prints findings about a file of another platform and the files that are
// read with it, and returns status.
func (c *Command) reportPlatform(in *platform.Input, findings []policy.Diagnostic, status int) int {
	if err := review.Details(c.Stderr, slices.Values(in.Reports(findings)), false); err != nil {
		return c.fail(err)
	}
	return status
}

// notes returns the findings about the file and the process, and what a profile cannot
// express of it.
func (r *reviewed) notes() []policy.Diagnostic {
	notes := append(r.ownNotes(), r.findings...)
	policy.Sort(notes)
	return notes
}

// ownNotes is notes without the findings about the file.
func (r *reviewed) ownNotes() []policy.Diagnostic {
	notes := append(platform.Losses(r.document), r.document.Findings...)
	policy.Sort(notes)
	return notes
}

// processFlag is the flag -process.
func processFlag(name *string) *formFlag {
	return &formFlag{name: "process", metavar: "NAME", about: "process of a file that declares several, such as a container", value: nonEmpty(name, aText)}
}

// reportNoPlan prints why a profile has no plan, and returns status.
func (c *Command) reportNoPlan(r *reviewed, findings []policy.Diagnostic, status int) int {
	if r.document == nil {
		return c.reportFindings(findings, r.text, status)
	}
	for n := range findings {
		findings[n] = r.document.Locate(findings[n])
	}
	return c.reportPlatform(r.input, findings, status)
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
