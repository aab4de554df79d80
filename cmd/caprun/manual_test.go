package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/engine/review"
	"caprun/internal/test/requires"
	"caprun/policy"
	"caprun/schema"
)

// manPage returns the source of a page of the manual.
func manPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/man/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFormsInManual: in caprun(1) the section of each form lists its flags and
// no others, with their values.
func TestFormsInManual(t *testing.T) {
	page := manPage(t, "caprun.1")
	known := map[string]bool{"h": true} // a flag of every form
	for _, f := range forms() {
		heading := ".Ss caprun " + f.name
		if f.name == "" {
			heading = ".Ss Starting a program"
		}
		_, section, ok := strings.Cut(page, "\n"+heading+"\n")
		if !ok {
			t.Errorf("no section %q", heading)
			continue
		}
		section, _, _ = strings.Cut(section, "\n.S")
		var items []string
		for _, match := range regexp.MustCompile(`(?m)^\.It Fl ([a-z][a-z-]*)(.*)`).FindAllStringSubmatch(section, -1) {
			items = append(items, match[1])
			n := slices.IndexFunc(f.flags, func(flag *formFlag) bool { return flag.name == match[1] })
			if n < 0 {
				t.Errorf("%s: the manual has the unknown flag -%s", f.key(), match[1])
			} else if flag := f.flags[n]; match[2] != manualValue(flag) {
				t.Errorf("%s: the value of -%s is%s in the manual, not%s", f.key(), flag.name, match[2], manualValue(flag))
			}
		}
		for _, flag := range f.flags {
			known[flag.name] = true
			if !slices.Contains(items, flag.name) {
				t.Errorf("%s: the manual does not describe -%s", f.key(), flag.name)
			}
		}
	}
	for _, match := range regexp.MustCompile(`\bFl ([a-z][a-z-]*)`).FindAllStringSubmatch(page, -1) {
		if !known[match[1]] {
			t.Errorf("the manual mentions the unknown flag -%s", match[1])
		}
	}
}

// manualValue returns what follows the name of a flag in the list of a form.
func manualValue(f *formFlag) string {
	switch {
	case f.takes == aChoice:
		return " Cm " + strings.Join(f.words, " | ")
	case f.takesValue():
		return " Ar " + strings.ToLower(f.metavar)
	}
	return ""
}

// The marks around the synopsis of caprun(1).
const (
	synopsisBegin = ".\\\" The synopsis is made from the forms: go test ./cmd/caprun -run Synopsis -update\n"
	synopsisEnd   = ".\\\" End of the synopsis.\n"
)

