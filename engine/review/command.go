package review

import (
	"path"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// relativeCommand finds a command that is another program for another caller:
// where the profile says from where, it is the same for all.
func relativeCommand(p *engine.Plan, say func(policy.Position, string, string)) {
	command := p.Profile.Command
	if len(command) == 0 || strings.HasPrefix(command[0], "/") {
		return
	}
	message, settled := "a bare name: which program runs depends on the caller's PATH", setsPath(p.Profile)
	if strings.Contains(command[0], "/") {
		message = "a relative path: which program runs depends on the caller's working directory"
		settled = p.Profile.Cwd != "" || p.Profile.Chroot != ""
	}
	if !settled {
		say(p.Profile.Position("command[0]"), message, "write an absolute path")
	}
}

func setsPath(p *policy.Profile) bool {
	if p.Env == nil {
		return false
	}
	_, ok := p.Env.Set["PATH"]
	return ok
}

// shellCommand finds a shell that hands its capabilities on to whatever it
// starts. What its own file gave it, and the ambient set has not, stays with it.
func shellCommand(p *engine.Plan, say capSayer) {
	if isAllPowerful(p) || !isShell(p.Profile.Command) {
		return
	}
	started, _, _ := p.After.Exec(cred.File{}, p.Target.Kernel)
	same := started.Permitted.Intersect(p.After.Permitted)
	if same == 0 {
		return
	}
	say(p.Profile.Position("command[0]"), same,
		path.Base(p.Profile.Command[0])+" is a shell with "+fewNames(same)+": every program that it starts gets the same",
		"start the program itself; what must happen before belongs before caprun")
}

// isShell reports whether a command is a shell, whatever it then runs.
func isShell(command []string) bool {
	if len(command) == 0 {
		return false
	}
	switch path.Base(command[0]) {
	case "sh", "ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "rbash", "tcsh", "zsh":
		return true
	case "busybox":
		return isShell(command[1:])
	}
	return false
}

// terminalKept finds a program that reads a terminal, has less privilege than
// who starts it, and keeps the terminal of that one as its controlling one.
func terminalKept(p *engine.Plan, say func(policy.Position, string, string)) {
	less := p.Identity.Changes(p.From) || p.After.Permitted != p.From.Permitted && p.After.Permitted.SubsetOf(p.From.Permitted)
	if p.Profile.NewSession || !less || !interactive(p.Profile.Command) {
		return
	}
	say(p.Profile.Position("command[0]"),
		path.Base(p.Profile.Command[0])+" reads the terminal with less privilege than who starts it: as the controlling terminal of both, "+
			"it lets the less privileged one type commands that the other's shell runs once it has ended (TIOCSTI)",
		"add new_session: true; job control in the target then works only where the terminal is taken anew, as script(1) or a container does")
}

// interpreters are interactive without a script, as shells are.
func interpreters() []string {
	return []string{"python", "python3", "perl", "ruby", "node", "irb", "lua"}
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
	name := path.Base(command[0])
	if name == "busybox" && len(command) > 1 {
		return interactive(command[1:])
	}
	if slices.Contains(screens(), name) {
		return true
	}
	if !isShell(command[:1]) && !slices.Contains(interpreters(), name) {
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
