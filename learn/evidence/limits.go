package evidence

import (
	"fmt"
	"slices"
	"strings"

	"caprun/internal/profiletext"
	"caprun/learn/observe"
	"caprun/learn/search"
)

// limitsOf returns what the result does not show, the most important first.
func limitsOf(in *Input, r *Report) []Limit {
	l := limits{in: in, report: r, list: []Limit{}}
	l.search()
	l.test()
	l.nothingNeeded()
	l.recording()
	l.program()
	l.hardening()
	l.ownership()
	l.alternatives()
	l.identity()
	l.noise()
	return l.list
}

// limits collects them.
type limits struct {
	in     *Input
	report *Report
	list   []Limit
}

func (l *limits) add(code, format string, args ...any) {
	l.list = append(l.list, Limit{code, fmt.Sprintf(format, args...)})
}

// search says why the search proved nothing.
func (l *limits) search() {
	found := &l.in.Search
	switch {
	case l.in.TestAlone && len(found.Trials) == 0: // see test
	case l.in.Interrupted && found.Minimal:
		l.add("interrupted", "Learning was interrupted after the search for capabilities, which was complete. Other settings, such as no_new_privs, may not have been tried.")
	case l.in.Interrupted:
		l.add("interrupted", "Learning was interrupted after %s of the search, so the result is unconfirmed. %s", plural(len(found.Trials), "run"), l.untried())
	}
	if found.LimitReached {
		l.add("limit-reached", "The search ended at its limit of %s, so the result is unconfirmed. %s", plural(found.Runs, "run"), l.untried())
	}
	if found.Unstable {
		a, b := found.Contrary[0], found.Contrary[1]
		l.add("unstable", "%s with the same capabilities (%s) had different outcomes: %s. The search ended there, and its result is not reliable. Check that -reset restores the state before each run, and that the test waits until the program is ready; a longer -timeout can help.",
			l.runsText(a, b), setText(a.Set.Names()), outcomesText(a, b))
	}
	if !found.Works && len(found.Trials) > 0 && !l.in.Interrupted && !found.LimitReached && !found.Unstable {
		l.add("no-set-works", "The program did not work with any set that was tried, although it worked in the first run with all capabilities of the base. Check that -reset restores the state before each run.")
	}
}

// runsText names two runs. The reference run has no number in the search.
func (l *limits) runsText(a, b search.Trial) string {
	if a.Run == 0 {
		return fmt.Sprintf("The first run and run %d", l.in.number(b))
	}
	return fmt.Sprintf("Runs %d and %d", l.in.number(a), l.in.number(b))
}

func outcomesText(a, b search.Trial) string {
	if a.Outcome.Works && !b.Outcome.Works {
		return "the program worked, and then did not"
	}
	return "the program did not work, and then worked"
}

// untried says which capabilities were not left out.
func (l *limits) untried() string {
	var names []string
	for _, v := range l.report.Verdicts {
		if v.Kind == Unconfirmed && (v.Without == nil || v.Without.Larger) {
			names = append(names, v.Capability)
		}
	}
	switch {
	case !l.in.Search.Works:
		return "The search had found no set that works."
	case len(names) == 0:
		return "Each capability had been left out once; the runs that confirm the result are missing."
	}
	return "caprun had not yet tested the removal of each of these: " + strings.Join(names, ", ") + "."
}

func setText(names []string) string {
	if len(names) == 0 {
		return "no capabilities"
	}
	return strings.Join(names, ", ")
}

