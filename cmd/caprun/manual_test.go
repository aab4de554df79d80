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
	"caprun/internal/need"
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
// no others, with their words.
func TestFormsInManual(t *testing.T) {
	page := manPage(t, "caprun.1")
	known := map[string]bool{"h": true} // what every form takes
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
			n := slices.IndexFunc(f.flags, func(flag formFlag) bool { return flag.name == match[1] })
			if n < 0 {
				t.Errorf("%s: the manual has -%s", f.key(), match[1])
			} else if flag := f.flags[n]; flag.takes == aChoice && match[2] != " Cm "+strings.Join(flag.values, " | ") {
				t.Errorf("%s: -%s is%s in the manual", f.key(), flag.name, match[2])
			}
		}
		for _, flag := range f.flags {
			known[flag.name] = true
			if !slices.Contains(items, flag.name) {
				t.Errorf("%s: the manual does not say what -%s is", f.key(), flag.name)
			}
		}
	}
	for _, match := range regexp.MustCompile(`\bFl ([a-z][a-z-]*)`).FindAllStringSubmatch(page, -1) {
		if !known[match[1]] {
			t.Errorf("the manual speaks of -%s", match[1])
		}
	}
	_, synopsis, _ := strings.Cut(page, "\n.Sh SYNOPSIS\n")
	synopsis, _, _ = strings.Cut(synopsis, "\n.Sh ")
	for _, f := range forms() {
		if f.name != "" && !strings.Contains(synopsis+"\n", "\n.Cm "+f.name+"\n") {
			t.Errorf("the synopsis of the manual has no %s", f.name)
		}
	}
}

// TestManualStatuses: caprun(1) says what each exit status means.
func TestManualStatuses(t *testing.T) {
	_, section, _ := strings.Cut(manPage(t, "caprun.1"), "\n.Sh EXIT STATUS\n")
	section, _, _ = strings.Cut(section, "\n.Sh ")
	statuses := []int{exitOK, exitFindings, exitTrouble, exitRefused, exitNoExec, exitNotFound}
	for _, status := range statuses {
		if !strings.Contains(section, fmt.Sprintf("\n.It %d\n", status)) {
			t.Errorf("the manual does not say what %d means", status)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^\.It ([0-9]+)$`).FindAllStringSubmatch(section, -1) {
		if !slices.Contains(strings.Fields(strings.Trim(fmt.Sprint(statuses), "[]")), match[1]) {
			t.Errorf("the manual has the status %s", match[1])
		}
	}
}

// TestManualKeys: caprun-profile(5) has every key of the schema, those inside
// of others too, and every word of a list.
func TestManualKeys(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(schema.JSON(), &root); err != nil {
		t.Fatal(err)
	}
	page := manPage(t, "caprun-profile.5")
	keys := root["properties"].(map[string]any)
	// An entry goes as far as the next key of the profile itself.
	starts := map[string]int{}
	for key := range keys {
		if starts[key] = entryOf(page, key); starts[key] < 0 {
			t.Errorf("the manual has no %s", key)
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
		holdKeys(t, key, entry, keys[key].(map[string]any))
		if key != "version" && key != "description" && !regexp.MustCompile(`Absent|absent|leave the key out|stays the caller`).MatchString(entry) {
			t.Errorf("the manual does not say what it means that there is no %s", key)
		}
	}
}

// entryOf returns where the entry of a key of the profile itself begins, with
// the line break before it, and -1 without one. A key inside of another may
// have the same name.
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

// holdKeys demands that the entry of a key names the keys and words that the
// schema has for its value.
func holdKeys(t *testing.T, path, entry string, s map[string]any) {
	t.Helper()
	words, _ := s["enum"].([]any)
	for _, word := range words {
		if word, ok := word.(string); ok && !regexp.MustCompile(`(?m)^\.(It )?Cm (.* )?`+word+`\b`).MatchString(entry) {
			t.Errorf("the manual has no %s of %s", word, path)
		}
	}
	for _, bound := range []string{"maxLength", "maxItems", "maxProperties", "minimum", "maximum"} {
		n, ok := s[bound].(float64)
		// The lengths of a umask and of a day follow from what they are, and the
		// largest limit does not fit in a float64.
		if ok && n != 4 && n != 10 && n < 1<<62 && !regexp.MustCompile(fmt.Sprintf(`\b%.0f`, n)).MatchString(entry) {
			t.Errorf("the manual does not say %.0f, which is %s of %s", n, bound, path)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for key, value := range properties {
		if !strings.Contains(entry, "\n.It Ic "+key+"\n") {
			t.Errorf("the manual has no %s in %s", key, path)
		}
		holdKeys(t, path+"."+key, entry, value.(map[string]any))
	}
	if items, ok := s["items"].(map[string]any); ok {
		holdKeys(t, path+"[]", entry, items)
	}
}

// TestManualProfiles: check finds no mistake and no risk in the profiles of the
// manual.
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

// TestManualLint: the pages have no mistakes in their markup.
func TestManualLint(t *testing.T) {
	mandoc := need.Tool(t, "mandoc")
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
