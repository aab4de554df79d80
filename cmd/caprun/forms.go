//go:build !entrypoint

package main

// form is one way to write a command line. The forms are what completion
// offers; tests hold the flags that are parsed, the usage text and the manual
// page to them.
type form struct {
	name     string // the first argument; empty for a launch
	about    string
	flags    []formFlag
	operands []operand
}

// formFlag is a flag of a form.
type formFlag struct {
	name   string
	takes  kind
	values []string // for choice, all of them; for some, usual ones
	about  string
}

// operand is an argument that is no flag.
type operand struct {
	takes  kind
	values []string // for choice
	many   bool     // it can be repeated; only of the last one
	about  string
}

// kind is what stands in an argument.
type kind int

const (
	onOff   kind = iota // of a flag: it takes no value, or =true and =false
	choice              // one of some words
	some                // free text that often is one of some words
	text                // free text
	profile             // what -profile takes
	checked             // profiles, and directories with profiles below them
	file
	program // the name of a command, or an executable file
	process // the number of a process
	builtin // the name of a profile that comes with caprun
	rule    // the name of a rule of check
)

// launchName is how completion calls the form without a name.
const launchName = "launch"

// forms returns every form, in the order of the usage text.
func forms() []form {
	format := formFlag{"format", choice, []string{"human", "json"}, "what the output is for"}
	as := formFlag{"as", some, []string{"root", "current"}, "who starts the program"}
	kernel := formFlag{"kernel", some, []string{"5.10", "5.15", "6.1", "6.6", "6.12", "6.18"}, "the kernel whose rules hold"}
	pid := formFlag{"pid", process, nil, "the process to look at"}
	return []form{
		{"", "start a program", []formFlag{
			{"profile", profile, nil, "the profile"},
			{"init", onOff, nil, "stay as the parent of the program"},
			{"dry-run", onOff, nil, "do everything but the start, and print it"},
		}, []operand{
			{program, nil, false, "program"},
			{file, nil, true, "argument"},
		}},
		{"check", "find mistakes and risks in files and directories", []formFlag{
			{"format", choice, []string{"human", "oneline"}, "what the output is for"},
			{"fail-on", choice, []string{"error", "warning", "info", "never"}, "the least finding that makes it fail"},
		}, []operand{{checked, nil, true, "profile or directory"}}},
		{"explain", "print the steps of a launch and what they lead to", []formFlag{
			as,
			{"target", file, nil, "the program, looked at on this machine"},
			kernel,
			{"init", onOff, nil, "with the step that -init adds"},
			format,
		}, []operand{{profile, nil, false, "profile"}}},
		{"diff", "print what a change of a profile widens and narrows", []formFlag{
			as,
			kernel,
			{"fail-on", choice, []string{"change", "widen", "never"}, "which difference makes it fail"},
			{"format", choice, []string{"human", "markdown", "json"}, "what the output is for"},
			{"git", onOff, nil, "the arguments are those of git's diff drivers"},
		}, []operand{{profile, nil, false, "old profile"}, {profile, nil, false, "new profile"}}},
		{"verify", "compare a running process with a profile", []formFlag{
			pid,
			{"as", some, []string{"root", "current"}, "who started the process"},
			{"exact", onOff, nil, "what the process has given up is no match"},
			{"v", onOff, nil, "print what is the same, too"},
			format,
		}, []operand{{profile, nil, false, "profile"}}},
		{"show", "print the credentials of a process", []formFlag{pid, format}, nil},
		{"schema", "print the JSON Schema of the profile format", nil, nil},
		{"profiles", "list the profiles that come with caprun, or print one", nil, []operand{{builtin, nil, false, "name"}}},
		{"completion", "print a script that completes command lines", nil, []operand{{choice, []string{"bash", "zsh", "fish"}, false, "shell"}}},
		{"version", "print the version", nil, nil},
		{"help", "print the usage", nil, nil},
	}
}

// key is the name of a form for a script.
func (f form) key() string {
	if f.name == "" {
		return launchName
	}
	return f.name
}

// takesValue reports whether the next argument belongs to the flag.
func (f formFlag) takesValue() bool { return f.takes != onOff }