// test says why a test that succeeded may not show that the program works.
func (l *limits) test() {
	if e := l.in.Ended; e != nil && e.Failed {
		l.add("ended-with-failure", "%s The test succeeded nevertheless, so the result is unconfirmed: the test may not show that the program works. Stop what else answers it. If the program works in spite of this status, pass sh -c 'PROGRAM || true' as CMD.", e.text())
	}
	switch {
	case l.in.TestAlone && len(l.in.Search.Trials) == 0:
		l.add("test-alone", "The test succeeds without the program, so caprun did not run the program. Stop what answers the test, pass a -reset command that removes what an earlier run left, or a test that fails without the program.")
	case l.in.TestAlone:
		l.add("test-alone", "The program worked without any capability, and then the test succeeded without the program, so the result is unconfirmed. A run has left what the test checks, or another program answers it. Pass a -reset command that removes what a run leaves, or a test that fails without the program.")
	}
	if e := l.in.Ended; e != nil && !e.Failed {
		l.add("ended", "%s The test after its end decided.", e.text())
	}
}

// text says how the program ended, as a sentence.
func (e *Exit) text() string {
	text := "In the first run the program ended by itself with " + profiletext.Inert(e.Status, MaxText)
	if e.Output != "" {
		text += `; its last line: "` + strings.ReplaceAll(profiletext.Inert(e.Output, MaxText), `"`, "'") + `"`
	}
	return text + "."
}

func (l *limits) nothingNeeded() {
	if !l.in.Search.NoneWorks {
		return
	}
	text := "The program worked without any capability. Either it needs none, or the test does not notice what is missing."
	if l.in.Test == "" {
		text += " The test was the exit status; -test CMD can check more."
	}
	l.add("nothing-needed", "%s", text)
}

// recording says what is missing in the recordings.
func (l *limits) recording() {
	if l.in.Untraced != "" {
		l.add("no-tracing", "Capability checks were not recorded (%s). The set comes from runs alone. There is no evidence from the kernel, and caprun did not search for other sets of the same size.%s", profiletext.Inert(l.in.Untraced, MaxText), l.untracedHardening())
		return
	}
	lost, runs := l.in.Reference.Lost, 0
	if lost > 0 {
		runs++
	}
	symbols := l.in.Reference.Symbols
	for _, run := range l.in.Runs {
		if run.Lost > 0 {
			lost += run.Lost
			runs++
		}
	}
	if lost > 0 {
		l.add("incomplete", "The evidence is incomplete: caprun did not record %s of %s. Checks, failed calls, executed programs and other sets of the same size may be missing. Whether the program worked does not depend on them.", plural(int(min(lost, 1<<31-1)), "event"), plural(runs, "run"))
	}
	if l.in.Reference.Traced && !symbols {
		l.add("no-symbols", "The kernel's symbols were not readable (cap_syslog, kernel.kptr_restrict). caprun knows the system call only of checks whose call failed, and counts checks of cap_sys_admin by memory accounting like others.")
	}
	if slices.ContainsFunc(l.report.Verdicts, func(v Verdict) bool { return v.Without != nil && v.Without.Netlink }) {
		l.add("netlink", "Some checks were part of netlink requests. The kernel reports their errors in its reply, so no system call fails.")
	}
}

// untracedHardening says why no_new_privs and noroot were not tried.
func (l *limits) untracedHardening() string {
	if l.in.NoNewPrivs != NotTried || l.in.NoRoot != NotTried {
		return ""
	}
	return " no_new_privs and noroot were not tried: it is unknown whether the program executed set-user-ID programs or programs with file capabilities."
}

// program says what the executed programs mean for the result.
func (l *limits) program() {
	if text := l.in.FileCapabilities; text != "" {
		l.add("file-capabilities", "The file of the program has capabilities (%s). caprun refuses to start it with a profile that does not declare them, so a failed run without them does not show that the program uses them.", profiletext.Inert(text, MaxText))
	}
	e := l.in.Executed
	var paths []string
	for _, path := range e.Paths {
		paths = append(paths, profiletext.Inert(path, MaxText))
	}
	switch {
	case e.Privileged == observe.Yes:
		l.add("executed-privileged", "The program executed set-user-ID or set-group-ID programs or programs with file capabilities: %s. no_new_privs and noroot were not tried: a test that passes with them would not show that these programs still work.", strings.Join(paths, ", "))
	case e.Privileged == observe.Unknown && l.report.Works && l.in.NoNewPrivs == NotTried && l.in.Untraced == "":
		l.add("executed-unknown", "caprun does not know whether the program executed set-user-ID programs or programs with file capabilities, so no_new_privs and noroot were not tried.")
	}
	if len(e.Unobserved) > 0 {
		l.add("unobserved", "The recording of a process ended when it executed %s, which gains privilege by exec or has an unreadable file. Later checks of this process are missing.", pathsText(e.Unobserved))
	}
}

