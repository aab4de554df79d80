package review

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/docs/rules"
	"caprun/policy"
)

// TestHints follows each hint literally, one alternative at a time. The finding must then
// be gone, and no error may be new. manualHints lists the hints that a program cannot
// follow. Every hint in the source must be followed or listed.
func TestHints(t *testing.T) {
	h := newHintCheck()
	for _, test := range []struct {
		name  string
		check func(*testing.T, *hintCheck)
	}{
		{"mistakes", checkMistakes}, {"mutants", checkMutants}, {"launches", checkLaunches}, {"ceilings", checkCeilings},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := h.followed
			h.t, h.uncovers = t, nil
			test.check(t, h)
			t.Logf("%d hints followed", h.followed-before)
		})
	}
	for _, e := range manualHints {
		if !h.used[e.words] {
			t.Errorf("no hint matches %s", e.words)
		}
	}
	reportUnreached(t, h.seen)
}

// checkMistakes follows the hints about profiles with mistakes.
func checkMistakes(t *testing.T, h *hintCheck) {
	h.uncovers = func(_ string, before, after policy.Diagnostic) bool {
		return before.Rule == "mode-conflict" && after.Rule == "caps-iab-conflict"
	}
	restored := 0
	for name, text := range profilesOfOtherTools() {
		if checkRestored(t, h, name, text) {
			restored++
		}
	}
	if restored < 100 {
		t.Errorf("only %d profiles with keys and values of other tools have a hint that corrects them", restored)
	}
	for name, text := range hinted(t) {
		h.check(name, text, func(text string) []Finding { return Check(name, []byte(text), Options{Today: pageDay}).Findings })
	}
}

// A hintCheck follows hints, and records which.
type hintCheck struct {
	t        *testing.T
	used     map[*regexp.Regexp]bool
	seen     map[string]bool // all hints
	followed int

	// uncovers reports whether a new finding has another cause, which the finding
	// before hid; nil if that cannot be.
	uncovers func(text string, before, after policy.Diagnostic) bool
}

func newHintCheck() *hintCheck {
	return &hintCheck{used: map[*regexp.Regexp]bool{}, seen: map[string]bool{}}
}

// isListed reports whether manualHints has the words.
func (h *hintCheck) isListed(words string) bool {
	n := slices.IndexFunc(manualHints[:], func(e manualHint) bool { return e.words.MatchString(words) })
	if n >= 0 {
		h.used[manualHints[n].words] = true
	}
	return n >= 0
}

// check follows the hints of each finding about a text.
func (h *hintCheck) check(name, text string, find func(string) []Finding) {
	before := find(text)
	text = strings.TrimPrefix(text, "\ufeff") // positions do not count it
	for _, f := range before {
		h.seen[f.Hint] = true
	}
	seen := map[string]bool{}
	for _, f := range before {
		if f.Hint == "" || seen[f.Rule+f.Hint+f.Position.String()] {
			continue
		}
		seen[f.Rule+f.Hint+f.Position.String()] = true
		for _, words := range alternatives(f.Hint) {
			if h.isListed(words) {
				continue
			}
			changed, announced, ok := follow(text, f, words)
			if !ok {
				h.t.Errorf("%s: %v\nhelp: %s\ncannot follow %q in\n%s", name, f.Diagnostic, f.Hint, words, text)
				continue
			}
			h.followed++
			if why := h.compare(text, f, before, find(changed), announced); why != "" {
				h.t.Errorf("%s: %v\nhelp: %s\n%q leads to %s\nfrom\n%s\nto\n%s", name, f.Diagnostic, f.Hint, words, why, text, changed)
			}
		}
	}
}

// compare returns what is wrong with the findings after a hint was followed, or "".
func (h *hintCheck) compare(text string, f Finding, before, after []Finding, announced string) string {
	more := map[string]int{} // how many findings of a rule are new
	unread, same := false, 0
	for _, d := range before {
		more[d.Rule]--
		unread = unread || isReaders(d.Diagnostic)
		if d.Rule == f.Rule && d.Message == f.Message {
			same++
		}
	}
	more[f.Rule]++
	for _, d := range after {
		if announces(announced, d.Diagnostic) {
			continue
		}
		more[d.Rule]++
		if d.Rule == f.Rule && d.Message == f.Message {
			same--
		}
		switch {
		case more[d.Rule] <= 0, d.Severity != policy.Error && d.Rule != f.Rule:
		case h.uncovers != nil && h.uncovers(text, f.Diagnostic, d.Diagnostic):
		case unread && !isReaders(d.Diagnostic):
			// A profile that could not be read had no plan before.
		default:
			return fmt.Sprintf("%v", d.Diagnostic)
		}
	}
	if same == 0 {
		return "the same finding"
	}
	return ""
}

// announces reports whether a hint announces a finding: by its message, or by what a
// securebit requires.
func announces(words string, d policy.Diagnostic) bool {
	switch {
	case words == "":
		return false
	case strings.HasPrefix(words, "it "):
		return d.Rule == "lock-without-bit"
	}
	return strings.HasPrefix(d.Message, strings.TrimSuffix(words, "..."))
}

// isReaders reports whether a finding is about the text alone.
func isReaders(d policy.Diagnostic) bool {
	return slices.ContainsFunc(policy.Rules(), func(r policy.Rule) bool { return r.Name == d.Rule })
}

// hinted returns profiles with mistakes, by name.
func hinted(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for n, text := range mistakes {
		all[fmt.Sprintf("mistake %d", n)] = user33 + text
	}
	maps.Copy(all, profilesOfOtherTools())
	for n, text := range wholeProfiles {
		all[fmt.Sprintf("profile %d", n)] = text
	}
	for v := range cap.Value(cap.NamedCount) {
		all[v.String()] = user33 + "caps: " + v.String() + "=eip\nchroot: /srv\n"
		all[v.String()+", uid 0"] = "version: 1\nuid: 0\ngid: 0\nsecbits: [noroot]\ncaps: " + v.String() + "=eip\n"
	}
	for _, key := range keysOfProfiles {
		for _, value := range oddValues {
			all[key+": "+value] = oddProfile(key, value)
		}
	}
	err := filepath.WalkDir(filepath.Join("..", "..", "policy", "testdata"), func(path string, d fs.DirEntry, err error) error {
		// Of more control characters than are reported one is like the other.
		if err == nil && strings.HasSuffix(path, ".yaml") && d.Name() != "binary.yaml" {
			text, readErr := os.ReadFile(path)
			all[path], err = string(text), readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Rules() {
		text, _ := rules.Page(r.Name)
		for _, b := range readPage(t, text).blocks(t, "Bad") {
			if b.kind == "yaml" {
				all["page of "+r.Name] = b.text
			}
		}
	}
	return all
}
