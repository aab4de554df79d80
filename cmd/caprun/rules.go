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
		name: "rules", about: "list the rules of check, or print the page of one",
		flags:    []*formFlag{formatFlag(&json)},
		operands: []operand{{metavar: "NAME", takes: aRule, optional: true, about: "rule"}},
		status:   "Exit status: 0 success, 2 usage error or unknown rule.",
		run:      func(c *Command, names []string) int { return c.rules(json, names) },
	}
}

// rules lists the rules of check, or prints the page of the one in names.
func (c *Command) rules(json bool, names []string) int {
	selected := review.Rules()
	if len(names) == 1 {
		rule, err := findRule(selected, names[0])
		if err != nil {
			return c.fail(err)
		}
		selected = []policy.Rule{rule}
	}
	var err error
	switch {
	case json:
		err = render.RulesJSON(c.Stdout, selected)
	case len(names) == 1:
		page, _ := pages.Page(selected[0].Name)
		_, err = io.WriteString(c.Stdout, page)
	default:
		err = render.Rules(c.Stdout, selected)
	}
	if err != nil {
		return c.fail(err)
	}
	return exitOK
}

// findRule returns the rule with a name.
func findRule(all []policy.Rule, name string) (policy.Rule, error) {
	var names []string
	for _, r := range all {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	hint := "caprun rules lists all rules"
	if near := policy.Suggest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return policy.Rule{}, fmt.Errorf("unknown rule %q; %s", shorten(name), hint)
}

// shorten bounds the length of an argument that a message quotes.
func shorten(word string) string {
	const most = 60
	if r := []rune(word); len(r) > most {
		return string(r[:most]) + "..."
	}
	return word
}
