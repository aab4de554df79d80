package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/compare"
	"caprun/internal/sanitize"
)

// Change is a profile in one or both of two versions of a tree.
type Change struct {
	Name       string
	Kind       Kind
	Difference *Difference // nil unless both versions have a plan

	grant string // what a new or a removed profile grants
}

// NewChange compares two versions of a profile. A plan is nil for a version that is
// absent or invalid: it cannot be read, or has no plan. An old version that is invalid
// counts as absent, because nothing could be started with it.
func NewChange(name string, old, new *engine.Plan, newInvalid bool) Change {
	c := Change{Name: name}
	switch {
	case newInvalid:
		c.Kind = Invalid
	case new == nil && old == nil:
		c.Kind, c.grant = Removed, "was invalid"
	case new == nil:
		c.Kind, c.grant = Removed, "started as "+grantText(old)
	case old == nil:
		c.Kind, c.grant = New, "starts as "+grantText(new)
	default:
		d := NewDifference(old, new)
		c.Kind, c.Difference = d.kind(), &d
	}
	return c
}

// NewUncompared returns the change of a file that cannot be compared. why says what changed.
func NewUncompared(name, why string) Change {
	return Change{Name: name, Kind: Incomparable, grant: why}
}

// Kind is how the two versions of a profile compare.
type Kind string

// The kinds, in the order in which they are printed.
const (
	Invalid      Kind = "invalid"
	Widened      Kind = "widened"
	Incomparable Kind = "not comparable"
	New          Kind = "new"
	Narrowed     Kind = "narrowed"
	Removed      Kind = "removed"
	Changed      Kind = "changed" // and grants the same privileges
	Unchanged    Kind = "unchanged"
)

var kinds = [...]Kind{Invalid, Widened, Incomparable, New, Narrowed, Removed, Changed, Unchanged}

// kind returns how two plans compare.
func (d Difference) kind() Kind {
	switch d.order() {
	case compare.More:
		return Widened
	case compare.Less:
		return Narrowed
	case compare.Incomparable:
		return Incomparable
	}
	if len(d.Others) > 0 || d.Unexamined {
		return Changed
	}
	return Unchanged
}

// Widens reports whether the new version grants something that the old one does not,
// or may do so. A new profile does, and one that is invalid counts as if it did.
func (k Kind) Widens() bool {
	return slices.Contains([]Kind{Invalid, Widened, Incomparable, New}, k)
}

// Changes are the profiles of two versions of a tree.
type Changes struct {
	Old, New string // the names of the trees
	Profiles []Change
}

// sorted returns the profiles by kind, and those of one kind by name.
func (c Changes) sorted() []Change {
	return slices.SortedStableFunc(slices.Values(c.Profiles), func(a, b Change) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds[:], a.Kind), slices.Index(kinds[:], b.Kind)), cmp.Compare(a.Name, b.Name))
	})
}

