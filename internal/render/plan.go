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
)

// PlanView is what a reader of a plan wants to know beside it.
type PlanView struct {
	// As names the caller, as the flag -as does: "root", "current", or words.
	As string

	// Kernel is the version whose rules were asked for; nil for those that follow
	// from As.
	Kernel *engine.Kernel

	// Environ is the caller's environment, nil when it is not known.
	Environ []string
	Colour  bool
}

// planPrinter prints one plan for people.
type planPrinter struct {
	PlanView
	io.Writer
	plan *engine.Plan
}

// Plan prints a plan for people: where it begins, each step with the key
// and line that it comes from and what it needs, the state before it and of
// the target, and what can come later. Rows with a star change. Lines have at
// most 100 columns, but for paths.
func Plan(w io.Writer, p *engine.Plan, v PlanView) error {
	var b strings.Builder
	t := planPrinter{v, &b, p}
	t.title()
	t.begin()
	t.steps()
	t.state()
	printCaps(t, p, v.Colour)
	fmt.Fprintln(t)
	t.section("Later", p.Reachable())
	fmt.Fprintln(t)
	inherited := []string{}
	for _, i := range p.Inherited() {
		inherited = append(inherited, i.What)
	}
	t.section("Stays the caller's", []string{strings.Join(inherited, ", ")})
	if notes := environNotes(p.EnvironChange(), v.Environ, p.Identity.User); len(notes) > 0 {
		fmt.Fprintln(t)
		t.section("Environment", notes)
	}
	_, err := io.WriteString(w, sanitize.Lines(b.String()))
	return err
}

// paint puts the codes of colour around text on a terminal.
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

// begin says from which start and to which target the plan leads.
func (t planPrinter) begin() {
	row := func(name, text string) {
		for n, line := range wrap(text, 76) {
			if n > 0 {
				name = ""
			}
			fmt.Fprintln(t, paint(t.Colour, "1", fmt.Sprintf("%-8s", name))+line)
		}
	}
	row("Start", startText(t.As, t.plan.Caller))
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

// targetText says what is known of a program that was found.
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

// routeText says how the target comes to the declared capabilities.
func routeText(r engine.Route) string {
	switch r {
	case engine.RouteAmbient:
		return "ambient: the ambient set hands the capabilities on"
	case engine.RouteRoot:
		return "root: uid 0 takes the capabilities from the bounding and inheritable sets"
	case engine.RouteFile:
		return "file: the file capabilities of the target give them"
	}
	return ""
}

func (t planPrinter) steps() {
	p := t.plan
	t.head(stepLine("Steps", "from", "needs"))
	for n, s := range p.Steps {
		from, needs := stepNotes(p, s)
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
	case s.NoOp:
		needs = "(already so)"
	case s.Needs != 0:
		needs = s.Needs.String()
	}
	return from, needs
}

// state prints what is no capability.
func (t planPrinter) state() {
	t.head("State                 before                           target")
	for _, row := range stateRows(t.plan) {
		mark := "  "
		if row.before != row.after {
			mark = "* "
		}
		before := wrapList(row.before, 31)
		after := wrapList(row.after, 44)
		for n := range max(len(before), len(after)) {
			name := row.name
			if n > 0 {
				name, mark = "", "  "
			}
			fmt.Fprintln(t, strings.TrimRight(fmt.Sprintf("  %s%-17s %-32s %s", mark, name, at(before, n), at(after, n)), " "))
		}
	}
	fmt.Fprintln(t)
}

type stateRow struct{ name, before, after string }

func stateRows(p *engine.Plan) []stateRow {
	uid, gid, groups := p.IdentityText()
	field := func(row, name string) stateRow {
		return stateRow{row, engine.FieldText(p.Caller, name), engine.FieldText(p.AfterExec, name)}
	}
	f := p.Caller
	const callers = "the caller's"
	root := stateRow{"root directory", callers, callers}
	if p.Profile.Chroot != "" {
		root.after = p.Profile.Chroot
	}
	return []stateRow{
		{"uid", engine.IDsText(f.UID, f.EUID, f.SUID, f.FSUID), uid},
		{"gid", engine.IDsText(f.GID, f.EGID, f.SGID, f.FSGID), gid},
		{"groups", engine.FieldText(f, "Groups"), groups},
		field("securebits", "Securebits"),
		field("no_new_privs", "NoNewPrivs"),
		root,
	}
}

// environNotes says what becomes of the environment.
func environNotes(c engine.EnvironChange, caller []string, user string) []string {
	var list []string
	if !c.KeepAll {
		list = append(list, "keeps "+joinOr(c.Keep, "nothing"))
	}
	if len(c.Set) > 0 {
		list = append(list, "sets "+strings.Join(c.Set, ", "))
	}
	if len(c.Unset) > 0 {
		list = append(list, "removes "+strings.Join(c.Unset, ", "))
	}
	switch {
	case c.UserUnknown:
		list = append(list, "HOME, USER and LOGNAME become those of user "+user)
	case len(c.Identity) > 0:
		list = append(list, "sets "+strings.Join(c.Identity, ", ")+", and no other of HOME, USER, LOGNAME")
	}
	switch {
	case len(c.Loader) == 0:
	case caller != nil:
		if here := engine.PresentLoaderVariables(caller); len(here) > 0 {
			list = append(list, loaderNote(here))
		} else {
			list = append(list, "no loader variables to remove")
		}
	default:
		list = append(list, loaderNote(c.Loader))
	}
	return list
}

func loaderNote(names []string) string {
	return "removes " + strings.Join(names, ", ") + ": ld.so(8) or the C library ignores them in a privileged program"
}

func joinOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

// startText says in words what a start named on the command line is.
func startText(name string, c cred.Cred) string {
	switch name {
	case "root":
		return fmt.Sprintf("root: uid 0, all %d capabilities", c.Permitted.Len())
	case "current":
		return "current: who runs caprun, on this machine"
	}
	return strings.Join(strings.Fields(name), " ")
}

// kernelText says whose rules apply.
func kernelText(k engine.Kernel) string {
	if k.NewerThanLatest() {
		return fmt.Sprintf("Linux %v, by the rules of %v, the last one that the model was compared with", k, engine.LatestKernel())
	}
	return fmt.Sprintf("the rules of Linux %v", k)
}
