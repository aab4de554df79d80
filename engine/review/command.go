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

// argumentPosition returns the position of a word of the command.
func argumentPosition(p *engine.Plan, n int) policy.Position {
	return p.Profile.Position(fmt.Sprintf("command[%d]", n))
}

// relativeCommand reports a command for which the program depends on the caller's
// working directory or PATH, and nothing in the profile determines it.
func relativeCommand(p *engine.Plan, report func(policy.Position, string, string)) {
	command := p.Profile.Command
	if searchesWorkingDirectory(p.Profile) {
		report(p.Profile.Position("env.set.PATH"), "PATH has an empty or relative entry: which programs run depends on the caller's working directory",
			"use absolute paths and no empty entries")
	}
	if len(command) == 0 || strings.HasPrefix(command[0], "/") {
		return
	}
	message, determined := "bare program name: which program runs depends on the caller's PATH", setsPath(p.Profile)
	if strings.Contains(command[0], "/") {
		message = "relative path: which program runs depends on the caller's working directory"
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

// searchesWorkingDirectory reports whether the declared PATH has an empty or
// relative entry and the profile does not determine the working directory.
func searchesWorkingDirectory(p *policy.Profile) bool {
	value, ok := setVariable(p, "PATH")
	return ok && p.Cwd == "" && p.Chroot == "" && hasRelative(value)
}

// shellCommand reports a shell that passes capabilities on to the programs that it
// starts. It does not pass on those of its own file.
func shellCommand(p *engine.Plan, report capReporter) {
	command, at := innerCommand(p.Profile.Command)
	if isUnrestrictedRoot(p) || !isShell(command) {
		return
	}
	child, _, _ := p.AfterExec.Exec(cred.File{}, p.Target.KernelRules)
	same := child.Permitted.Intersect(p.AfterExec.Permitted)
	if same == 0 {
		return
	}
	report(argumentPosition(p, at), same,
		path.Base(command[0])+" is a shell and passes "+namesOrCount(same)+" on to every program that it starts",
		"start the program directly, and do preparatory work before caprun starts")
}

// terminalKept reports an interactive program that has less privilege than the
// caller and keeps the caller's controlling terminal.
func terminalKept(p *engine.Plan, report func(policy.Position, string, string)) {
	less := p.Identity.ChangesUID(p.Caller) || p.AfterExec.Permitted != p.Caller.Permitted && p.AfterExec.Permitted.SubsetOf(p.Caller.Permitted)
	command, at := innerCommand(p.Profile.Command)
	outer := p.Profile.Command[:min(at, len(p.Profile.Command))]
	own := slices.ContainsFunc(outer, func(word string) bool { return !strings.Contains(word, "=") && path.Base(word) == "setsid" })
	if p.Profile.NewSession || own || !less || !isInteractive(command) {
		return
	}
	report(argumentPosition(p, at),
		path.Base(command[0])+" keeps the terminal of a caller with more privilege: "+
			"it can insert commands into the terminal's input (TIOCSTI), which the caller's shell runs after it exits",
		"add new_session: true; for job control, start the target in a new terminal, for example with script(1)")
}

// keyringInherited reports a target with another uid that keeps the caller's session
// keyring.
func keyringInherited(p *engine.Plan, report func(policy.Position, string, string)) {
	if !p.Profile.InheritKeyring || !p.Identity.ChangesUID(p.Caller) {
		return
	}
	report(p.Profile.Position("keyring"),
		"the target has another uid and inherits the caller's session keyring: it can use the keys in it",
		"remove keyring; the target then gets a new, empty session keyring")
}

// interactivePrograms returns names of programs that read commands from a terminal.
func interactivePrograms() []string {
	return []string{"ed", "emacs", "gdb", "htop", "less", "login", "mc", "more", "mutt", "mysql", "nano", "psql", "screen",
		"sqlite3", "ssh", "su", "telnet", "tmux", "top", "vi", "vim", "vimdiff", "watch"}
}

// isInteractive reports whether a command reads from a terminal, judged by its words.
func isInteractive(command []string) bool {
	if len(command) == 0 {
		return false
	}
	if slices.Contains(interactivePrograms(), path.Base(command[0])) {
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
			// The file or the text of a script.
			return false
		}
	}
	return true
}
