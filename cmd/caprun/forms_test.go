//go:build !entrypoint

package main

import (
	"bytes"
	"flag"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
)

// TestFormsAreParsed holds the table to what is parsed: the forms that there
// are, the flags of each, and which of them take a value.
func TestFormsAreParsed(t *testing.T) {
	var names []string
	for _, f := range forms() {
		if f.name != "" {
			names = append(names, f.name)
		}
		parsed := map[string]*flag.Flag{}
		c := &Command{Stdout: io.Discard, Stderr: io.Discard, parsing: func(set *flag.FlagSet) {
			set.VisitAll(func(f *flag.Flag) { parsed[f.Name] = f })
		}}
		c.Main(f.line("-h"))
		for _, flag := range f.flags {
			have := parsed[flag.name]
			if have == nil {
				t.Errorf("%s does not parse -%s", f.key(), flag.name)
				continue
			}
			delete(parsed, flag.name)
			isSwitch, _ := have.Value.(interface{ IsBoolFlag() bool })
			if (isSwitch != nil && isSwitch.IsBoolFlag()) != (flag.takes == aSwitch) {
				t.Errorf("%s: -%s takes something else", f.key(), flag.name)
			}
			if have.DefValue != "" && flag.takes != aSwitch && !slices.Contains(flag.values, have.DefValue) {
				t.Errorf("%s: -%s: the table has no %q", f.key(), flag.name, have.DefValue)
			}
		}
		for name := range parsed {
			t.Errorf("%s: the table has no -%s", f.key(), name)
		}
	}
	var commands []string
	for _, s := range subcommands {
		commands = append(commands, s.name)
	}
	if !slices.Equal(names, commands) {
		t.Errorf("the table has %q and the command %q", names, commands)
	}
}

// TestFormsRefuseRepetition: no flag of any form can be given twice.
func TestFormsRefuseRepetition(t *testing.T) {
	for _, f := range forms() {
		for _, flag := range f.flags {
			var args []string
			for range 2 {
				args = append(args, "-"+flag.name)
				if flag.takesValue() {
					args = append(args, "x")
				}
			}
			var errs bytes.Buffer
			c := &Command{Stdout: io.Discard, Stderr: &errs}
			status := c.Main(f.line(args...))
			want := exitTrouble
			if f.name == "" {
				want = exitRefused
			}
			if status != want || !strings.HasPrefix(errs.String(), "caprun: flag given more than once: -"+flag.name+"\n") {
				t.Errorf("%s: status %d, %s", f.key(), status, errs.String())
			}
		}
	}
}

// line returns the arguments for the form.
func (f form) line(args ...string) []string {
	if f.name == "" {
		return args
	}
	return append([]string{f.name}, args...)
}

// TestFormsChoices holds the words of the table to those that a wrong word is
// answered with.
func TestFormsChoices(t *testing.T) {
	choices := 0
	list := func(t *testing.T, args []string) []string {
		t.Helper()
		var stderr bytes.Buffer
		c := &Command{Stdout: io.Discard, Stderr: &stderr}
		if status := c.Main(args); status != exitTrouble {
			t.Errorf("%q: the status is %d", args, status)
		}
		message, _, _ := strings.Cut(stderr.String(), "\n")
		_, words, ok := strings.Cut(message, `"nosuchword": `)
		if !ok {
			t.Errorf("%q: %s", args, message)
		}
		return strings.Split(strings.Replace(words, " or ", ", ", 1), ", ")
	}
	for _, f := range forms() {
		for _, flag := range f.flags {
			if flag.takes != aChoice {
				continue
			}
			choices++
			// -pid lets verify come as far as the word.
			args := f.line("-" + flag.name + "=nosuchword")
			if slices.ContainsFunc(f.flags, func(flag formFlag) bool { return flag.name == "pid" }) {
				args = append(args, "-pid=1")
			}
			if got := list(t, args); !slices.Equal(got, flag.values) {
				t.Errorf("%s: -%s is %q in the table, and %q are taken", f.key(), flag.name, flag.values, got)
			}
		}
		for _, p := range f.operands {
			if p.takes != aChoice {
				continue
			}
			choices++
			if got := list(t, f.line("nosuchword")); !slices.Equal(got, p.values) {
				t.Errorf("%s is for %q in the table, and for %q", f.key(), p.values, got)
			}
		}
	}
	if choices < 8 {
		t.Errorf("only %d choices were found", choices)
	}
}

