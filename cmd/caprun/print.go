package main

import (
	"fmt"
	"io"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
)

// printPlan prints a plan for people: each step with the key and line that it
// comes from and what it needs, and the state before it and of the target.
// Rows with a star change. environ is the
// caller's environment, nil when it is not known.
func printPlan(w io.Writer, p *engine.Plan, colour bool, environ []string) {
	head := func(text string) {
		if colour {
			text = "\x1b[1m" + text + "\x1b[0m"
		}
		fmt.Fprintln(w, text)
	}
	profile := p.Profile
	title := profile.File
	if profile.Name != "" {
		title = profile.Name + " (" + profile.File + ")"
	}
	head(title)
	for _, line := range wrap(profile.Description, 76) {
		fmt.Fprintln(w, "  "+line)
	}
	fmt.Fprintln(w)

	head(stepLine("Steps", "from", "needs"))
	for n, s := range p.Steps {
		from, needs := stepNotes(p, s)
		for k, text := range wrapList(p.Describe(s), stepWidth) {
			if k == 0 {
				fmt.Fprintln(w, stepLine(fmt.Sprintf("  %2d  %s", n+1, text), from, needs))
			} else {
				fmt.Fprintln(w, "        "+text)
			}
		}
	}
	fmt.Fprintln(w)

	head("State                 before                           target")
	for _, row := range stateRows(p) {
		mark := "  "
		if row.before != row.after {
			mark = "* "
		}
		before := wrapList(row.before, 31)
		after := wrapList(row.after, 31)
		for n := range max(len(before), len(after)) {
			name := row.name
			if n > 0 {
				name, mark = "", "  "
			}
			fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %s%-17s %-32s %s", mark, name, at(before, n), at(after, n)), " "))
		}
	}
	fmt.Fprintln(w)

	head("Later")
	for _, line := range p.Later() {
		fmt.Fprintln(w, "  "+line)
	}
	fmt.Fprintln(w)
	head("Stays the caller's")
	for _, line := range wrap(strings.Join(p.Stays(), ", "), 76) {
		fmt.Fprintln(w, "  "+line)
	}
	if lines := p.EnvironNotes(environ); len(lines) > 0 {
		fmt.Fprintln(w)
		head("Environment")
		for _, note := range lines {
			for n, line := range wrap(note, 74) {
				if n > 0 {
					line = "  " + line
				}
				fmt.Fprintln(w, "  "+line)
			}
		}
	}
}

// stepWidth is how wide the text of a step may be.
const stepWidth = 56

// stepLine puts what a step does, where it comes from and what it needs in
// columns.
func stepLine(text, from, needs string) string {
	return strings.TrimRight(fmt.Sprintf("%-*s  %-17s %s", stepWidth+6, text, from, needs), " ")
}

func stepNotes(p *engine.Plan, s engine.Step) (from, needs string) {
	if pos := p.Position(s); s.Key != "" && pos.IsKnown() {
		from = fmt.Sprintf("%s:%d", s.Key, pos.Line)
	}
	switch {
	case s.Holds:
		needs = "(already so)"
	case s.Needs != 0:
		needs = engine.CapNames(s.Needs)
	}
	return from, needs
}

type stateRow struct{ name, before, after string }

func stateRows(p *engine.Plan) []stateRow {
	row := func(name string, text func(cred.Cred) string) stateRow {
		return stateRow{name, text(p.From), text(p.After)}
	}
	field := func(name string) func(cred.Cred) string {
		return func(c cred.Cred) string { return engine.FieldText(c, name) }
	}
	rows := []stateRow{
		row("uid", func(c cred.Cred) string { return ids(c.UID, c.EUID, c.SUID, c.FSUID) }),
		row("gid", func(c cred.Cred) string { return ids(c.GID, c.EGID, c.SGID, c.FSGID) }),
		row("groups", field("Groups")),
		row("effective", field("Effective")),
		row("permitted", field("Permitted")),
		row("inheritable", field("Inheritable")),
		row("ambient", field("Ambient")),
		row("bounding", field("Bounding")),
		row("securebits", field("Securebits")),
		row("no_new_privs", field("NoNewPrivs")),
	}
	if !p.Identity.Resolved {
		of := "of " + p.Identity.User
		if p.Identity.UID != 0 {
			rows[0].after = of
		}
		if p.Profile.GID == nil {
			rows[1].after = of
		}
		if p.Profile.Groups == nil {
			rows[2].after = of
		}
	}
	return rows
}

// ids prints the real, effective, saved and file system id: once when they
// are the same.
func ids(r, e, s, fs uint32) string {
	if r == e && e == s && s == fs {
		return fmt.Sprint(r)
	}
	return fmt.Sprintf("%d,%d,%d,%d", r, e, s, fs)
}

// wrap breaks text at spaces into lines of at most width characters.
func wrap(text string, width int) []string { return wrapWords(strings.Fields(text), " ", width) }

// wrapList breaks a list at its commas.
func wrapList(list string, width int) []string {
	if strings.Contains(list, ",") {
		return wrapWords(strings.Split(list, ","), ",", width)
	}
	return []string{list}
}

func wrapWords(words []string, sep string, width int) []string {
	var lines []string
	line := ""
	for n, word := range words {
		if sep != " " && n < len(words)-1 {
			word += sep
		}
		gap := ""
		if sep == " " && line != "" {
			gap = " "
		}
		if line != "" && len(line)+len(gap)+len(word) > width {
			lines = append(lines, line)
			line, gap = "", ""
		}
		line += gap + word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func at(lines []string, n int) string {
	if n < len(lines) {
		return lines[n]
	}
	return ""
}
