package policy

import "gopkg.in/yaml.v3"

func (r *reader) readCommand(f field) {
	items, ok := r.items(f.value, "command", maxArguments)
	if !ok {
		return
	}
	if len(items) == 0 {
		r.reportAt(f.value, badCommand, "write the program and its arguments, or leave the key out", "the command is empty")
		return
	}
	command := make([]string, 0, len(items))
	for i, n := range items {
		what := "an argument"
		if i == 0 {
			what = "the program"
		}
		s, ok := r.argument(n, what)
		if !ok {
			continue
		}
		if i == 0 && s == "" {
			r.reportAt(n, badCommand, "write a path or a name", "the program has an empty name")
		}
		r.place(item(f.path, i), nil, n)
		command = append(command, s)
	}
	r.profile.Command = command
}

// argument is text for what the kernel takes as one string of a program's
// arguments or environment.
func (r *reader) argument(n *yaml.Node, what string) (s string, ok bool) {
	s, ok = r.text(n, what)
	if ok && len(s) > maxArgumentLength {
		r.reportAt(n, tooLong, "let the program read it from a file", "%s has %d bytes; at most %d are passed on", what, len(s), maxArgumentLength)
		return "", false
	}
	return s, ok
}
