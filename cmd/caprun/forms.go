package main

import (
	"strings"

	"caprun/internal/supervise"
)

// form is one form of the command line: a launch, or the work of a subcommand.
// Its flags and operands are parsed, described, completed and put into caprun(1)
// as they are declared here, and nowhere else.
type form struct {
	name     string // the first argument; empty for a launch
	about    string // what it does, short enough for a menu
	help     string // what a user must know in addition; optional
	flags    []*formFlag
	operands []operand
	status   string // what the exit status says; optional

	// run does the work, once the arguments have been parsed. It returns the exit
	// status.
	run func(c *Command, operands []string) int
}

// operand is an argument that is not a flag.
type operand struct {
	metavar  string
	takes    kind
	words    []string // all of them, for aChoice
	optional bool     // so are those after it
	many     bool     // it can be repeated; only the last one
	about    string
}

// kind is the kind of an argument. Completion depends on it.
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

// forms returns new forms with the defaults of their flags, in the order of the
// usage text.
func forms() []*form {
	all := []*form{
		launchForm(),
		checkForm(),
		rulesForm(),
		explainForm(),
		diffForm(),
		verifyForm(),
		showForm(),
		schemaForm(),
		profilesForm(),
		completionForm(),
		versionForm(),
	}
	return append(all, helpForm(all))
}

// findForm returns the form that a command line selects, and the arguments for
// it. Only the first argument can select one, and no flag does.
func findForm(args []string) (*form, []string) {
	if len(args) > 0 && args[0] != "" && !strings.HasPrefix(args[0], "-") {
		for _, f := range forms() {
			if f.name == args[0] {
				return f, args[1:]
			}
		}
	}
	return launchForm(), args
}

// key returns the name of the form for a script.
func (f *form) key() string {
	if f.name == "" {
		return launchName
	}
	return f.name
}

// failure returns the exit status for wrong usage.
func (f *form) failure() int {
	if f.name == "" {
		return supervise.StatusRefused
	}
	return exitTrouble
}

// command returns what a user writes to select the form.
func (f *form) command() string { return strings.TrimSpace("caprun " + f.name) }
