package main

import (
	"fmt"
	"io"
	"strings"

	pages "caprun/docs/rules"
	"caprun/engine/review"
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
		err = printJSON(c.Stdout, newJSONRules(asked))
	case f.NArg() == 1:
		page, _ := pages.Page(asked[0].Name)
		_, err = io.WriteString(c.Stdout, page)
	default:
		err = printRules(c.Stdout, asked)
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

// printRules prints a table that is 80 characters wide.
func printRules(w io.Writer, rules []policy.Rule) error {
	longest := 0
	for _, r := range rules {
		longest = max(longest, len(r.Name))
	}
	var b strings.Builder
	for _, r := range rules {
		name, severity := r.Name, r.Severity.String()
		for _, line := range wrap(r.Summary, 80-longest-len("  warning  ")) {
			fmt.Fprintf(&b, "%-*s  %-7s  %s\n", longest, name, severity, line)
			name, severity = "", ""
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// jsonRules is the JSON form of rules.
type jsonRules struct {
	Version int        `json:"version"`
	Rules   []jsonRule `json:"rules"`
}

type jsonRule struct {
	Name     string `json:"name"`
	Severity string `json:"severity"` // error, warning or info
	Summary  string `json:"summary"`
	Help     string `json:"help"` // the page, in Markdown
}

func newJSONRules(rules []policy.Rule) jsonRules {
	j := jsonRules{Version: formatVersion, Rules: []jsonRule{}}
	for _, r := range rules {
		page, _ := pages.Page(r.Name)
		j.Rules = append(j.Rules, jsonRule{r.Name, r.Severity.String(), r.Summary, page})
	}
	return j
}
