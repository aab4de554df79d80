package review

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/policy"
	"caprun/profiles"
)

// TestRisks checks profiles for the rules that speak about them, each where
// it should point.
func TestRisks(t *testing.T) {
	const safe = "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\n"
	for name, c := range map[string]struct {
		text string
		want []string // rule:line:column
	}{
		"safe":                {safe, nil},
		"nothing":             {"version: 1\n", []string{"nothing-declared:1:10", "root-keeps-power:1:10"}},
		"another user":        {"version: 1\nuid: 33\ngid: 33\n", []string{"no-new-privs-missing:1:10", "nothing-declared:1:10"}},
		"uid 0":               {"version: 1\nuid: 0\ngid: 0\ncaps: cap_kill=ep\nno_new_privs: true\n", []string{"root-keeps-power:2:6"}},
		"uid 0, noroot":       {"version: 1\nuid: 0\ngid: 0\ncaps: cap_kill=eip\nsecbits: [noroot]\nno_new_privs: true\n", nil},
		"user root":           {"version: 1\nuser: root\ncaps: cap_kill=ep\nno_new_privs: true\n", []string{"root-keeps-power:2:7"}},
		"wide":                {"version: 1\nuid: 33\ngid: 33\niab: ^cap_kill\n", []string{"no-new-privs-missing:1:10", "bounding-wider:4:6"}},
		"wide, nnp":           {"version: 1\nuid: 33\ngid: 33\niab: ^cap_kill\nno_new_privs: true\n", nil},
		"relative":            {safe + "command: [./x]\n", []string{"relative-command:6:11"}},
		"searched":            {safe + "command: [x]\n", []string{"relative-command:6:11"}},
		"loader variable":     {safe + "env: {keep: [PATH, LD_PRELOAD]}\n", []string{"loader-variable:6:20"}},
		"shell":               {safe + "command: [/bin/bash, -l]\n", []string{"terminal-kept:6:11"}},
		"shell, caps":         {"version: 1\nuid: 0\ngid: 0\nsecbits: [noroot]\ncaps: \"=\"\nno_new_privs: true\ncommand: [/bin/sh]\n", []string{"terminal-kept:7:11"}},
		"shell in a shell":    {safe + "command: [/bin/busybox, sh]\n", []string{"terminal-kept:6:11"}},
		"script, interactive": {safe + "command: [/bin/sh, -i, script]\n", []string{"terminal-kept:6:11"}},
		"editor":              {safe + "command: [/usr/bin/vim, file]\n", []string{"terminal-kept:6:11"}},
		"script":              {safe + "command: [/bin/sh, script]\n", nil},
		"text of a script":    {safe + "command: [/bin/sh, -c, exec x]\n", nil},
		"server":              {safe + "command: [/bin/server]\n", nil},
		"shell, new session":  {safe + "command: [/bin/bash]\nnew_session: true\n", nil},
		"shell with the same": {"version: 1\niab: ''\nno_new_privs: true\ncommand: [/bin/bash]\n", []string{"root-keeps-power:1:10"}},
		"unreachable":         {"version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=ep\n", []string{"unreachable-caps:4:7"}},
	} {
		var got []string
		for _, d := range Check(name, []byte(c.text), Options{}).Findings {
			got = append(got, d.Rule+":"+d.Position.String())
			if d.Hint == "" {
				t.Errorf("%s: %v has no hint", name, d)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestShippedProfilesAreClean(t *testing.T) {
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		found := Check(name, text, Options{}).Findings
		for _, d := range found {
			rules = append(rules, d.Rule)
		}
		// What is found in pure1e is what it is for, and its comment says so.
		want := map[string][]string{"pure1e": {"no-new-privs-missing", "bounding-wider"}}[name]
		if !slices.Equal(rules, want) {
			t.Errorf("%v", found)
		}
		if p, _ := policy.Parse(name, text); p.Name != name || len(p.Description) < 60 {
			t.Errorf("%s: its name is %q, its description %q", name, p.Name, p.Description)
		}
	}
}

func TestRules(t *testing.T) {
	rules := Rules()
	// A sentence that a table can hold, with a capital unless it begins with a key.
	sentence := regexp.MustCompile(`^([A-Z]|[a-z_]+ ).{20,118}[^ ,]\.$`)
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	summaries := map[string]string{}
	for n, r := range rules {
		if !kebab.MatchString(r.Name) || n > 0 && rules[n-1].Name >= r.Name {
			t.Errorf("rule %d: %+v", n, r)
		}
		if !sentence.MatchString(r.Summary) || strings.Contains(r.Summary, ". ") {
			t.Errorf("%s: the summary is no sentence: %s", r.Name, r.Summary)
		}
		if other := summaries[r.Summary]; other != "" {
			t.Errorf("%s and %s have one summary", r.Name, other)
		}
		summaries[r.Summary] = r.Name
	}
	// What two packages find is one rule.
	for _, r := range slices.Concat(policy.Rules(), engine.Rules()) {
		if !slices.Contains(rules, r) {
			t.Errorf("another package says something else about %s", r.Name)
		}
	}
}