// summary returns the number of profiles of each kind: "1 widened, 2 new".
func (c Changes) summary() string {
	var parts []string
	for _, kind := range kinds {
		n := 0
		for _, p := range c.Profiles {
			if p.Kind == kind {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return strings.Join(parts, ", ")
}

// Note returns what changed in one line: "gains cap_net_raw; no_new_privs: true becomes
// false". It is empty if nothing did.
func (c Change) Note() string {
	switch {
	case c.Difference == nil:
		return c.grant
	case c.Kind == Changed && c.Difference.Unexamined:
		return strings.Join(append(slices.Clone(c.Difference.Others), unexamined), ", ")
	case c.Kind == Changed:
		return strings.Join(c.Difference.Others, ", ")
	}
	var parts []string
	for _, group := range c.Difference.changes() {
		for _, row := range group.rows {
			parts = append(parts, row.summary())
		}
	}
	if text := c.Difference.Outside.summary(); text != "" {
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// summary returns a row of the differences in a few words.
func (c change) summary() string {
	d := c.dimensions[0]
	if text := d.Text(); len(d.Gained())+len(d.Lost()) > 0 && strings.HasPrefix(c.names[0], string(compare.Effective)) {
		return text
	}
	return c.names[0] + ": " + d.Text()
}

// grantText describes what a launch grants in one line: "uid 33 with
// cap_net_bind_service=eip, no_new_privs".
func grantText(p *engine.Plan) string {
	uid, _, _ := p.IdentityText()
	a := p.AfterExec
	text := "uid " + uid + " with "
	if a.Permitted|a.Inheritable == 0 {
		text += "no capabilities"
	} else {
		text += cap.SetOf(a.Effective, a.Permitted, a.Inheritable).String()
	}
	if a.NoNewPrivs {
		return text + ", no_new_privs"
	}
	return text + ", without no_new_privs"
}

// Print prints the changes for people: a summary, a line for each profile that is not
// unchanged, and the differences of each profile.
func (c Changes) Print(w io.Writer, colour bool) error {
	var b strings.Builder
	b.WriteString(paint(colour, "1", fmt.Sprintf("%s compared with %s: %s", c.New, c.Old, c.summary())) + "\n")
	codes := map[Kind]string{Invalid: "31", Widened: "31", Incomparable: "33", New: "33", Narrowed: "32"}
	list := slices.DeleteFunc(c.sorted(), func(p Change) bool { return p.Kind == Unchanged })
	width := 0
	for _, p := range list {
		width = min(max(width, len(p.Name)), 40)
	}
	for n, p := range list {
		if n == 0 {
			b.WriteString("\n")
		}
		kind := fmt.Sprintf("%-14s", p.Kind)
		line := fmt.Sprintf("  %s  %-*s  %s", paint(colour, codes[p.Kind], kind), width, p.Name, p.Note())
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if _, err := io.WriteString(w, sanitize.Lines(b.String())); err != nil {
		return err
	}
	return printDifferences(w, list, func(d *Difference) error { return d.Print(w, colour) })
}

// Markdown prints the changes as a comment of a pull request: a summary, and the
// differences of each profile to unfold.
func (c Changes) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s compared with %s: %s**\n", markdownCode(c.New), markdownCode(c.Old), c.summary())
	list := slices.DeleteFunc(c.sorted(), func(p Change) bool { return p.Kind == Unchanged })
	if len(list) > 0 {
		b.WriteString("\n| | profile | |\n|---|---|---|\n")
	}
	for _, p := range list {
		note := p.Note()
		if note != "" {
			note = markdownCode(note)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.Kind, markdownCode(p.Name), note)
	}
	if _, err := io.WriteString(w, sanitize.Lines(b.String())); err != nil {
		return err
	}
	return printDifferences(w, list, func(d *Difference) error { return d.Markdown(w) })
}

// printDifferences prints the differences of changes that have them, each after an empty
// line.
func printDifferences(w io.Writer, list []Change, print func(*Difference) error) error {
	for _, p := range list {
		if p.Difference == nil {
			continue
		}
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
		if err := print(p.Difference); err != nil {
			return err
		}
	}
	return nil
}

// jsonChanges is the JSON form of changes.
type jsonChanges struct {
	Version  int          `json:"version"`
	Old      string       `json:"old"`
	New      string       `json:"new"`
	Profiles []jsonChange `json:"profiles"`
}

type jsonChange struct {
	Name       string          `json:"name"`
	Kind       Kind            `json:"kind"`
	Widens     bool            `json:"widens"`
	Difference *jsonDifference `json:"difference"` // null unless both versions have a plan
}

// JSON prints the changes for programs.
func (c Changes) JSON(w io.Writer) error {
	out := jsonChanges{FormatVersion, c.Old, c.New, []jsonChange{}}
	for _, p := range c.Profiles {
		entry := jsonChange{Name: p.Name, Kind: p.Kind, Widens: p.Kind.Widens()}
		if p.Difference != nil {
			d := p.Difference.json()
			entry.Difference = &d
		}
		out.Profiles = append(out.Profiles, entry)
	}
	return JSON(w, out)
}
