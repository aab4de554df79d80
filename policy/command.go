package policy

import (
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	commandKind = listKind{
		what:  "command",
		limit: maxArguments,
		fix: func(word string) string {
			// With quotes, variables and the like a shell was meant to split it.
			if strings.ContainsAny(word, shellSyntax) {
				return ""
			}
			return inList(word)
		},
		// A variable before a command is syntax of a shell, too. The signs are prefixes in
		// units of systemd.
		valid: func(items []string) bool {
			return !strings.Contains(items[0], "=") && strings.IndexAny(strings.TrimPrefix(items[0], `"`), "-+@:") != 0
		},
		hint: "write the program and each argument as an item of a list, for example [/bin/sh, -c, \"echo a b\"]",
	}
	programKind  = textKind{what: "the program", hint: "write the path of a program"}
	argumentKind = textKind{what: "an argument", hint: "write text"}
)

const shellSyntax = "\"'`\\$&|;<>()*?[]{}~#!"

func (r *reader) readCommand(f field) {
	items, ok := r.items(f.value, commandKind)
	if !ok {
		return
	}
	if len(items) == 0 {
		r.reportAt(f.value, badCommand, "write the program and its arguments, or remove the key", "command is empty")
		return
	}
	command := make([]string, 0, len(items))
	for i, n := range items {
		k := argumentKind
		if i == 0 {
			k = programKind
		}
		s, ok := r.argument(n, k)
		if !ok {
			continue
		}
		if i == 0 && s == "" {
			r.reportAt(n, badCommand, programKind.hint, "the program is empty")
		}
		r.place(item(f.path, i), nil, n)
		command = append(command, s)
	}
	r.profile.Command = command
}

// argument is text for what the kernel takes as one string of a program's
// arguments or environment.
func (r *reader) argument(n *yaml.Node, k textKind) (s string, ok bool) {
	s, ok = r.text(n, k)
	if ok && len(s) > maxArgumentLength {
		r.reportAt(n, tooLong, "let the program read it from a file", "%s is %d bytes; the limit is %d", k.what, len(s), maxArgumentLength)
		return "", false
	}
	return s, ok
}
