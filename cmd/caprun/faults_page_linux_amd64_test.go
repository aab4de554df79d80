package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// faultsPage is the page with a summary of each table: see faultCounts.
const faultsPage = "../../docs/faults.md"

// TestFaultsPage compares the summaries in docs/faults.md with the tables.
func TestFaultsPage(t *testing.T) {
	text, err := os.ReadFile(faultsPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	page = replaceSummary(t, page, "testdata/faults.md", "scene", "ended otherwise: killed, or a status of the Go runtime")
	page = replaceSummary(t, page, "testdata/faults_sealed.md", "scene of a sealed launcher", "killed")
	if page == string(text) {
		return
	}
	if !*updateScripts {
		t.Fatalf("%s: a summary is not that of its table; run the test with -update", faultsPage)
	}
	if err := os.WriteFile(faultsPage, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replaceSummary replaces the summary of a table in the page.
func replaceSummary(t *testing.T, page, table, scene, otherwise string) string {
	t.Helper()
	begin := "| " + scene + " | faults |"
	head, rest, found := strings.Cut(page, begin)
	_, tail, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatalf("%s has no summary of %s", faultsPage, table)
	}
	return head + faultCounts(t, table, scene, otherwise) + "\n" + tail
}

// faultCounts returns a summary: for each scene of a table, how many pairs of call and
// fault there are, and their outcomes.
func faultCounts(t *testing.T, table, scene, otherwise string) string {
	t.Helper()
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | faults | target as declared | refused: 125, 126, 127 | %s |\n|---|---|---|---|---|\n", scene, otherwise)
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		name, rows, _ := strings.Cut(section, "\n")
		var all, declared, refused int
		for line := range strings.Lines(rows) {
			fields := strings.SplitN(strings.TrimPrefix(line, "| "), " | ", 3)
			if !strings.HasPrefix(line, "| ") || len(fields) != 3 || fields[0] == "call" {
				continue
			}
			n := len(strings.Split(fields[1], ", "))
			all += n
			switch kindOf(fields[2]) {
			case "125", "126", "127":
				refused += n
			default:
				if strings.HasPrefix(fields[2], asDeclared) {
					declared += n
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", name, all, declared, refused, all-declared-refused)
	}
	return b.String()
}
