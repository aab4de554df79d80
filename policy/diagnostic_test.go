package policy

import (
	"slices"
	"testing"
)

// TestSort: the order is file, position, rule, message. Unknown positions come first.
func TestSort(t *testing.T) {
	at := func(line, column int) Position { return Position{line, column, line, column} }
	want := []Diagnostic{
		{File: "a", Position: at(2, 1)}, {File: "b"}, {File: "b", Position: at(1, 9)}, {File: "b", Position: at(2, 1), Rule: "a-b", Message: "z"},
		{File: "b", Position: at(2, 1), Rule: "b-a", Message: "x"}, {File: "b", Position: at(2, 1), Rule: "b-a", Message: "y"}, {File: "b", Position: at(10, 1)},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestStrings checks the texts of diagnostics and severities.
func TestStrings(t *testing.T) {
	d := Diagnostic{File: "a/b.yaml", Position: Position{3, 7, 3, 9}, Severity: Warning, Rule: "some-rule", Message: "what is wrong", Hint: "not shown"}
	if got := d.String(); got != "a/b.yaml:3:7: warning: what is wrong [some-rule]" {
		t.Error(got)
	}
	d.Position, d.Severity = Position{}, Info
	if got := d.String(); got != "a/b.yaml: info: what is wrong [some-rule]" {
		t.Error(got)
	}
	if got := Severity(9).String(); got != "unknown severity" {
		t.Error(got)
	}
	if HasErrors([]Diagnostic{d}) || !HasErrors([]Diagnostic{d, {Severity: Error}}) {
		t.Error("HasErrors")
	}
}
