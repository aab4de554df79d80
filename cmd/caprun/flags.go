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
)

// formFlag is a flag of a form. It implements flag.Value.
type formFlag struct {
	name     string
	metavar  string // what the usage calls the value; empty for a switch
	about    string // what it does, short enough for a menu
	more     string // what the usage adds; optional
	required bool
	value

	given bool
	wrong error // why Set failed
}

// value is what a flag takes and where it is stored.
type value struct {
	takes kind
	words []string // for aChoice, all of them; for usually, some of them
	def   string   // what the flag is when absent; empty where it is nothing
	store func(text string) error
}

// takesValue reports whether the next argument belongs to the flag.
func (f *formFlag) takesValue() bool { return f.takes != aSwitch }

// IsBoolFlag reports whether package flag parses the flag without a value.
func (f *formFlag) IsBoolFlag() bool { return !f.takesValue() }

// String returns the default.
func (f *formFlag) String() string { return f.def }

// Set stores the value. It refuses a second one: which of two profiles, for
// example, was meant is unknown.
func (f *formFlag) Set(text string) error {
	if f.given {
		f.wrong = fmt.Errorf("flag given more than once: -%s", f.name)
		return f.wrong
	}
	f.given = true
	if err := f.store(text); err != nil {
		f.wrong = fmt.Errorf("-%s %q: %w", f.name, shorten(text), err)
	}
	return f.wrong
}

// choice is a word that a flag takes, and what it stands for.
type choice[T any] struct {
	word  string
	value T
}

// oneOf is the value of a flag that takes one of some words. It sets *p to what
// the word def stands for.
func oneOf[T any](p *T, def string, choices ...choice[T]) value {
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
		return errors.New(alternatives(v.words))
	}
	if err := v.store(def); err != nil {
		panic("caprun: the default of a flag is not one of its words: " + def)
	}
	return v
}

// alternatives returns the words with "or" before the last.
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
			return errors.New("true or false")
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

// pathOf is the value of a flag that takes the name of a profile or file.
func pathOf(p *string, takes kind) value {
	return value{takes: takes, store: func(text string) error {
		if text == "" {
			return errors.New("the name is empty")
		}
		*p = text
		return nil
	}}
}

// processID is the value of a flag that takes the number of a process: decimal
// digits, no sign.
func processID(p *int) value {
	return value{takes: aProcess, store: func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > math.MaxInt32 || strconv.Itoa(n) != text {
			return errors.New("not the number of a process")
		}
		*p = n
		return nil
	}}
}

// formatFlag is the flag -format of the forms that print for people or programs.
func formatFlag(json *bool) *formFlag {
	return &formFlag{name: "format", metavar: "FORMAT", about: "output format",
		value: oneOf(json, "human", choice[bool]{"human", false}, choice[bool]{"json", true})}
}

// parse parses the arguments of the form, in the syntax of package flag. It
// returns flag.ErrHelp when -h is among the flags.
func (f *form) parse(args []string) (operands []string, err error) {
	set := flag.NewFlagSet(f.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	for _, flag := range f.flags {
		set.Var(flag, flag.name, flag.about)
	}
	err = set.Parse(args)
	for _, flag := range f.flags {
		if flag.wrong != nil {
			return nil, flag.wrong
		}
	}
	if err != nil {
		return nil, err
	}
	for _, flag := range f.flags {
		if flag.required && !flag.given {
			return nil, fmt.Errorf("-%s is missing", flag.name)
		}
	}
	return set.Args(), f.checkOperands(set.Args())
}

// checkOperands checks the number of the operands, and the words of choices.
func (f *form) checkOperands(args []string) error {
	for n, p := range f.operands {
		switch {
		case n < len(args):
			if p.takes == aChoice {
				if !slices.Contains(p.words, args[n]) {
					return fmt.Errorf("%s %q: %s", p.metavar, shorten(args[n]), alternatives(p.words))
				}
			}
		case p.optional:
			return nil
		case p.takes == aChoice:
			return fmt.Errorf("%s is missing: %s", p.metavar, alternatives(p.words))
		default:
			return fmt.Errorf("%s is missing", p.metavar)
		}
	}
	if most := len(f.operands); len(args) > most && (most == 0 || !f.operands[most-1].many) {
		return fmt.Errorf("unexpected argument %q", shorten(args[most]))
	}
	return nil
}
