package render

import (
	"fmt"
	"path/filepath"

	"caprun/internal/sanitize"
	"caprun/platform/declared"
)

// notDeclared is the state of an identity that a file of another platform does not declare.
const notDeclared = "not declared"

// document prints the plan of a process that a file of another platform declares: what the
// process gets and from which declarations. The steps of a launch and what a launch
// inherits are not those of the platform.
func (t planPrinter) document() {
	t.declarations()
	t.head("State")
	for _, row := range t.stateRows() {
		for n, text := range wrapList(row.target, 76) {
			name := row.name
			if n > 0 {
				name = ""
			}
			fmt.Fprintf(t, "  %-16s %s\n", name, text)
		}
	}
	if profile := t.Document.Launches; profile != "" {
		fmt.Fprintf(t, "  The process is caprun, which starts the program with profile %s.\n", cut(sanitize.Text(profile), maxDeclaration))
	}
	fmt.Fprintln(t)
	printCaps(t, t.plan, t.Colour)
	if t.Document.Sets.UnknownUID && !t.Document.Sets.NotRoot {
		fmt.Fprintln(t, "  These are for uid 0: the file does not declare the user.")
	}
	fmt.Fprintln(t)
	t.section("Reachable later", t.plan.Reachable())
	if len(t.Document.Losses) > 0 {
		fmt.Fprintln(t)
		t.head("Not in the plan: a profile cannot express it")
		for _, l := range t.Document.Losses {
			t.note(t.where(l.At), l.What)
		}
	}
}

// declarations prints the declarations behind each key of the profile.
func (t planPrinter) declarations() {
	t.head("Declarations")
	for _, d := range t.Document.Declarations() {
		if len(d.From) == 0 {
			continue
		}
		for n, s := range d.From {
			key := d.Key
			if n > 0 {
				key = ""
			}
			fmt.Fprintf(t, "  %-21s %6s  %s\n", key, t.where(s), cut(sanitize.Text(s.Text), maxDeclaration))
		}
	}
	fmt.Fprintln(t)
}

// maxDeclaration is the largest length of a declaration in the table, in characters: the
// line number says where the rest is.
const maxDeclaration = 66

// where returns the line of a declaration, with the file if that is a drop-in.
func (t planPrinter) where(s declared.Source) string {
	line := "-"
	if s.IsKnown() {
		line = fmt.Sprint(s.Line)
	}
	if s.File != t.Document.At.File && s.File != t.plan.Profile.File {
		return filepath.Base(s.File) + ":" + line
	}
	return line
}

// note prints a paragraph with the line that it is about.
func (t planPrinter) note(line, text string) {
	for n, part := range wrap(sanitize.Text(text), 90) {
		if n > 0 {
			line = ""
		}
		fmt.Fprintf(t, "  %6s  %s\n", line, part)
	}
}

// cut shortens text to a number of characters.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-3]) + "..."
}
