package render

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/sanitize"
	"caprun/platform/declared"
	"caprun/policy"
)

// PlanView is what a printed plan shows in addition to the plan.
type PlanView struct {
	// As is the caller, as the flag -as takes it: "root", "current", or words.
	As string

	// Kernel is the version of the flag -kernel; nil without the flag.
	Kernel *engine.Kernel

	// Sealed is the sealed launcher that has the profile; nil for a file that is one.
	Sealed *Sealed

	// Document is the file of another platform that the profile was made from; nil for a
	// profile.
	Document *declared.Document

	// Environ is the caller's environment; nil if unknown.
	Environ []string
	Colour  bool
}

// Sealed describes a sealed launcher.
type Sealed struct {
	Arch      string `json:"arch"`
	Generator int    `json:"generator"`

	// Verified reports that its code is what its profile seals to. Otherwise this
	// caprun has another version of the generator, and cannot compare.
	Verified bool `json:"verified"`
}

// text describes the launcher.
func (s *Sealed) text() string {
	result := "sealing the profile again gives the same bytes"
	if !s.Verified {
		result = "this caprun has another generator, and cannot compare the code with the profile"
	}
	return fmt.Sprintf("%s, generator %d; %s", s.Arch, s.Generator, result)
}

// planPrinter prints one plan for people.
type planPrinter struct {
	PlanView
	io.Writer
	plan *engine.Plan
}

// Plan prints a plan for people: the caller, each step with its key and line and the
// capability that it needs, the state of the caller and of the target, and what the
// target can still gain. A star marks a row that changes. Lines without a path have
// at most 100 columns.
func Plan(w io.Writer, p *engine.Plan, v PlanView) error {
	var b strings.Builder
	t := planPrinter{v, &b, p}
	t.title()
	if v.Document != nil {
		t.document()
		_, err := io.WriteString(w, sanitize.Lines(b.String()))
		return err
	}
	t.inputs()
	t.steps()
	t.state()
	printCaps(t, p, v.Colour)
	fmt.Fprintln(t)
	t.section("Reachable later", p.Reachable())
	fmt.Fprintln(t)
	t.inherited()
	if notes := environNotes(p, v.Environ); len(notes) > 0 {
		fmt.Fprintln(t)
		t.section("Environment", notes)
	}
	_, err := io.WriteString(w, sanitize.Lines(b.String()))
	return err
}

