package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// faultTable collects the results of the runs.
type faultTable struct {
	file    string // the expected outcomes
	scenes  []faultScene
	results []faultResult
}

// cell returns one statement of the table. The outcomes of the Go runtime vary, so its
// statements are without outcome.
func (r faultResult) cell() string {
	scene := r.scene
	if r.runtime {
		return strings.Join([]string{runtimeScene, r.call, r.fault}, "|")
	}
	return strings.Join([]string{scene, r.call, r.fault, r.outcome}, "|")
}

const runtimeScene = "the Go runtime"

// kindOf returns an outcome without its details.
func kindOf(outcome string) string {
	if len(outcome) > 3 && outcome[3] == ':' {
		return outcome[:3]
	}
	return outcome
}

func (t *faultTable) summary() string {
	counts, sites := map[string]int{}, map[string]bool{}
	for _, r := range t.results {
		counts[kindOf(r.outcome)]++
		sites[fmt.Sprint(r.scene, r.site)] = true
	}
	var parts []string
	for kind, n := range counts {
		parts = append(parts, fmt.Sprintf("%s: %d", kind, n))
	}
	slices.Sort(parts)
	return fmt.Sprintf("%d calls, %d faults: %s", len(sites), len(t.results), strings.Join(parts, ", "))
}

const faultIntro = `# Outcomes of failed system calls

Written by %s: see docs/faults.md.
`

// markdown returns the table: a section for each scene, a row for each call and
// outcome.
func (t *faultTable) markdown(test string) string {
	var b strings.Builder
	fmt.Fprintf(&b, faultIntro, test)
	for _, s := range t.scenes {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", s.name, s.about)
		for line := range strings.Lines(s.profile) {
			b.WriteString("    " + strings.NewReplacer("$DIR", "DIR").Replace(line))
		}
		fmt.Fprintf(&b, "\n")
		writeRows(&b, t.results, func(r faultResult) bool { return r.scene == s.name && !r.runtime })
	}
	if slices.ContainsFunc(t.results, func(r faultResult) bool { return r.runtime }) {
		fmt.Fprintf(&b, "\n## %s\n\nIn all scenes together.\n\n", runtimeScene)
		writeRows(&b, t.results, func(r faultResult) bool { return r.runtime })
	}
	return b.String()
}

func writeRows(b *strings.Builder, results []faultResult, mine func(faultResult) bool) {
	type row struct {
		call, outcome string
		faults        []string
	}
	var rows []*row
	for _, r := range results {
		if !mine(r) {
			continue
		}
		n := slices.IndexFunc(rows, func(x *row) bool { return x.call == r.call && x.outcome == r.outcome })
		if n < 0 {
			n = len(rows)
			rows = append(rows, &row{call: r.call, outcome: r.outcome})
		}
		if !slices.Contains(rows[n].faults, r.fault) {
			rows[n].faults = append(rows[n].faults, r.fault)
		}
	}
	b.WriteString("| call | fault | outcome |\n|---|---|---|\n")
	for _, x := range rows {
		slices.Sort(x.faults)
		fmt.Fprintf(b, "| %s | %s | %s |\n", x.call, strings.Join(x.faults, ", "), strings.ReplaceAll(x.outcome, "|", "\\|"))
	}
}

// known returns the statements of the file.
func (table *faultTable) known(t *testing.T, update bool) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(table.file)
	if err != nil {
		if update {
			return nil
		}
		t.Fatal(err)
	}
	cells, scene := map[string]bool{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "## "); ok {
			scene, cells[name] = name, true
		}
		fields := strings.SplitN(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | ", 3)
		if !strings.HasPrefix(line, "| ") || len(fields) != 3 || fields[0] == "call" {
			continue
		}
		if fields[2] == "" {
			t.Errorf("%s: no outcome for %s", table.file, fields[0])
		}
		for fault := range strings.SplitSeq(fields[1], ", ") {
			cells[strings.Join([]string{scene, fields[0], fault}, "|")] = true
			cells[strings.Join([]string{scene, fields[0], fault, strings.ReplaceAll(fields[2], `\|`, "|")}, "|")] = true
		}
	}
	return cells
}
