package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"caprun/internal/source"
	"caprun/internal/supervise"
	"caprun/policy"
)

// form is one form of the command line: a launch or a subcommand. The parser, the
// help, the completion scripts and the synopsis of caprun(1) are made from it.
type form struct {
	name     string // the first argument; empty for a launch
	about    string // what it does, short enough for a menu
	help     string // sentences that only the help has; optional
	flags    []*formFlag
	operands []operand
	variant  *variant
	status   string // the exit statuses; optional

	// run runs the form after its arguments have been parsed. It returns the exit
	// status.
	run func(c *Command, operands []string) int
}

// variant is a form with one flag and other operands.
type variant struct {
	flag     string
	operands []operand
}

// operand is an argument that is not a flag.
type operand struct {
	metavar  string
	takes    kind
	words    []string // all values of aChoice
	optional bool     // then those after it are, too
	many     bool     // it can be repeated; only for the last operand
	about    string
}

// usage is a form or its variant, as the synopsis shows it.
type usage struct {
	flags    []*formFlag
	operands []operand
	variant  string // the flag of the variant; empty for the form itself
}

// requires reports whether a flag cannot be left out.
func (u usage) requires(flag *formFlag) bool { return flag.required || flag.name == u.variant }

// usages returns the form, and its variant if there is one.
func (f *form) usages() []usage {
	if f.variant == nil {
		return []usage{{f.flags, f.operands, ""}}
	}
	others := slices.DeleteFunc(slices.Clone(f.flags), func(flag *formFlag) bool { return flag.name == f.variant.flag })
	return []usage{{others, f.operands, ""}, {f.flags, f.variant.operands, f.variant.flag}}
}

// kind is the kind of an argument, for completion.
type kind int

const (
	aSwitch     kind = iota // of a flag: no value, =true or =false
	aChoice                 // one of some words
	aSuggestion             // any text; completion offers some words
	aText                   // any text
	aProfile                // what -profile takes
	aComparable             // what -profile takes, or a directory with profiles below it
	aCheckPath              // a file, a directory with profiles below it, a built-in profile, or standard input
	aFile
	aProgram // the name of a command, or an executable file
	aProcess // a process ID
	aBuiltin // the name of a built-in profile
	aRule    // the name of a rule of check
)

// launchName is the name of a launch in the completion scripts.
const launchName = "launch"

// forms returns new forms, in the order of the usage text. Their flags have their
// defaults.
func forms() []*form {
	all := []*form{
		launchForm(),
		checkForm(),
		rulesForm(),
		explainForm(),
		diffForm(),
		reportForm(),
		verifyForm(),
		showForm(),
		sealForm(),
		learnForm(),
		importForm(),
		exportForm(),
		schemaForm(),
		profilesForm(),
		completionForm(),
		versionForm(),
	}
	return append(all, helpForm(all))
}

// findForm returns the form that the arguments select, and the arguments that it
// parses: a launch if the first argument is a flag, and otherwise the subcommand that
// it names. The form of an unknown one is a launch, too, with an error.
func findForm(args []string) (*form, []string, error) {
	switch {
	case len(args) == 0:
	case args[0] == "-version", args[0] == "--version":
		return versionForm(), args[1:], nil
	case !strings.HasPrefix(args[0], "-"):
		for _, f := range forms() {
			if f.name == args[0] && f.name != "" {
				return f, args[1:], nil
			}
		}
		return launchForm(), args, unknownCommand(args[0])
	}
	return launchForm(), args, nil
}

// otherCommands are words of other programs for what subcommands do.
var otherCommands = map[string]string{
	"lint": "check", "validate": "check", "test": "check", "plan": "explain", "describe": "explain", "compare": "diff",
	"status": "show", "ps": "show", "list": "profiles", "man": "help",
}

// unknownCommand is the error for a first argument that is neither a flag nor the name
// of a subcommand.
func unknownCommand(word string) error {
	const start = "to start a program, write caprun -profile PROFILE -- CMD"
	var names []string
	for _, f := range forms() {
		if f.name != "" {
			names = append(names, f.name)
		}
	}
	switch suggestion := cmp.Or(otherCommands[word], policy.Suggest(word, names)); {
	case source.HasSeparator(word), source.IsProfileName(word), slices.Contains([]string{"run", "exec", "start", "launch", ""}, word):
		return fmt.Errorf("unknown command %q; %s", shorten(word), start)
	case suggestion != "":
		return fmt.Errorf("unknown command %q; did you mean %s?", word, suggestion)
	}
	return fmt.Errorf("unknown command %q; %s", shorten(word), start)
}

// key returns the name of the form in the completion scripts.
func (f *form) key() string {
	if f.name == "" {
		return launchName
	}
	return f.name
}

// failure returns the exit status after a usage error.
func (f *form) failure() int {
	if f.name == "" {
		return supervise.StatusRefused
	}
	return exitError
}

// command returns the beginning of a command line of the form.
func (f *form) command() string { return strings.TrimSpace("caprun " + f.name) }
