package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// formFlag is a flag of a form. It implements flag.Value.
type formFlag struct {
	name     string
	metavar  string // what the usage calls the value; empty for a switch
	about    string // what it does, short enough for a menu
	more     string // sentences that only the help has; optional
	required bool
	repeated bool // it can be given more than once
	value

	given bool
	err   error // of Set
}

// value is the type of a flag's value, and where it is stored.
type value struct {
	takes kind
	words []string // all values of aChoice; examples for aSuggestion
	def   string   // the default; empty for none
	store func(text string) error
}

// takesValue reports whether the next argument is the value of the flag.
func (f *formFlag) takesValue() bool { return f.takes != aSwitch }

// IsBoolFlag reports whether the value may be missing, for package flag.
func (f *formFlag) IsBoolFlag() bool { return !f.takesValue() }

// String returns the default.
func (f *formFlag) String() string { return f.def }

// Set stores the value. It refuses a second one, because caprun cannot know which
// of two profiles, for example, was meant.
func (f *formFlag) Set(text string) error {
	if f.given && !f.repeated {
		f.err = fmt.Errorf("flag given more than once: -%s", f.name)
		return f.err
	}
	f.given = true
	if err := f.store(text); err != nil {
		f.err = fmt.Errorf("-%s: %w", f.name, err)
	}
	return f.err
}

// choice is a word that a flag takes, and the value that it stands for.
type choice[T any] struct {
	word  string
	value T
}

// oneOf is the value of a flag that takes one of some words, which messages call
// noun. It sets *p to the value of the default word def.
func oneOf[T any](p *T, noun, def string, choices ...choice[T]) value {
	v := value{takes: aChoice, def: def}
	for _, c := range choices {
		v.words = append(v.words, c.word)
	}
	v.store = func(text string) error {
		for _, c := range choices {
			if c.word == text {
				*p = c.value
				return nil
			}
		}
		return unknownWord(noun, text, v.words)
	}
	if err := v.store(def); err != nil {
		panic("default of a flag: " + err.Error())
	}
	return v
}

// unknownWord is the error for text that is none of the words.
func unknownWord(noun, text string, words []string) error {
	return fmt.Errorf("unknown %s %q: want %s", noun, shorten(text), alternatives(words))
}

// alternatives returns the words separated by commas, with "or" before the last.
func alternatives(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// isSet is the value of a switch.
func isSet(p *bool) value {
	return value{store: func(text string) error {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("invalid value %q: want true or false", shorten(text))
		}
		*p = on
		return nil
	}}
}

// anyText is the value of a flag that takes any text.
func anyText(p *string) value {
	return value{takes: aText, store: func(text string) error {
		*p = text
		return nil
	}}
}

// nonEmpty is the value of a flag that takes any text that is not empty.
func nonEmpty(p *string, takes kind) value {
	return value{takes: takes, store: func(text string) error {
		if text == "" {
			return errors.New("the value is empty")
		}
		*p = text
		return nil
	}}
}

// processID is the value of a flag that takes a process ID: decimal digits, no
// sign.
func processID(p *int) value {
	return value{takes: aProcess, store: func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > math.MaxInt32 || strconv.Itoa(n) != text {
			return fmt.Errorf("invalid process ID %q", shorten(text))
		}
		*p = n
		return nil
	}}
}

// duration is the value of a flag that takes a duration from least to most. It sets *p to
// the default; examples are for completion, the default first.
func duration(p *time.Duration, def, least, most time.Duration, examples ...string) value {
	*p = def
	return value{takes: aSuggestion, words: examples, def: examples[0], store: func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > most {
			return fmt.Errorf("invalid duration %q: want %v to %v, such as 500ms or 10s", shorten(text), least, most)
		}
		*p = d
		return nil
	}}
}

// formatFlag is the flag -format of the forms that print text or JSON.
func formatFlag(json *bool) *formFlag {
	return &formFlag{name: "format", metavar: "FORMAT", about: "output format",
		value: oneOf(json, "format", "human", choice[bool]{"human", false}, choice[bool]{"json", true})}
}

// parse parses the arguments of the form, in the syntax of package flag. It returns
// flag.ErrHelp if -h is among the flags, or among the operands of a subcommand that takes no
// command: the arguments after a program are its own.
func (f *form) parse(args []string) (operands []string, err error) {
	set := flag.NewFlagSet(f.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	for _, flag := range f.flags {
		set.Var(flag, flag.name, flag.about)
	}
	err = set.Parse(args)
	for _, flag := range f.flags {
		if flag.err != nil {
			return nil, flag.err
		}
	}
	if err != nil {
		return nil, err
	}
	for _, flag := range f.flags {
		if flag.required && !flag.given {
			return nil, fmt.Errorf("flag -%s is required", flag.name)
		}
	}
	if !f.takesCommand() && !slices.Contains(args, "--") && slices.ContainsFunc(set.Args(), isHelp) {
		return nil, flag.ErrHelp
	}
	return set.Args(), f.checkOperands(set.Args())
}

// takesCommand reports whether the operands of the form are a program and its arguments.
func (f *form) takesCommand() bool {
	return slices.ContainsFunc(f.operands, func(p operand) bool { return p.takes == aProgram })
}

// isHelp reports whether an argument asks for help.
func isHelp(arg string) bool {
	return arg == "-h" || arg == "--h" || arg == "-help" || arg == "--help"
}

// checkOperands checks the number of the operands, and each one that must be one of
// some words.
func (f *form) checkOperands(args []string) error {
	operands := f.operands
	if v := f.variant; v != nil && slices.ContainsFunc(f.flags, func(flag *formFlag) bool { return flag.name == v.flag && flag.given }) {
		operands = v.operands
	}
	for n, p := range operands {
		switch {
		case n < len(args):
			if p.takes == aChoice {
				if !slices.Contains(p.words, args[n]) {
					return unknownWord(strings.ToLower(p.metavar), args[n], p.words)
				}
			}
		case p.optional:
			return nil
		case p.takes == aChoice:
			return fmt.Errorf("missing %s: want %s", p.metavar, alternatives(p.words))
		default:
			return fmt.Errorf("missing %s", p.metavar)
		}
	}
	if most := len(operands); len(args) > most && (most == 0 || !operands[most-1].many) {
		return fmt.Errorf("unexpected argument %q%s", shorten(args[most]), orderHint(args[most]))
	}
	return nil
}

// orderHint returns what to do about an operand that looks like a flag.
func orderHint(arg string) string {
	if strings.HasPrefix(arg, "-") && arg != "-" {
		return "; flags come before the other arguments"
	}
	return ""
}
