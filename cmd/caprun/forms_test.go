package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/internal/render"
)

// line returns a command line of the form.
func (f *form) line(args ...string) []string {
	if f.name == "" {
		return args
	}
	return append([]string{f.name}, args...)
}

// example returns a valid value of a flag or an operand.
func example(takes kind, words []string) string {
	switch takes {
	case aSwitch:
		return "true"
	case aChoice, aSuggestion:
		return words[0]
	case aProcess:
		return "1"
	}
	return "x"
}

// run runs caprun in this process, and returns its output.
func run(args ...string) (status int, stdout, stderr string) {
	var out, messages bytes.Buffer
	c := &Command{Env: render.Env{Stdout: &out, Stderr: &messages}}
	status = c.Main(args)
	return status, out.String(), messages.String()
}

// TestForms: the declaration of each form is complete, and can be parsed.
func TestForms(t *testing.T) {
	names := map[string]bool{}
	for _, f := range forms() {
		if names[f.name] || f.run == nil {
			t.Errorf("%s is a duplicate, or has no run function", f.key())
		}
		names[f.name] = true
		if found, args, err := findForm(f.line("-x")); err != nil || found.name != f.name || len(args) != 1 {
			t.Errorf("%s is found as %s with %q", f.key(), found.key(), args)
		}
		for _, flag := range f.flags {
			if flag.takesValue() != (flag.metavar != "") {
				t.Errorf("%s: -%s has a value without a name, or a name without a value", f.key(), flag.name)
			}
			if flag.def != "" && !slices.Contains(flag.words, flag.def) {
				t.Errorf("%s: completion does not offer the default %q of -%s", f.key(), flag.def, flag.name)
			}
			for _, word := range append([]string{example(flag.takes, flag.words)}, flag.words...) {
				if err := flag.Set(word); err != nil {
					t.Errorf("%s: %v", f.key(), err)
				}
				flag.given = false
			}
		}
		for n, p := range f.operands {
			last := n == len(f.operands)-1
			if p.metavar == "" || p.many && !last || p.optional && !last && !f.operands[n+1].optional {
				t.Errorf("%s: operand %d", f.key(), n+1)
			}
		}
	}
}

// TestFormsRefuse: each form refuses invalid arguments with one line that names the form,
// before it does anything.
func TestFormsRefuse(t *testing.T) {
	for _, f := range forms() {
		refuse := func(what string, args ...string) {
			t.Helper()
			status, stdout, stderr := run(f.line(args...)...)
			place := "caprun: "
			if f.name != "" {
				place += f.name + ": "
			}
			if want := place + what + "; see " + f.command() + " -h\n"; status != f.failure() || stdout != "" || stderr != want {
				t.Errorf("%q: status %d, output %q, message %q, want %q", f.line(args...), status, stdout, stderr, want)
			}
		}
		var required, operands []string
		for _, flag := range f.flags {
			if flag.required {
				required = append(required, "-"+flag.name+"="+example(flag.takes, flag.words))
			}
		}
		for _, flag := range f.flags {
			set := "-" + flag.name + "=" + example(flag.takes, flag.words)
			if !flag.repeated {
				refuse("flag given more than once: -"+flag.name, set, "-"+set)
			}
			switch flag.takes {
			case aSwitch:
				refuse("-"+flag.name+`: invalid value "nosuchword": want true or false`, "-"+flag.name+"=nosuchword")
				continue
			case aChoice:
				refuse("-"+flag.name+": unknown "+strings.ToLower(flag.metavar)+` "nosuchword": want `+alternatives(flag.words), "-"+flag.name+"=nosuchword")
			case aProfile, aFile:
				refuse("-"+flag.name+": the value is empty", "-"+flag.name, "")
			case aProcess:
				refuse("-"+flag.name+`: invalid process ID "-1"`, "-"+flag.name, "-1")
			}
			refuse("flag needs an argument: -"+flag.name, "-"+flag.name)
			if flag.required {
				refuse("flag -"+flag.name+" is required", "--")
			}
		}
		for _, p := range f.operands {
			if !p.optional {
				missing := "missing " + p.metavar
				if p.takes == aChoice {
					missing += ": want " + alternatives(p.words)
				}
				refuse(missing, slices.Concat(required, operands)...)
			}
			if p.takes == aChoice {
				refuse("unknown "+strings.ToLower(p.metavar)+` "nosuchword": want `+alternatives(p.words), slices.Concat(required, operands, []string{"nosuchword"})...)
			}
			operands = append(operands, example(p.takes, p.words))
		}
		if n := len(f.operands); n == 0 || !f.operands[n-1].many {
			refuse(`unexpected argument "more"`, slices.Concat(required, operands, []string{"more"})...)
			refuse(`unexpected argument "-more"; flags come before the other arguments`, slices.Concat(required, []string{"--"}, operands, []string{"-more"})...)
		}
		refuse("flag provided but not defined: -nosuchflag", "-nosuchflag")
	}
}