// TestManualSynopsis: the synopsis of caprun(1) is that of the forms. -update rewrites it.
func TestManualSynopsis(t *testing.T) {
	page := manPage(t, "caprun.1")
	before, rest, ok := strings.Cut(page, synopsisBegin)
	have, after, ok2 := strings.Cut(rest, synopsisEnd)
	if !ok || !ok2 {
		t.Fatal("the marks of the synopsis are missing")
	}
	want := ""
	for _, f := range forms() {
		for _, u := range f.usages() {
			want += manualSynopsis(f.name, u)
		}
	}
	switch {
	case have == want:
	case *updateScripts:
		if err := os.WriteFile("../../docs/man/caprun.1", []byte(before+synopsisBegin+want+synopsisEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the synopsis is\n%s\nwant\n%s", have, want)
	}
}

// manualSynopsis returns one usage of a form in the macros of mdoc(7).
func manualSynopsis(name string, u usage) string {
	lines := []string{".Nm"}
	if name != "" {
		lines = append(lines, ".Cm "+name)
	}
	for _, flag := range u.flags {
		words := "Fl " + flag.name
		if flag.takesValue() {
			words += " Ar " + strings.ToLower(flag.metavar)
		}
		if !u.requires(flag) {
			words = "Op " + words
		}
		if flag.repeated {
			words += " ..."
		}
		lines = append(lines, "."+words)
	}
	optional := ""
	for _, p := range u.operands {
		if p.takes == aProgram {
			lines = append(lines, ".Op Fl -")
		}
		words := "Ar " + strings.ToLower(p.metavar)
		if p.takes == aChoice && !p.optional {
			words = "Cm " + strings.Join(p.words, " | ")
		}
		if p.many {
			words += " ..."
		}
		if p.optional {
			// It encloses the operands after it.
			optional += " Op " + words
		} else {
			lines = append(lines, "."+words)
		}
	}
	if optional != "" {
		lines = append(lines, "."+optional[1:])
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestManualStatuses: caprun(1) describes each exit status.
func TestManualStatuses(t *testing.T) {
	_, section, _ := strings.Cut(manPage(t, "caprun.1"), "\n.Sh EXIT STATUS\n")
	section, _, _ = strings.Cut(section, "\n.Sh ")
	statuses := []int{exitOK, exitFindings, exitError, exitRefused, exitNoExec, exitNotFound}
	for _, status := range statuses {
		if !strings.Contains(section, fmt.Sprintf("\n.It %d\n", status)) {
			t.Errorf("the manual does not describe the status %d", status)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^\.It ([0-9]+)$`).FindAllStringSubmatch(section, -1) {
		if !slices.Contains(strings.Fields(strings.Trim(fmt.Sprint(statuses), "[]")), match[1]) {
			t.Errorf("the manual has the unknown status %s", match[1])
		}
	}
}

// TestManualKeys: caprun-profile(5) has every key of the schema, also those inside of
// others, and every word of a list.
func TestManualKeys(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(schema.JSON(), &root); err != nil {
		t.Fatal(err)
	}
	page := manPage(t, "caprun-profile.5")
	keys := root["properties"].(map[string]any)
	// An entry ends at the next key of the profile.
	starts := map[string]int{}
	for key := range keys {
		if starts[key] = entryOf(page, key); starts[key] < 0 {
			t.Errorf("missing key %s", key)
		}
	}
	for key, start := range starts {
		end := strings.Index(page, "\n.Sh FILES\n")
		for _, other := range starts {
			if other > start {
				end = min(end, other)
			}
		}
		if start < 0 || end < start {
			continue
		}
		entry := page[start:end]
		checkKeys(t, key, entry, keys[key].(map[string]any))
		if key != "version" && key != "description" && !regexp.MustCompile(`Absent|absent|leave the key out|stays the caller`).MatchString(entry) {
			t.Errorf("the manual does not describe a profile without %s", key)
		}
	}
}

// entryOf returns the offset of the entry of a key of the profile, with the line break
// before it, or -1. A key inside of another may have the same name.
func entryOf(page, key string) int {
	at, depth := 0, 0
	for line := range strings.Lines(page) {
		switch {
		case strings.HasPrefix(line, ".Bl "):
			depth++
		case strings.HasPrefix(line, ".El"):
			depth--
		case depth == 1 && line == ".It Ic "+key+"\n":
			return at - 1
		}
		at += len(line)
	}
	return -1
}

// checkKeys checks that the entry of a key names the keys, words and bounds that the
// schema has for its value.
func checkKeys(t *testing.T, path, entry string, s map[string]any) {
	t.Helper()
	words, _ := s["enum"].([]any)
	for _, word := range words {
		if word, ok := word.(string); ok && !regexp.MustCompile(`(?m)^\.(It )?Cm (.* )?`+word+`\b`).MatchString(entry) {
			t.Errorf("missing word %s of %s", word, path)
		}
	}
	for _, bound := range []string{"maxLength", "maxItems", "maxProperties", "minimum", "maximum"} {
		n, ok := s[bound].(float64)
		// The lengths of a umask and of a date are implied, and the largest limit does not fit
		// in a float64.
		if ok && n != 4 && n != 10 && n < 1<<62 && !regexp.MustCompile(fmt.Sprintf(`\b%.0f`, n)).MatchString(entry) {
			t.Errorf("missing number %.0f, which is %s of %s", n, bound, path)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for key, value := range properties {
		if !strings.Contains(entry, "\n.It Ic "+key+"\n") {
			t.Errorf("missing key %s of %s", key, path)
		}
		checkKeys(t, path+"."+key, entry, value.(map[string]any))
	}
	if items, ok := s["items"].(map[string]any); ok {
		checkKeys(t, path+"[]", entry, items)
	}
}

// TestManualProfiles: check finds no mistakes and risks in the profiles of the manual.
func TestManualProfiles(t *testing.T) {
	blocks := strings.Split(manPage(t, "caprun-profile.5"), "\n.Bd -literal -offset indent\n")[1:]
	if len(blocks) < 5 {
		t.Errorf("only %d profiles were found", len(blocks))
	}
	for _, block := range blocks {
		text, _, ok := strings.Cut(block, ".Ed\n")
		if !ok || strings.Contains(text, `\`) {
			t.Fatalf("not a plain block: %s", text)
		}
		for _, f := range review.Check("example.yaml", []byte(text), review.Options{Today: time.Now()}).Findings {
			if f.Severity != policy.Info {
				t.Errorf("%v in\n%s", f.Diagnostic, text)
			}
		}
	}
}

// TestManualLint: mandoc finds no mistakes in the markup of the pages.
func TestManualLint(t *testing.T) {
	mandoc := requires.Tool(t, "mandoc")
	pages, err := filepath.Glob("../../docs/man/*.[1-9]")
	if err != nil || len(pages) < 2 {
		t.Fatalf("%q, %v", pages, err)
	}
	for _, page := range pages {
		if out, err := exec.Command(mandoc, "-T", "lint", "-W", "warning", page).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", page, err, out)
		}
	}
}
