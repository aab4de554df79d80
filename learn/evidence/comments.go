package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"caprun/internal/profiletext"
	"caprun/policy"
)

const (
	// maxComments is the largest number of lines of comments: five for each of the 41
	// capabilities, and the limits.
	maxComments = 256

	// maxLine is the largest length of a line of a comment or of the table.
	maxLine = 100
)

// reportOnly are the limits that are not part of the comments: they describe the first
// run, or the evidence of a capability has them.
var reportOnly = []string{"ended", "memory-accounting", "other-namespaces", "file-ownership", "alternatives"}

// Comments returns the evidence as lines of comments for the profile, each beginning with
// "# ". The lines are ASCII and at most 100 bytes long.
func (r *Report) Comments() []string {
	var c comments
	c.add("Learned by caprun from: " + r.programText())
	if r.Test != "" {
		c.add("Test: " + r.Test)
	}
	c.wrapped("", r.proofText())
	if text := r.hardeningText(); text != "" {
		c.wrapped("", text)
	}
	for _, v := range r.Verdicts {
		c.add(v.Capability + ": " + verdictText(v))
		for _, line := range evidenceLines(v) {
			c.add("  " + line)
		}
	}
	for _, l := range r.Limits {
		if !slices.Contains(reportOnly, l.Code) {
			c.wrapped("  ", "Note: "+l.Text)
		}
	}
	if len(c.lines) > maxComments {
		more := len(c.lines) - maxComments + 1
		c.lines = c.lines[:maxComments-1]
		c.add(fmt.Sprintf("%d more lines are in the report.", more))
	}
	return c.lines
}

// comments collects lines.
type comments struct{ lines []string }

const mark = "# "

// add adds a line, which is cut if it is too long.
func (c *comments) add(text string) {
	c.lines = append(c.lines, strings.TrimRight(mark+profiletext.Defuse(cut(text, maxLine-len(mark))), " "))
}

// wrapped adds a text on as many lines as it needs, with indent before all but the first.
func (c *comments) wrapped(indent, text string) {
	for n, line := range profiletext.Wrap(strings.Fields(text), maxLine-len(mark)-len(indent)) {
		if n > 0 {
			line = indent + line
		}
		c.add(line)
	}
}

// cut shortens a line of ASCII.
func cut(s string, limit int) string {
	if len(s) > limit {
		return s[:limit-3] + "..."
	}
	return s
}

// ProfileText returns the text of the profile, with the evidence as comments above the key
// caps. The error says why no profile exists: no set worked, or the base refuses the set.
func (r *Report) ProfileText() ([]byte, error) {
	if !r.Works {
		return nil, errors.New("the program did not work with any set of capabilities that was tried, so no profile was made")
	}
	text := r.composed
	if text == nil {
		var err error
		if text, err = r.base.Text(r.settings); err != nil {
			return nil, err
		}
	}
	return AddComments(text, r.Comments())
}

// AddComments returns the text of a profile with lines of comments above the key caps, or
// above the first line if caps does not begin a line. Lines that would make the profile
// larger than policy.MaxSize are left out. The error says that package policy does not
// accept the text.
func AddComments(profile []byte, lines []string) ([]byte, error) {
	p, found := policy.Read("learned profile", profile)
	if p == nil {
		return nil, fmt.Errorf("internal error: %s; report this as a bug", found[0])
	}
	before := 0
	if at := p.KeyPosition("caps"); at.IsKnown() && at.Column == 1 {
		before = at.Line - 1
	}
	var b bytes.Buffer
	number, left := 0, policy.MaxSize-len(profile)
	for line := range bytes.Lines(profile) {
		if number == before {
			for _, c := range lines {
				if left -= len(c) + 1; left < 0 {
					break
				}
				b.WriteString(c + "\n")
			}
		}
		b.Write(line)
		number++
	}
	text := b.Bytes()
	if p, found = policy.Read("learned profile", text); p == nil {
		return nil, fmt.Errorf("internal error: %s; report this as a bug", found[0])
	}
	return text, nil
}