// hardening says which settings the program does not work with.
func (l *limits) hardening() {
	if l.in.HardeningLost {
		l.add("hardening-unknown", "Events of runs with no_new_privs or noroot were lost, so caprun does not know whether a system call fails with them. The profile does not set what is unknown.")
	}
	for _, h := range [...]struct {
		name   string
		result Attempt
	}{{"no_new_privs", l.in.NoNewPrivs}, {"noroot", l.in.NoRoot}} {
		if h.result == Failed {
			l.add("not-with-"+strings.ReplaceAll(h.name, "_", "-"), "With %s the program did not work, or a system call failed that did not fail before, so the profile does not set it.", h.name)
		}
	}
}

func pathsText(paths []string) string {
	var list []string
	for _, path := range paths {
		if path == "" {
			path = "an unknown program"
		}
		list = append(list, profiletext.Inert(path, MaxText))
	}
	return strings.Join(list, ", ")
}

// ownership names files that the program could only access by overriding permissions.
func (l *limits) ownership() {
	for _, v := range l.report.Verdicts {
		if len(v.Paths) == 0 {
			continue
		}
		var paths []string
		for _, p := range v.Paths {
			paths = append(paths, `"`+strings.ReplaceAll(p.Path, `"`, "?")+`"`)
		}
		l.add("file-ownership", "%s was checked for %s. A process may access files of its own user without this capability, if their mode permits it. If no other user needs these files, change their owner to uid %d, and run learn again.", v.Capability, strings.Join(paths, ", "), l.in.UID)
	}
}

func (l *limits) alternatives() {
	var sets []string
	for _, set := range l.report.Alternatives {
		if len(sets) == maxCalls {
			sets = append(sets, fmt.Sprintf("and %d more", len(l.report.Alternatives)-maxCalls))
			break
		}
		sets = append(sets, strings.Join(set, ", "))
	}
	if len(sets) > 0 {
		l.add("alternatives", "The program also worked with other sets of the same size, in one run each: %s.", strings.Join(sets, "; "))
	}
}

// identity says to which users processes changed.
func (l *limits) identity() {
	var others []string
	for _, id := range l.report.Identities {
		if id.UID == l.in.UID {
			continue
		}
		text := fmt.Sprintf("uid %d", id.UID)
		if id.GID != nil {
			text += fmt.Sprintf(", gid %d", *id.GID)
		}
		others = append(others, text+" ("+l.atLeast(id.Processes, "process")+")")
	}
	if len(others) > 0 {
		text := "The program changed the user of its processes: " + strings.Join(others, "; ") + "."
		if len(others) == 1 {
			text += " It may need less if it starts as this user: see -uid."
		}
		l.add("changes-user", "%s", text)
	}
}

// atLeast returns a number of what the reference run recorded.
func (l *limits) atLeast(n int, what string) string {
	if l.in.Reference.Lost > 0 {
		return "at least " + plural(n, what)
	}
	return plural(n, what)
}

// noise says which checks were left out of the table.
func (l *limits) noise() {
	memory, foreign := 0, 0
	for _, use := range l.in.Reference.Uses {
		memory += use.Memory
		foreign += use.Foreign
	}
	if memory > 0 {
		l.add("memory-accounting", "Not counted: %s of cap_sys_admin by memory accounting, which every process causes.", l.atLeast(memory, "check"))
	}
	if foreign > 0 {
		l.add("other-namespaces", "Not counted: %s against other user namespaces, where the capabilities of the profile have no effect.", l.atLeast(foreign, "check"))
	}
}
