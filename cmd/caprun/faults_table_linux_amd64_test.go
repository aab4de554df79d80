package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// faultTable collects what the runs came to.
type faultTable struct {
	scenes  []faultScene
	results []faultResult
}

func (t *faultTable) add(s faultScene, results []faultResult) {
	t.scenes = append(t.scenes, s)
	t.results = append(t.results, results...)
}

// cell identifies one statement of the table. What the Go runtime comes to may
// differ from run to run: that it was tried is all that is compared.
func (r faultResult) cell() string {
	scene := r.scene
	if r.runtime {
		return strings.Join([]string{runtimeScene, r.call, r.fault}, "|")
	}
	return strings.Join([]string{scene, r.call, r.fault, r.outcome}, "|")
}

const runtimeScene = "the Go runtime"

// kindOf is an outcome without its details.
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

const faultIntro = `# What a failed system call does to a launch

A launch makes some hundred system calls. This table says what happens when one
of them fails, and all others work: the target runs in the state that its
profile declares, or not at all, and caprun ends with status 125, 126 or 127 and
a message that names the step. For each scene, a profile and its caller, each
call was made to

- fail with each error that it can give, and with those of a filter or an older
  kernel: EPERM and ENOSYS;
- return a value without being made: "returns 0" is a success without effect,
  or a wrong value read;
- be the last one: "killed" is SIGKILL in its place.

"ERRNO" stands for the text of the error. Where a call has several outcomes for
one fault, it is made in several places. "The target runs as declared" is said
where the target reported just what the profile declares, to the last field:
the call was repeated, or its answer was not needed, or was the true one.

With -init there are two processes, and what failed is one call of one of them.
The calls of the child, which becomes the target, are marked; what is said of
the target there was seen of its supervisor too, when the target started: it
held cap_kill at most, and could not be looked into. None left a process behind,
nor a child that nobody had waited for, unless it was killed itself. Where the
child is killed, or kills itself as its parent seems to have ended, the status
is 137. Where the supervisor cannot wait for the target the status is 125, as
the target's own is not known. A call that changes all threads of the supervisor
fails in one of them here: then the Go runtime may end with its status 2.

Calls that the Go runtime makes for itself, before main and beside it, are apart:
where it cannot go on it ends with its own status 2, or by SIGSEGV while it has
no handler, and it may wait for ever. The target has not run then. What becomes
of it depends on what its threads do at the moment.

The table is written by the test that does all this, as root, in some minutes:

    CAPRUN_TEST_FAULTS=all go test -timeout 1h -run TestFaults ./cmd/caprun -update

Without CAPRUN_TEST_FAULTS the test tries some of it and compares.
`

// markdown returns the table: a section for each scene, a row for each call and
// outcome.
func (t *faultTable) markdown() string {
	var b strings.Builder
	b.WriteString(faultIntro)
	for _, s := range t.scenes {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", s.name, s.about)
		for line := range strings.Lines(s.profile) {
			b.WriteString("    " + strings.NewReplacer("$DIR", "DIR").Replace(line))
		}
		fmt.Fprintf(&b, "\n")
		writeRows(&b, t.results, func(r faultResult) bool { return r.scene == s.name && !r.runtime })
	}
	fmt.Fprintf(&b, "\n## %s\n\nIn all scenes together.\n\n", runtimeScene)
	writeRows(&b, t.results, func(r faultResult) bool { return r.runtime })
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

// readFaultTable returns the statements of the table.
func readFaultTable(t *testing.T, update bool) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(faultsFile)
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
			scene = name
		}
		fields := strings.SplitN(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | ", 3)
		if !strings.HasPrefix(line, "| ") || len(fields) != 3 || fields[0] == "call" {
			continue
		}
		if fields[2] == "" {
			t.Errorf("%s: a blank outcome of %s", faultsFile, fields[0])
		}
		for fault := range strings.SplitSeq(fields[1], ", ") {
			cells[strings.Join([]string{scene, fields[0], fault}, "|")] = true
			cells[strings.Join([]string{scene, fields[0], fault, strings.ReplaceAll(fields[2], `\|`, "|")}, "|")] = true
		}
	}
	return cells
}
