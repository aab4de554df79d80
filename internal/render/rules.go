package render

import (
	"fmt"
	"io"
	"strings"

	pages "caprun/docs/rules"
	"caprun/policy"
)

// Rules prints rules in a table that is 80 columns wide.
func Rules(w io.Writer, rules []policy.Rule) error {
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

// RulesJSON prints rules for programs.
func RulesJSON(w io.Writer, rules []policy.Rule) error { return JSON(w, newJSONRules(rules)) }

func newJSONRules(rules []policy.Rule) jsonRules {
	j := jsonRules{Version: FormatVersion, Rules: []jsonRule{}}
	for _, r := range rules {
		page, _ := pages.Page(r.Name)
		j.Rules = append(j.Rules, jsonRule{r.Name, r.Severity.String(), r.Summary, page})
	}
	return j
}