// TestFormsSuggestions: what is offered where other words are possible is
// taken, and the newest kernel is offered.
func TestFormsSuggestions(t *testing.T) {
	for _, f := range forms() {
		for _, flag := range f.flags {
			if flag.takes != usually {
				continue
			}
			for _, word := range flag.values {
				var err error
				switch flag.name {
				case "kernel":
					_, err = engine.ParseKernel(word)
				case "as":
					if word != "current" {
						_, err = engine.ParseStart(word)
					}
				default:
					t.Errorf("what does -%s take?", flag.name)
				}
				if err != nil {
					t.Error(err)
				}
			}
			if flag.name == "kernel" && flag.values[len(flag.values)-1] != engine.LatestKernel().String() {
				t.Errorf("the last kernel is %s and not %v", flag.values[len(flag.values)-1], engine.LatestKernel())
			}
		}
	}
}

// TestFormsInUsage: the usage text has every form and flag of the table, and no
// other.
func TestFormsInUsage(t *testing.T) {
	text, _, ok := strings.Cut(usage, "\nExample:\n")
	if !ok {
		t.Fatal("no example")
	}
	synopsis, _, _ := strings.Cut(text, "\n\n")
	ofForm := map[string]string{} // by name: the lines of the synopsis
	form := ""
	for line := range strings.Lines(synopsis) {
		if _, rest, ok := strings.Cut(line, " caprun "); ok {
			// Forms without flags share a line.
			for part := range strings.SplitSeq(rest, " | ") {
				form = ""
				if name, _, _ := strings.Cut(strings.TrimSpace(part), " "); name[0] != '[' && name[0] != '-' {
					form = name
				}
				ofForm[form] += part
			}
		} else {
			ofForm[form] += line
		}
	}
	all := map[string]bool{}
	for _, f := range forms() {
		lines, ok := ofForm[f.name]
		if !ok {
			t.Errorf("the synopsis has no %s", f.key())
		}
		delete(ofForm, f.name)
		of := map[string]bool{}
		for _, flag := range f.flags {
			of[flag.name], all[flag.name] = true, true
			words := regexp.MustCompile(`-` + flag.name + ` ([a-z|]+)\b`).FindStringSubmatch(lines)
			if flag.takes == aChoice && words != nil && words[1] != strings.Join(flag.values, "|") {
				t.Errorf("the synopsis of %s: -%s %s", f.key(), flag.name, words[1])
			}
		}
		for _, name := range flagsIn(lines) {
			if !of[name] {
				t.Errorf("the synopsis of %s has -%s", f.key(), name)
			}
		}
	}
	for name := range ofForm {
		t.Errorf("the synopsis has %s", name)
	}
	found := flagsIn(text)
	for name := range all {
		if !slices.Contains(found, name) {
			t.Errorf("the usage text has no -%s", name)
		}
	}
	for _, name := range found {
		if !all[name] {
			t.Errorf("the usage text has -%s", name)
		}
	}
}

func flagsIn(text string) []string {
	var names []string
	for _, match := range regexp.MustCompile(`(?m)(?:^|[ \[(])--?([a-z][a-z-]*)`).FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return names
}

// TestFormsAbout: a description fits where a menu shows it.
func TestFormsAbout(t *testing.T) {
	hold := func(about string) {
		if about == "" || len(about) > 60 || strings.ContainsAny(about, "\n\t") || strings.HasSuffix(about, ".") {
			t.Errorf("%q", about)
		}
	}
	for _, f := range forms() {
		hold(f.about)
		for _, flag := range f.flags {
			hold(flag.about)
		}
		for _, p := range f.operands {
			hold(p.about)
		}
	}
}
