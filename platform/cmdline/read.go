package cmdline

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/words"
	"caprun/policy"
)

// MaxSize is the largest length of a command line in bytes: MAX_ARG_STRLEN of the kernel,
// which is the longest argument of sh -c.
const MaxSize = 128 << 10

// Read returns the process that a command line starts. The engine is the one behind the
// command docker.
func Read(f declared.File, engine containers.Engine) declared.Result {
	l, found := split(f)
	if found != nil {
		return declared.Result{Findings: []policy.Diagnostic{*found}}
	}
	p, found := l.process(engine)
	if found != nil {
		return declared.Result{Findings: []policy.Diagnostic{*found}}
	}
	return declared.NewResult([]*declared.Process{p}, declared.Findings{})
}

// A word is a word of the command line with its position.
type word struct {
	words.Word
	at declared.Source
}

// line is a command line.
type line struct {
	file  declared.File
	words []word
}

// split returns the words of a file.
func split(f declared.File) (l line, found *policy.Diagnostic) {
	l.file = f
	text := string(f.Text)
	if len(text) > MaxSize {
		return l, l.syntax(0, "", "the command line exceeds %d KiB", MaxSize>>10)
	}
	for at, c := range text {
		if _, size := utf8.DecodeRuneInString(text[at:]); c == utf8.RuneError && size == 1 {
			return l, l.syntax(at, "save the file as UTF-8", "a byte is not UTF-8")
		}
		if c < ' ' && c != '\t' && c != '\n' && (c != '\r' || !strings.HasPrefix(text[at:], "\r\n")) || c >= 0x7f && c < 0xa0 {
			return l, l.syntax(at, "remove it", "a control character is not allowed")
		}
	}
	list, err := words.Split(text)
	var bad *words.Error
	if errors.As(err, &bad) {
		return l, l.syntax(bad.At, "name a file with one command", "%s", bad.Problem)
	}
	for _, w := range list {
		l.words = append(l.words, word{w, declared.Source{File: f.Name, Position: l.position(w.From, w.To), Text: text[w.From:w.To]}})
	}
	if len(l.words) == 0 {
		return l, l.syntax(0, "write a command line of setpriv, capsh, docker or podman", "no command is declared")
	}
	return l, nil
}

// syntax returns a finding about a byte of the file.
func (l *line) syntax(at int, hint, format string, args ...any) *policy.Diagnostic {
	d := declared.Syntax.Diagnostic(declared.Source{File: l.file.Name, Position: l.position(at, min(at+1, len(l.file.Text)))}, hint, fmt.Sprintf(format, args...))
	return &d
}

// position returns the position of the bytes of the file.
func (l *line) position(from, to int) policy.Position {
	line, column := place(l.file.Text, from)
	endLine, endColumn := place(l.file.Text, to)
	return policy.Position{Line: line, Column: column, EndLine: endLine, EndColumn: endColumn}
}

// place returns the line and the column of a byte.
func place(text []byte, at int) (line, column int) {
	before := text[:min(at, len(text))]
	begin := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[begin:]) + 1
}

// command is a command that starts a process: its words, and the process.
type command struct {
	containers.Draft
	name string
	args []word
}

// process reads the command.
func (l *line) process(engine containers.Engine) (*declared.Process, *policy.Diagnostic) {
	list := l.words
	for len(list) > 0 && (list[0].Text == "exec" || list[0].Text == "sudo" || isAssignment(list[0])) {
		list = list[1:]
	}
	if len(list) == 0 {
		return nil, l.syntax(0, "", "no command is declared")
	}
	name := path.Base(list[0].Text)
	c := &command{name: name, args: list[1:], Draft: containers.Draft{Process: &declared.Process{Name: name, At: list[0].at}}}
	for _, w := range l.words[:len(l.words)-len(list)] {
		if w.Text == "sudo" {
			c.AddLoss(w.at, "sudo changes the environment")
		}
	}
	var err *problem
	switch name {
	case "setpriv":
		err = c.setpriv(l.words[:len(l.words)-len(list)])
	case "capsh":
		err = c.capsh(l.words[:len(l.words)-len(list)])
	case "docker":
		if engine != containers.Podman {
			engine = containers.Docker
		}
		err = c.run(engine)
	case "podman":
		err = c.run(containers.Podman)
	default:
		err = &problem{list[0], "write a command line of setpriv, capsh, docker or podman", "unknown command " + quote(list[0].Text)}
	}
	if err != nil {
		d := declared.Syntax.Diagnostic(err.word.at, err.hint, err.message)
		return nil, &d
	}
	return c.Process, nil
}

// problem is a word because of which a command cannot be read.
type problem struct {
	word          word
	hint, message string
}

// isAssignment reports whether a word sets a variable for a command.
func isAssignment(w word) bool {
	name, _, ok := strings.Cut(w.Text, "=")
	return ok && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == "" && !strings.Contains("0123456789", name[:1])
}

// assignments declares the variables before a command that passes on its environment.
func (c *command) assignments(list []word) {
	c.ClearEnv().KeepAll = true
	c.Profile.Env.Keep = nil
	for _, w := range list {
		name, value, _ := strings.Cut(w.Text, "=")
		switch {
		case !isAssignment(w):
		case w.Expands:
			c.AddLoss(w.at, "the variable %s has the value of a variable", containers.Short(name))
		default:
			c.SetEnv(name, value, w.at)
		}
	}
	if len(c.Profile.Env.Set) == 0 {
		c.Profile.Env = nil
	}
}

// target declares the program and its arguments.
func (c *command) target(list []word) {
	var texts []string
	for _, w := range list {
		if w.Expands {
			c.AddLoss(w.at, "the command has a word that a shell expands: %s", containers.Short(w.Text))
			return
		}
		texts = append(texts, w.Text)
	}
	if len(list) > 0 {
		c.Command(texts, list[0].at)
	}
}

func quote(s string) string { return fmt.Sprintf("%q", containers.Short(s)) }
