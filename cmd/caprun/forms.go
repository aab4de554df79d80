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
	values []string // for aChoice, all of them; for usually, some of them
	about  string
}

// operand is an argument that is no flag.
type operand struct {
	takes  kind
	values []string // for aChoice
	many   bool     // it can be repeated; only of the last one
	about  string
}

// kind is what stands in an argument.
type kind int

const (
	aSwitch  kind = iota // of a flag: it takes no value, or =true and =false
	aChoice              // one of some words
	usually              // free text that often is one of some words
	aText                // free text
	aProfile             // what -profile takes
	toCheck              // profiles, and directories with profiles below them
	aFile
	aProgram // the name of a command, or an executable file
	aProcess // the number of a process
	aBuiltin // the name of a profile that comes with caprun
	aRule    // the name of a rule of check
)

// launchName is how completion calls the form without a name.
const launchName = "launch"

// forms returns every form, in the order of the usage text.
func forms() []form {
	format := formFlag{"format", aChoice, []string{"human", "json"}, "what the output is for"}
	as := formFlag{"as", usually, []string{"root", "current"}, "who starts the program"}
	kernel := formFlag{"kernel", usually, []string{"5.10", "5.15", "6.1", "6.6", "6.12", "6.18"}, "the kernel whose rules hold"}
	pid := formFlag{"pid", aProcess, nil, "the process to look at"}
	return []form{
		{"", "start a program", []formFlag{
			{"profile", aProfile, nil, "the profile"},
			{"init", aSwitch, nil, "stay as the parent of the program"},
			{"dry-run", aSwitch, nil, "do everything but the start, and print it"},
		}, []operand{
			{aProgram, nil, false, "program"},
			{aFile, nil, true, "argument"},
		}},
		{"check", "find mistakes and risks in files and directories", []formFlag{
			{"format", aChoice, []string{"human", "oneline", "json", "sarif", "github"}, "what the output is for"},
			{"fail-on", aChoice, []string{"error", "warning", "info", "never"}, "the least finding that makes it fail"},
			{"ceiling", aProfile, nil, "what no profile may exceed"},
			{"host", aSwitch, nil, "look at this machine, too"},
			{"stdin-name", aText, nil, "what findings call the standard input"},
		}, []operand{{toCheck, nil, true, "profile or directory"}}},
		{"rules", "list what check finds, or print the page of one rule", []formFlag{format}, []operand{{aRule, nil, false, "rule"}}},
		{"explain", "print the steps of a launch and what they lead to", []formFlag{
			as,
			{"target", aFile, nil, "the program, looked at on this machine"},
			kernel,
			{"init", aSwitch, nil, "with the step that -init adds"},
			format,
		}, []operand{{aProfile, nil, false, "profile"}}},
		{"diff", "print what a change of a profile widens and narrows", []formFlag{
			as,
			kernel,
			{"fail-on", aChoice, []string{"change", "widen", "never"}, "which difference makes it fail"},
			{"format", aChoice, []string{"human", "markdown", "json"}, "what the output is for"},
		}, []operand{{aProfile, nil, false, "old profile"}, {aProfile, nil, false, "new profile"}}},
		{"verify", "compare a running process with a profile", []formFlag{
			pid,
			{"as", usually, []string{"root", "current"}, "who started the process"},
			{"exact", aSwitch, nil, "what the process has given up is no match"},
			{"v", aSwitch, nil, "print what is the same, too"},
			format,
		}, []operand{{aProfile, nil, false, "profile"}}},
		{"show", "print the credentials of a process", []formFlag{pid, format}, nil},
		{"schema", "print the JSON Schema of the profile format", nil, nil},
		{"profiles", "list the profiles that come with caprun, or print one", nil, []operand{{aBuiltin, nil, false, "name"}}},
		{"completion", "print a script that completes command lines", nil, []operand{{aChoice, []string{"bash", "zsh", "fish"}, false, "shell"}}},
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
func (f formFlag) takesValue() bool { return f.takes != aSwitch }
