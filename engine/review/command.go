package review

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// wordOf returns where a word of the command stands.
func wordOf(p *engine.Plan, n int) policy.Position {
	return p.Profile.Position(fmt.Sprintf("command[%d]", n))
}

// relativeCommand finds a command that is another program for another caller:
// where the profile says from where, it is the same for all.
func relativeCommand(p *engine.Plan, report func(policy.Position, string, string)) {
	command := p.Profile.Command
	if searchesHere(p.Profile) {
		report(p.Profile.Position("env.set.PATH"), "PATH searches the working directory, which an empty or a relative entry stands for: which programs run depends on where caprun starts",
			"list directories by absolute paths, with nothing before, between or behind the colons")
	}
	if len(command) == 0 || strings.HasPrefix(command[0], "/") {
		return
	}
	message, determined := "a bare name: which program runs depends on the caller's PATH", setsPath(p.Profile)
	if strings.Contains(command[0], "/") {
		message = "a relative path: which program runs depends on the caller's working directory"
		determined = p.Profile.Cwd != "" || p.Profile.Chroot != ""
	}
	if !determined {
		report(p.Profile.Position("command[0]"), message, "write an absolute path")
	}
}

func setsPath(p *policy.Profile) bool {
	_, ok := setVariable(p, "PATH")
	return ok
}

// setVariable returns the value that env.set gives to a variable.
func setVariable(p *policy.Profile, name string) (value string, ok bool) {
	if p.Env != nil {
		value, ok = p.Env.Set[name]
	}
	return value, ok
}

// searchesHere reports whether the declared PATH has the working directory, or
// one below it, and nothing says which that is.
func searchesHere(p *policy.Profile) bool {
	value, ok := setVariable(p, "PATH")
	return ok && p.Cwd == "" && p.Chroot == "" && hasRelative(value)
}

// shellCommand finds a shell that hands its capabilities on to whatever it
// starts. What its own file gave it, and the ambient set has not, stays with it.
func shellCommand(p *engine.Plan, report capReporter) {
	command, at := started(p.Profile.Command)
	if isAllPowerful(p) || !isShell(command) {
		return
	}
	child, _, _ := p.AfterExec.Exec(cred.File{}, p.Target.KernelRules)
	same := child.Permitted.Intersect(p.AfterExec.Permitted)
	if same == 0 {
		return
	}
	report(wordOf(p, at), same,
		path.Base(command[0])+" is a shell with "+fewNames(same)+": every program that it starts gets the same",
		"start the program itself; what must happen before belongs before caprun")
}

// terminalKept finds a program that reads a terminal, has less privilege than
// who starts it, and keeps the terminal of that one as its controlling one.
func terminalKept(p *engine.Plan, report func(policy.Position, string, string)) {
	less := p.Identity.ChangesUID(p.Caller) || p.AfterExec.Permitted != p.Caller.Permitted && p.AfterExec.Permitted.SubsetOf(p.Caller.Permitted)
	command, at := started(p.Profile.Command)
	outer := p.Profile.Command[:min(at, len(p.Profile.Command))]
	own := slices.ContainsFunc(outer, func(word string) bool { return !strings.Contains(word, "=") && path.Base(word) == "setsid" })
	if p.Profile.NewSession || own || !less || !interactive(command) {
		return
	}
	report(wordOf(p, at),
		path.Base(command[0])+" reads the terminal with less privilege than who starts it: as the controlling terminal of both, "+
			"it lets the less privileged one type commands that the other's shell runs once it has ended (TIOCSTI)",
		"add new_session: true; job control in the target then works only where the terminal is taken anew, as script(1) or a container does")
}

// screens are programs that a person sits in front of.
func screens() []string {
	return []string{"ed", "emacs", "gdb", "htop", "less", "login", "mc", "more", "mutt", "mysql", "nano", "psql", "screen",
		"sqlite3", "ssh", "su", "telnet", "tmux", "top", "vi", "vim", "vimdiff", "watch"}
}

// interactive reports whether a command is one that a person types into, as
// far as its words tell.
func interactive(command []string) bool {
	if len(command) == 0 {
		return false
	}
	if slices.Contains(screens(), path.Base(command[0])) {
		return true
	}
	if !isShell(command) && !isInterpreter(command) {
		return false
	}
	for _, word := range command[1:] {
		switch {
		case word == "-i" || word == "--interactive":
			return true
		case !strings.HasPrefix(word, "-"), strings.HasPrefix(word, "-c"), strings.HasPrefix(word, "-e"):
			// A script, or the text of one.
			return false
		}
	}
	return true
}
