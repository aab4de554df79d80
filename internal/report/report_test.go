package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files, and the hash of the style sheet")

// today is the day of the reports in tests.
var today = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)

// newReport returns a report of profiles by name.
func newReport(t testing.TB, o Options, profiles map[string]string) *Report {
	t.Helper()
	o.Today = today
	r := New(o)
	for name, text := range profiles {
		if err := r.Add(Source{Name: name, File: name, Text: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// oneRow returns the row of one profile.
func oneRow(t testing.TB, text string) *Row {
	t.Helper()
	return newReport(t, Options{}, map[string]string{"x.yaml": text}).Rows()[0]
}

// goldenReport returns the report of the profiles in testdata, compared with older versions
// of some of them. The order of the sources differs from call to call.
func goldenReport(t *testing.T) *Report {
	t.Helper()
	const dir = "testdata/profiles"
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	profiles := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		profiles[f.Name()] = string(text)
	}
	r := New(Options{Today: today, Base: "v1.2"})
	for name, text := range profiles {
		s := Source{Name: "deploy/" + name, File: "deploy/" + name, Text: []byte(text), Old: []byte(text)}
		switch name {
		case "hostile.yaml":
			// Some systems have no files with these names.
			s.Name = "deploy/<b>\"x\"&.yaml"
			s.File = s.Name
		case "worker.yaml":
			s.Old = []byte(strings.Replace(text, "cap_kill", "cap_net_raw", 1))
		case "web.yaml":
			s.Old = nil
		case "caddy.yaml":
			s.Old = append([]byte("no_new_privs: true\n"), text...)
		}
		if err := r.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	gone := Source{Name: "deploy/gone.yaml", Removed: true, Old: []byte(profiles["web.yaml"])}
	unread := Source{Name: "deploy/unread.yaml", File: "deploy/unread.yaml", Err: errors.New("permission denied")}
	if err := errors.Join(r.Add(gone), r.Add(unread)); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestGolden: the three formats do not change unnoticed.
func TestGolden(t *testing.T) {
	for name, write := range formats() {
		for range 3 {
			var b bytes.Buffer
			if err := write(goldenReport(t), &b); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s differs from %s; run go test with -update and read the difference", name, golden)
			}
		}
	}
}

// formats returns the functions that write a report, by the name of the format.
func formats() map[string]func(*Report, *bytes.Buffer) error {
	return map[string]func(*Report, *bytes.Buffer) error{
		"html":  func(r *Report, b *bytes.Buffer) error { return r.HTML(b, "out") },
		"json":  func(r *Report, b *bytes.Buffer) error { return r.JSON(b, "out") },
		"table": func(r *Report, b *bytes.Buffer) error { return r.Table(b, 0, false) },
	}
}

// TestTableNarrow: on a terminal, no line of the table is longer than its width, and no word
// is lost. A wide terminal gets the same table as a file.
func TestTableNarrow(t *testing.T) {
	r := goldenReport(t)
	var plain bytes.Buffer
	if err := r.Table(&plain, 0, false); err != nil {
		t.Fatal(err)
	}
	words := func(s string) []string { return slices.Sorted(strings.FieldsSeq(s)) }
	for _, width := range []int{1, 80, 100, 1000} {
		var b bytes.Buffer
		if err := r.Table(&b, width, false); err != nil {
			t.Fatal(err)
		}
		table, _, _ := strings.Cut(b.String(), "\nDifferences\n")
		for line := range strings.Lines(table) {
			// A name, which is not broken, is the first word of a line.
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > max(width, 80) && strings.Contains(strings.TrimSpace(line), "  ") {
				t.Errorf("width %d: %d characters: %s", width, n, line)
			}
		}
		if !slices.Equal(words(b.String()), words(plain.String())) {
			t.Errorf("width %d: other words\n%s", width, b.String())
		}
		if same := b.String() == plain.String(); same != (width == 1000) {
			t.Errorf("width %d: the table for a file: %t\n%s", width, same, b.String())
		}
	}
}

// TestIsReport: a report is recognized by its beginning, and another file is not.
func TestIsReport(t *testing.T) {
	for name, write := range formats() {
		var b bytes.Buffer
		if err := write(goldenReport(t), &b); err != nil {
			t.Fatal(err)
		}
		if !IsReport(b.Bytes()[:min(b.Len(), HeadSize)]) {
			t.Errorf("%s is not recognized", name)
		}
	}
	for _, text := range []string{"version: 1\n", "{\n  \"version\": 1,\n  \"old\": 1}", "<!DOCTYPE html><title>x</title>", "profile: x", "1 profil", "\x7fELF", "12", "{}"} {
		if IsReport([]byte(text)) {
			t.Errorf("%q is recognized", text)
		}
	}
	if !IsReport(nil) {
		t.Error("an empty file is not recognized")
	}
}
