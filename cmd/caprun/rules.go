package main

import (
	"fmt"
	"io"

	pages "caprun/docs/rules"
	"caprun/engine/review"
	"caprun/internal/render"
	"caprun/policy"
)

// rulesForm is the form that lists the rules, or prints the page of one.
func rulesForm() *form {
	json := false
	return &form{
		name: "rules", about: "list what check finds, or print the page of one rule",
		flags:    []*formFlag{formatFlag(&json)},
		operands: []operand{{metavar: "NAME", takes: aRule, optional: true, about: "rule"}},
		status:   "Exit status: 0, or 2 in case of trouble.",
		run:      func(c *Command, names []string) int { return c.rules(json, names) },
	}
}

// rules lists what check finds, or prints the page of the rule that names has.
func (c *Command) rules(json bool, names []string) int {
	asked := review.Rules()
	if len(names) == 1 {
		one, err := findRule(asked, names[0])
		if err != nil {
			return c.fail(err)
		}
		asked = []policy.Rule{one}
	}
	var err error
	switch {
	case json:
		err = render.RulesJSON(c.Stdout, asked)
	case len(names) == 1:
		page, _ := pages.Page(asked[0].Name)
		_, err = io.WriteString(c.Stdout, page)
	default:
		err = render.Rules(c.Stdout, asked)
	}
	if err != nil {
		return c.fail(err)
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
