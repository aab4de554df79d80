package main

import (
	"strings"

	"caprun/schema"
)

// schemaForm is the form that prints the JSON Schemas.
func schemaForm() *form {
	list := false
	return &form{
		name: "schema", about: "print the JSON Schema of profiles, or of JSON output",
		help:     "NAME is profile (the default), or a command: then the schema describes the output of its -format json.",
		flags:    []*formFlag{{name: "list", about: "list the names of the schemas", value: isSet(&list)}},
		operands: []operand{{metavar: "NAME", takes: aChoice, words: schema.Names(), optional: true, about: "schema"}},
		variant:  &variant{flag: "list"},
		run:      func(c *Command, names []string) int { return c.schema(list, names) },
	}
}

// schema prints the schema in names or that of profiles, or with list the names of all.
func (c *Command) schema(list bool, names []string) int {
	name := "profile"
	switch {
	case list:
		return c.print(strings.Join(schema.Names(), "\n") + "\n")
	case len(names) > 0:
		name = names[0]
	}
	text, _ := schema.Named(name)
	return c.print(string(text))
}
