package main

import (
	"fmt"
	"strings"

	"caprun/policy"
	"caprun/profiles"
)

// profilesForm is the form that prints the built-in profiles.
func profilesForm() *form {
	return &form{
		name: "profiles", about: "list the built-in profiles, or print one",
		operands: []operand{{metavar: "NAME", takes: aBuiltin, optional: true, about: "name"}},
		run: func(c *Command, names []string) int {
			if len(names) == 0 {
				return c.listProfiles()
			}
			text, err := profiles.Read(strings.TrimPrefix(names[0], "builtin:"))
			if err != nil {
				return c.fail(fmt.Errorf("unknown built-in profile %q: want %s", shorten(names[0]), alternatives(profiles.Names())))
			}
			return c.print(string(text))
		},
	}
}

// listProfiles prints the name and the first sentence of each built-in profile.
func (c *Command) listProfiles() int {
	var b strings.Builder
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			return c.fail(err)
		}
		first := ""
		if p, _ := policy.Parse("builtin:"+name, text); p != nil {
			first, _, _ = strings.Cut(p.Description, ". ")
		}
		fmt.Fprintf(&b, "%-18s %s.\n", name, strings.TrimSuffix(first, "."))
	}
	return c.print(b.String())
}
