package declared

import (
	"fmt"
	"slices"

	"caprun/policy"
)

// MaxFindings is the largest number of errors, and that of other findings, about a process
// or a file: nobody fixes more before the next check.
const MaxFindings = 256

// MaxLosses is the largest number of losses of a process. What a pod declares is repeated
// for each of its containers.
const MaxLosses = 512

// Findings collects findings. Warnings do not displace errors, and if there are more
// findings than it lists, one of the rule Syntax reports that. The zero value is empty.
type Findings struct {
	List []policy.Diagnostic

	counts     [2]int // of the findings that are not errors, and of the errors
	incomplete bool
}

// Add adds a finding. A hint can be empty.
func (f *Findings) Add(r Rule, at Source, hint, format string, args ...any) {
	if f.isFull(r) {
		f.addIncomplete(at, "fix those that are listed", fmt.Sprintf("more than %d findings: not all are listed", MaxFindings))
		return
	}
	f.counts[r.kind()]++
	f.List = append(f.List, r.Diagnostic(at, hint, fmt.Sprintf(format, args...)))
}

// Ignores reports that Add has no effect for a rule. A caller that needs time for the
// position of a finding asks first.
func (f *Findings) Ignores(r Rule) bool { return f.incomplete && f.isFull(r) }

// IsIncomplete reports that there are more findings or losses than are listed.
func (f *Findings) IsIncomplete() bool { return f.incomplete }

func (f *Findings) isFull(r Rule) bool { return f.counts[r.kind()] >= MaxFindings }

// kind returns the index of the rule in Findings.counts.
func (r Rule) kind() int {
	if rules[r].Severity == policy.Error {
		return 1
	}
	return 0
}

// addIncomplete reports once that not everything is listed.
func (f *Findings) addIncomplete(at Source, hint, message string) {
	if !f.incomplete {
		f.incomplete = true
		f.List = append(f.List, Syntax.Diagnostic(at, hint, message))
	}
}

// NewResult returns a result with processes and findings that belong to none of them. If
// one of these is an error, or a process has more findings or losses than are listed, the
// result has no processes: a comparison or a check of them would miss something. Then the
// findings of all processes are those of the file.
func NewResult(processes []*Process, found Findings) Result {
	incomplete := func(p *Process) bool { return p.found.incomplete }
	if found.incomplete || slices.ContainsFunc(processes, incomplete) {
		found.List = append(found.List, distinct(processes)...)
	}
	if policy.HasErrors(found.List) {
		return Result{Findings: found.List}
	}
	return Result{Processes: processes, Findings: found.List}
}

// distinct returns the findings of processes. Containers repeat those of their pod.
func distinct(processes []*Process) []policy.Diagnostic {
	var list []policy.Diagnostic
	seen := map[policy.Diagnostic]bool{}
	for _, p := range processes {
		for _, d := range p.Findings {
			if !seen[d] {
				seen[d] = true
				list = append(list, d)
			}
		}
	}
	return list
}
