package main

import (
	"fmt"
	"io"

	pages "caprun/docs/rules"
	"caprun/engine/review"
	"caprun/internal/render"
	"caprun/policy"
)

// rules lists what check finds, or prints the page of one rule.
func (c *Command) rules(args []string) int {
	f := flags("rules")
	format := f.String("format", "human", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	switch {
	case !humanOrJSON(*format):
		return c.usageError(fmt.Sprintf("-format %q: human or json", *format), usage, exitTrouble)
	case f.NArg() > 1:
		return c.usageError("rules takes at most one name", usage, exitTrouble)
	}
	asked := review.Rules()
	if f.NArg() == 1 {
		one, err := findRule(asked, f.Arg(0))
		if err != nil {
			return c.trouble(err)
		}
		asked = []policy.Rule{one}
	}
	var err error
	switch {
	case *format == "json":
		err = render.RulesJSON(c.Stdout, asked)
	case f.NArg() == 1:
		page, _ := pages.Page(asked[0].Name)
		_, err = io.WriteString(c.Stdout, page)
	default:
		err = render.Rules(c.Stdout, asked)
	}
	if err != nil {
		return c.trouble(err)
	}
	return exitOK
}

// findRule returns the rule of a name.
func findRule(all []policy.Rule, name string) (policy.Rule, error) {
	var names []string
	for _, r := range all {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	hint := "caprun rules lists them"
	if near := policy.Suggest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return policy.Rule{}, fmt.Errorf("there is no rule %q; %s", shorten(name), hint)
}

// shorten keeps what a message repeats of an argument to a line.
func shorten(word string) string {
	const most = 60
	if r := []rune(word); len(r) > most {
		return string(r[:most]) + "..."
	}
	return word
}
