package services

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/markdown"
)

var update = flag.Bool("update", false, "write the files of the examples and the results into docs/services.md")

const docs = "../../docs/services.md"

// comparePage compares the page with what it should be, or updates it.
func comparePage(t *testing.T, want func(string) string) {
	t.Helper()
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	have := string(text)
	expected := want(have)
	switch {
	case have == expected:
	case *update:
		if err := os.WriteFile(docs, []byte(expected), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not up to date: run the test with -update\n%s", docs, difference(have, expected))
	}
}

// difference returns the lines of two texts that only one of them has.
func difference(old, new string) string {
	var b strings.Builder
	only := func(mark, text, other string) {
		for line := range strings.Lines(text) {
			if !strings.Contains(other, line) {
				b.WriteString(mark + line)
			}
		}
	}
	only("-", old, new)
	only("+", new, old)
	return b.String()
}

// The headings of the tables that tests write.
const (
	processTable = "| service | process | user | capabilities | findings | `verify` |\n|---|---|---|---|---|---|\n"
	withoutTable = "| service | without | what it or its client prints |\n|---|---|---|\n"
)

// splitTable returns the rows of a table, and the text before and after them.
func splitTable(t *testing.T, page, heading string) (before string, rows []string, after string) {
	t.Helper()
	before, after, found := strings.Cut(page, heading)
	if !found {
		t.Fatalf("%s has no table with the heading\n%s", docs, heading)
	}
	for strings.HasPrefix(after, "|") {
		n := strings.Index(after, "\n") + 1
		rows = append(rows, after[:n])
		after = after[n:]
	}
	return before + heading, rows, after
}

// replaceRows replaces the rows of a service in the table of processes, in the order of
// the services.
func replaceRows(t *testing.T, page, service string, new []string) string {
	before, old, after := splitTable(t, page, processTable)
	var rows []string
	for _, s := range services {
		if s.name == service {
			rows = append(rows, new...)
			continue
		}
		for _, row := range old {
			if strings.HasPrefix(row, fmt.Sprintf("| [%s](", s.name)) {
				rows = append(rows, row)
			}
		}
	}
	return before + strings.Join(rows, "") + after
}

var fileName = regexp.MustCompile(`^# (\w+)\.(yaml|service)\n`)

// TestPage compares the profiles and units in the page with the files, and the table
// of missing capabilities with the services.
func TestPage(t *testing.T) {
	comparePage(t, func(text string) string {
		parts := markdown.Split(text)
		shown := map[string]bool{}
		for n, part := range parts {
			m := fileName.FindStringSubmatch(part.Text)
			if m == nil {
				continue
			}
			file, err := os.ReadFile(filepath.Join(m[1], m[1]+"."+m[2]))
			if err != nil {
				t.Error(err)
				continue
			}
			parts[n].Text = string(file)
			shown[m[1]] = shown[m[1]] || m[2] == "yaml"
		}
		var b strings.Builder
		for _, part := range parts {
			b.WriteString(part.Text)
		}
		before, _, after := splitTable(t, b.String(), withoutTable)
		for _, s := range services {
			if !shown[s.name] {
				t.Errorf("%s does not show the profile of %s", docs, s.name)
			}
			for _, name := range slices.Sorted(maps.Keys(s.without)) {
				before += fmt.Sprintf("| %s | `%s` | `%s` |\n", s.name, name, strings.TrimSpace(s.without[name]))
			}
		}
		return before + after
	})
}