// TestFormsHelp: the help of a form fits on a terminal and has exactly its flags; the
// usage text has every form.
func TestFormsHelp(t *testing.T) {
	printed := func(args ...string) string {
		t.Helper()
		status, stdout, stderr := run(args...)
		if status != exitOK || stderr != "" {
			t.Errorf("%q: status %d, %s", args, status, stderr)
		}
		for line := range strings.Lines(stdout) {
			if line = strings.TrimSuffix(line, "\n"); len(line) > helpWidth || strings.HasSuffix(line, " ") {
				t.Errorf("%q: %q", args, line)
			}
		}
		return stdout
	}
	whole := printed("help")
	for _, f := range forms() {
		help := printed(f.line("-h")...)
		if f.name == "" {
			if help != whole {
				t.Error("-h and help differ")
			}
			continue
		}
		if other := printed("help", f.name); other != help {
			t.Errorf("%s -h and help %[1]s differ", f.name)
		}
		var flags []string
		for _, match := range regexp.MustCompile(`(?m)^    -([a-z-]+)`).FindAllStringSubmatch(help, -1) {
			flags = append(flags, match[1])
		}
		if !slices.EqualFunc(flags, f.flags, func(name string, flag *formFlag) bool { return name == flag.name }) {
			t.Errorf("the help of %s has the flags %q", f.name, flags)
		}
		if !strings.HasPrefix(help, "Usage:\n"+f.synopsis()) || !strings.Contains(whole, "\n"+f.synopsis()) || !strings.Contains(whole, f.flagHelp()) {
			t.Errorf("the help of %s is\n%s", f.name, help)
		}
	}
	// Help that cannot be written is an error.
	for args, want := range map[string]int{"-h": exitRefused, "check -h": exitError, "help": exitError} {
		c := &Command{Env: render.Env{Stdout: brokenWriter{}, Stderr: io.Discard}}
		if status := c.Main(strings.Fields(args)); status != want {
			t.Errorf("caprun %s: status %d without output", args, status)
		}
	}
}

// TestFormsHelpOfProgram: -h after a program is an argument of the program. After another
// operand it asks for help.
func TestFormsHelpOfProgram(t *testing.T) {
	for n := range forms() {
		for _, help := range []string{"-h", "--help"} {
			f := forms()[n]
			var args []string
			for _, flag := range f.flags {
				if flag.required {
					args = append(args, "-"+flag.name+"="+example(flag.takes, flag.words))
				}
			}
			args = append(args, "psql", help, "localhost")
			operands, err := f.parse(args)
			if program := f.name == "" || f.name == "learn"; program != slices.Equal(operands, []string{"psql", help, "localhost"}) || program != (err == nil) || !program && !errors.Is(err, flag.ErrHelp) {
				t.Errorf("%s %q: operands %q, %v", f.key(), args, operands, err)
			}
		}
	}
}

// TestNoArguments: caprun without arguments says how to begin, and fails.
func TestNoArguments(t *testing.T) {
	status, stdout, stderr := run()
	if status != exitRefused || stdout != "" || !strings.HasPrefix(stderr, "caprun: no arguments") || strings.Count(stderr, "\n") > 10 || !strings.HasSuffix(stderr, "\n") {
		t.Errorf("status %d, output %q\n%s", status, stdout, stderr)
	}
	for line := range strings.Lines(stderr) {
		if len(line) > helpWidth+1 {
			t.Errorf("%q", line)
		}
		word, ok := strings.CutPrefix(line, "    caprun ")
		if !ok {
			continue
		}
		if f, _, err := findForm(strings.Fields(word)); err != nil {
			t.Errorf("%s: %s, %v", line, f.key(), err)
		}
	}
}

// brokenWriter is a writer that fails.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

// TestFormsStore: a flag sets the variable of its form, and not that of another form with
// the same name.
func TestFormsStore(t *testing.T) {
	var word string
	var on bool
	f := &form{name: "x", flags: []*formFlag{
		{name: "word", value: oneOf(&word, "word", "b", choice[string]{"a", "A"}, choice[string]{"b", "B"})},
		{name: "on", value: isSet(&on)},
	}, operands: []operand{{metavar: "REST", many: true}}}
	if word != "B" || on {
		t.Errorf("the defaults are %q and %v", word, on)
	}
	operands, err := f.parse([]string{"--word", "a", "-on", "x", "-on"})
	if err != nil || word != "A" || !on || !slices.Equal(operands, []string{"x", "-on"}) {
		t.Errorf("%q, %v, %q, %v", word, on, operands, err)
	}
	if _, err := launchForm().parse([]string{"-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	first := checkForm()
	if _, err := first.parse([]string{"-host", "x"}); err != nil {
		t.Error(err)
	}
	if _, err := checkForm().parse([]string{"-host", "x"}); err != nil {
		t.Error(err)
	}
}

// TestFormsSuggestions: completion offers the newest kernel, and valid words for -as.
// TestForms tries the other words.
func TestFormsSuggestions(t *testing.T) {
	kernels := kernelFlag(new(*engine.Kernel)).words
	if last := kernels[len(kernels)-1]; last != engine.LatestKernel().String() {
		t.Errorf("the last kernel is %s, not %v", last, engine.LatestKernel())
	}
	for _, word := range asFlag(new(string)).words {
		if word == "current" {
			continue
		}
		if _, err := engine.ParseCaller(word); err != nil {
			t.Error(err)
		}
	}
}

// TestFormsAbout: a description is short enough for a menu.
func TestFormsAbout(t *testing.T) {
	check := func(about string) {
		if about == "" || len(about) > 60 || strings.ContainsAny(about, "\n\t") || strings.HasSuffix(about, ".") {
			t.Errorf("%q", about)
		}
	}
	for _, f := range forms() {
		check(f.about)
		for _, flag := range f.flags {
			check(flag.about)
		}
		for _, p := range f.operands {
			check(p.about)
		}
	}
}
