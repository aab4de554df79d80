package systemd

import (
	"path"
	"strings"
	"unicode/utf8"

	"caprun/platform/declared"
)

// maxCommands is the largest number of commands of a unit.
const maxCommands = 256

// A command is one command of an Exec line.
type command struct {
	from *assignment
	word word // the first one, in the value of from

	prefixes string // as written
	path     string // absolute, or a name to search
	args     []string
	argv0    string // with the prefix @
	unknown  string // a specifier in the words, such as "%h"

	literal     bool // with the prefix ':'
	shell       bool // with '|', which systemd 252 does not have
	privileged  bool // with '+'
	keepsUser   bool // with '!'
	ignoresFail bool // with '-'
}

// readCommands is config_parse_exec of systemd. It refuses what systemd refuses to load.
func (u *unit) readCommands(a *assignment) (list []command) {
	for at := 0; ; {
		c, next, ok := u.readCommand(a, at)
		if !ok {
			return list
		}
		if c.path != "" || c.unknown != "" {
			list = append(list, c)
		}
		if at = next; at == 0 {
			return list
		}
	}
}

// readCommand reads one command. next is the offset of the next one after a lone
// semicolon, or 0.
func (u *unit) readCommand(a *assignment, from int) (c command, next int, ok bool) {
	c.from = a
	w, at, ok, err := commandWord(a, from)
	if err != nil {
		u.found.add(declared.Ignored, a.source(), "close the quotes", "systemd ignores the command: %s", err)
	}
	if !ok || err != nil {
		return c, 0, false
	}
	if w.text == ";" {
		return c, at, true
	}
	c.word = w
	if why := c.readPath(u.name, c.readPrefixes(w.text)); why != "" {
		return c, 0, u.reject(c, "write an absolute path", why)
	}
	separate := strings.Contains(c.prefixes, "@")
	for at < len(a.value) {
		if s := a.value[at:]; s[0] == ';' && (len(s) == 1 || isWhite(s[1])) {
			for at++; at < len(a.value) && isWhite(a.value[at]); at++ {
			}
			next = at
			break
		}
		if s := a.value[at:]; strings.HasPrefix(s, `\;`) && (len(s) == 2 || isWhite(s[2])) {
			for at += 2; at < len(a.value) && isWhite(a.value[at]); at++ {
			}
			c.args = append(c.args, ";")
			continue
		}
		w, after, ok, err := commandWord(a, at)
		if err != nil {
			return c, 0, u.reject(c, "close the quotes", err.Error())
		}
		if at = after; !ok {
			break
		}
		text, unknown := u.name.expand(w.text)
		if unknown != "" && c.unknown == "" {
			c.unknown = unknown
		}
		c.args = append(c.args, text)
	}
	if separate {
		if len(c.args) == 0 {
			return c, 0, u.reject(c, "write the name of the program after its path", "no zeroth argument after the prefix '@'")
		}
		c.argv0, c.args = c.args[0], c.args[1:]
	}
	return c, next, true
}

func isWhite(c byte) bool { return c == ' ' || c == '\t' }

// commandWord reads a word; an unknown escape stands for itself.
func commandWord(a *assignment, from int) (w word, next int, ok bool, err error) {
	if w, next, ok, err = nextWord(a.value, from, unquote|unescape); err != nil {
		w, next, ok, err = nextWord(a.value, from, unquote|unescape|relaxed)
	}
	return w, next, ok, err
}

// reject refuses a command, or after the prefix '-' reports that systemd ignores it and what
// follows on the line. It returns false.
func (u *unit) reject(c command, hint, why string) bool {
	if c.ignoresFail {
		u.found.add(declared.Ignored, c.source(), hint, "systemd ignores the command: %s", why)
	} else {
		u.refuse(c.source(), hint, "%s", why)
	}
	return false
}

// readPrefixes reads the prefixes of a path and returns the rest.
func (c *command) readPrefixes(s string) string {
	n := 0
	ambient, separate := false, false
scan:
	for ; n < len(s); n++ {
		switch p := s[n]; {
		case p == '-' && !c.ignoresFail:
			c.ignoresFail = true
		case p == '@' && !separate:
			separate = true
		case p == ':' && !c.literal:
			c.literal = true
		case p == '|' && !c.shell:
			c.shell = true
		case p == '+' && !c.privileged && !c.keepsUser && !ambient:
			c.privileged = true
		case p == '!' && !c.privileged && !c.keepsUser && !ambient:
			c.keepsUser = true
		case p == '!' && !c.privileged && !ambient:
			// '!!' is '!' only on kernels without ambient capabilities.
			c.keepsUser, ambient = false, true
		default:
			break scan
		}
	}
	c.prefixes = s[:n]
	return s[n:]
}

// readPath reads the path of the program. why says why systemd does not accept it.
func (c *command) readPath(name unitName, text string) (why string) {
	text, c.unknown = name.expand(text)
	if c.unknown != "" {
		return ""
	}
	switch {
	case text == "":
		return "no program"
	case strings.ContainsFunc(text, isControl) || !utf8.ValidString(text) || strings.ContainsAny(text, `"'\`):
		return "the path of the program has special characters"
	case strings.HasSuffix(text, "/"), text == ".", text == "..":
		return "the program is a directory"
	case text[0] != '/' && strings.Contains(text, "/"):
		return "the path of the program is not absolute"
	}
	c.path = text
	if text[0] == '/' {
		c.path = path.Clean(text)
	}
	return ""
}

// source returns the line of the command, with the position of the program.
func (c *command) source() declared.Source { return c.from.word(c.word.offset, c.word.length) }

// name returns the name of the program.
func (c *command) name() string { return path.Base(c.path) }
