package declared

import (
	"testing"

	"caprun/policy"
)

// TestFindings: warnings and errors have bounds of their own, and one error reports that not
// everything is listed.
func TestFindings(t *testing.T) {
	at := Source{File: "f"}
	var f Findings
	for range MaxFindings {
		f.Add(Ignored, at, "", "warning")
	}
	if f.IsIncomplete() || f.Ignores(Ignored) || policy.HasErrors(f.List) {
		t.Fatal("everything is listed")
	}
	for range MaxFindings {
		f.Add(Refused, at, "", "error")
	}
	if f.IsIncomplete() || len(f.List) != 2*MaxFindings {
		t.Fatalf("%d findings, incomplete: %t", len(f.List), f.IsIncomplete())
	}
	for range 3 {
		f.Add(Ignored, at, "", "warning")
		f.Add(Refused, at, "", "error")
	}
	last := f.List[len(f.List)-1]
	if len(f.List) != 2*MaxFindings+1 || last.Severity != policy.Error || last.Message != "more than 256 findings: not all are listed" {
		t.Errorf("%d findings, the last one is %v", len(f.List), last)
	}
	if !f.IsIncomplete() || !f.Ignores(Ignored) || !f.Ignores(Refused) {
		t.Error("a further finding is not ignored")
	}
}

// TestNewResult: a process with losses that are not listed is an error, and other processes
// are none.
func TestNewResult(t *testing.T) {
	complete, incomplete := &Process{Name: "a"}, &Process{Name: "b"}
	complete.AddFinding(UnknownCapability, Source{File: "f"}, "", "unknown")
	for range MaxLosses + 3 {
		incomplete.AddLoss(Source{File: "f"}, "loss")
	}
	if len(incomplete.Losses) != MaxLosses || !incomplete.IgnoresLosses() || len(incomplete.Findings) != 1 {
		t.Errorf("%d losses, %v", len(incomplete.Losses), incomplete.Findings)
	}
	if r := NewResult([]*Process{complete}, Findings{}); len(r.Processes) != 1 || len(r.Findings) != 0 {
		t.Errorf("%+v", r)
	}
	if r := NewResult([]*Process{complete, incomplete, incomplete}, Findings{}); len(r.Processes) != 0 || len(r.Findings) != 2 {
		t.Errorf("%+v", r)
	}
	// Findings of the whole file do not replace that losses are missing.
	incomplete.SetFindings(Findings{})
	if r := NewResult([]*Process{incomplete}, Findings{}); len(r.Processes) != 0 || len(r.Findings) != 1 {
		t.Errorf("%+v", r)
	}
}