// paint adds the codes of a colour to text.
func paint(colour bool, code, text string) string {
	if !colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (t planPrinter) head(text string) { fmt.Fprintln(t, paint(t.Colour, "1", text)) }

// section prints a heading and paragraphs.
func (t planPrinter) section(head string, paragraphs []string) {
	t.head(head)
	for _, text := range paragraphs {
		for n, line := range wrap(text, 90) {
			if n > 0 && len(paragraphs) > 1 {
				line = "  " + line
			}
			fmt.Fprintln(t, "  "+line)
		}
	}
}

// inherited prints what the target inherits from the caller, a group at a time.
func (t planPrinter) inherited() {
	t.head("Inherited from the caller")
	var groups []string
	names := map[string][]string{}
	for _, i := range t.plan.Inherited() {
		if names[i.Group] == nil {
			groups = append(groups, i.Group)
		}
		names[i.Group] = append(names[i.Group], i.Name)
	}
	for _, group := range groups {
		separator := ", "
		if strings.Contains(strings.Join(names[group], ""), ",") {
			separator = "; "
		}
		for n, line := range wrap(strings.Join(names[group], separator), 80) {
			if n > 0 {
				group = ""
			}
			fmt.Fprintf(t, "  %-12s %s\n", group, line)
		}
	}
}

func (t planPrinter) title() {
	profile := t.plan.Profile
	// The directory is left out: git runs textconv on a copy in a temporary one.
	title := filepath.Base(profile.File)
	if profile.Name != "" {
		title = profile.Name + " (" + title + ")"
	}
	t.head(title)
	for _, line := range wrap(profile.Description, 76) {
		fmt.Fprintln(t, "  "+line)
	}
	fmt.Fprintln(t)
}

// inputs prints the caller, the target, the route and the kernel.
func (t planPrinter) inputs() {
	row := func(name, text string) {
		for n, line := range wrap(text, 76) {
			if n > 0 {
				name = ""
			}
			fmt.Fprintln(t, paint(t.Colour, "1", fmt.Sprintf("%-8s", name))+line)
		}
	}
	if t.Sealed != nil {
		row("Sealed", t.Sealed.text())
	}
	row("Caller", callerText(t.As, t.plan.Caller))
	if target := t.plan.Target; target.Path != "" {
		row("Target", targetText(target))
	}
	if route := routeText(t.plan.Route); route != "" && t.plan.AfterExec.Permitted|t.plan.AfterExec.Inheritable != 0 {
		row("Route", route)
	}
	if t.Kernel != nil {
		row("Kernel", kernelText(*t.Kernel))
	}
	fmt.Fprintln(t)
}

// targetText describes a target on this machine.
func targetText(t engine.Target) string {
	text := t.Effect()
	if t.FilePath != t.Path {
		text = fmt.Sprintf("%s, a script run by %s; %s", t.Path, t.FilePath, text)
	}
	if quoted := strconv.QuoteToGraphic(text); quoted != `"`+text+`"` {
		// The first line of a script may name anything.
		return quoted
	}
	return text
}

// routeText describes how the target gets the declared capabilities.
func routeText(r engine.Route) string {
	switch r {
	case engine.RouteAmbient:
		return "ambient: the ambient set passes the capabilities on"
	case engine.RouteRoot:
		return "root: exec grants uid 0 the bounding and inheritable capabilities"
	case engine.RouteFile:
		return "file: the file capabilities of the target grant them"
	}
	return ""
}

func (t planPrinter) steps() {
	p := t.plan
	t.head(stepLine("Steps", "from", "needs"))
	for n, s := range p.Steps {
		from, needs := t.stepNotes(s)
		for k, text := range wrapList(p.Describe(s), stepWidth) {
			if k == 0 {
				fmt.Fprintln(t, stepLine(fmt.Sprintf("  %2d  %s", n+1, text), from, needs))
			} else {
				fmt.Fprintln(t, "        "+text)
			}
		}
	}
	fmt.Fprintln(t)
}

// stepWidth is the width of the column with the text of a step.
const stepWidth = 56

// stepLine returns a line of the table of steps.
func stepLine(text, from, needs string) string {
	return strings.TrimRight(fmt.Sprintf("%-*s  %-17s %s", stepWidth+6, text, from, needs), " ")
}

// stepNotes returns the key and line that a step comes from, and the capability that
// it needs.
func (t planPrinter) stepNotes(s engine.Step) (from, needs string) {
	if _, pos := t.origin(t.plan, s); s.Key != "" && pos.IsKnown() {
		from = fmt.Sprintf("%s:%d", s.Key, pos.Line)
	}
	switch {
	case s.NoOp:
		needs = "(no change)"
	case s.Needs != 0:
		needs = s.Needs.String()
	}
	return from, needs
}

// origin returns the position of what causes a step. file is not empty if it is in a file
// of another platform.
func (v PlanView) origin(p *engine.Plan, s engine.Step) (file string, at policy.Position) {
	if v.Document == nil {
		return "", p.Position(s)
	}
	from := v.Document.Origin(s.Key)
	return from.File, from.Position
}

// state prints the state of the caller and of the target, except capabilities.
func (t planPrinter) state() {
	t.head("State                 caller                           target")
	for _, row := range t.stateRows() {
		mark := "  "
		if row.caller != row.target {
			mark = "* "
		}
		caller := wrapList(row.caller, 31)
		target := wrapList(row.target, 44)
		for n := range max(len(caller), len(target)) {
			name := row.name
			if n > 0 {
				name, mark = "", "  "
			}
			fmt.Fprintln(t, strings.TrimRight(fmt.Sprintf("  %s%-17s %-32s %s", mark, name, at(caller, n), at(target, n)), " "))
		}
	}
	fmt.Fprintln(t)
}

// stateRow is a row of the table of the state.
type stateRow struct{ name, caller, target string }

func (t planPrinter) stateRows() []stateRow {
	p := t.plan
	uid, gid, groups := p.IdentityText()
	if t.Document != nil && t.Document.Sets.UnknownUID {
		uid, gid, groups = notDeclared, notDeclared, notDeclared
	}
	field := func(row, name string) stateRow {
		return stateRow{row, engine.FieldText(p.Caller, name), engine.FieldText(p.AfterExec, name)}
	}
	f := p.Caller
	const callers = "the caller's"
	root := stateRow{"root directory", callers, callers}
	if t.Document != nil {
		root.target = "that of the platform"
	}
	if p.Profile.Chroot != "" {
		root.target = p.Profile.Chroot
	}
	keyring := stateRow{"session keyring", callers, callers}
	if p.NewKeyring() && !p.KeysUnreachable() {
		keyring.target = "new, empty"
	}
	rows := []stateRow{
		{"uid", engine.IDsText(f.UID, f.EUID, f.SUID, f.FSUID), uid},
		{"gid", engine.IDsText(f.GID, f.EGID, f.SGID, f.FSGID), gid},
		{"groups", engine.FieldText(f, "Groups"), groups},
		field("securebits", "Securebits"),
		field("no_new_privs", "NoNewPrivs"),
		root,
	}
	if t.Document != nil {
		// The platform decides the keyring, and no key of a profile says how.
		return rows
	}
	return append(rows, keyring)
}

// callerText describes the caller that the flag -as selects.
func callerText(as string, c cred.Cred) string {
	switch as {
	case "root":
		return fmt.Sprintf("root: uid 0, all %d capabilities", c.Permitted.Len())
	case "current":
		return "current: the caller of caprun on this machine"
	}
	return strings.Join(strings.Fields(as), " ")
}

// kernelText describes the kernel that the flag -kernel selects.
func kernelText(k engine.Kernel) string {
	if k.NewerThanLatest() {
		return fmt.Sprintf("Linux %v, modelled as Linux %v, the newest version that caprun knows", k, engine.LatestKernel())
	}
	return fmt.Sprintf("Linux %v", k)
}
