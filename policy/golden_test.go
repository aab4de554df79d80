package policy

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the expected files")

// profiles returns the files of a directory of testdata.
func profiles(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata/%s: no profiles: %v", dir, err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = src
	}
	return files
}

// listing returns the text of an .out file: for each diagnostic a line, the words of
// the profile that it is about, and the hint.
func listing(src []byte, diagnostics []Diagnostic) string {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	var b strings.Builder
	for _, d := range diagnostics {
		b.WriteString(d.String() + "\n")
		if from, to := offsetIn(src, d.Line, d.Column), offsetIn(src, d.EndLine, d.EndColumn); from < to {
			b.WriteString("    at " + quote(string(src[from:to])) + "\n")
		}
		if d.Hint != "" {
			b.WriteString("    " + d.Hint + "\n")
		}
	}
	return b.String()
}

// offsetIn counts the characters of a file independently of the reader.
func offsetIn(src []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		at += bytes.IndexByte(src[at:], '\n') + 1
	}
	for ; column > 1; column-- {
		_, size := utf8.DecodeRune(src[at:])
		at += size
	}
	return at
}

// TestErr compares the diagnostics of each file with its .out file.
func TestErr(t *testing.T) {
	for path, src := range profiles(t, "err") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			p, diagnostics := Parse(filepath.Base(path), src)
			if p != nil {
				t.Error("Parse returned a profile")
			}
			got := listing(src, diagnostics)
			file := strings.TrimSuffix(path, ".yaml") + ".out"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestOK: Parse reports nothing about these files.
func TestOK(t *testing.T) {
	for path, src := range profiles(t, "ok") {
		if p, diagnostics := Parse(path, src); p == nil || len(diagnostics) > 0 {
			t.Errorf("%s", listing(src, diagnostics))
		}
	}
}

// TestEveryRuleHasAFile: each rule has a file in testdata/err, except internal-error,
// which no file may cause.
func TestEveryRuleHasAFile(t *testing.T) {
	shown := map[string]bool{rules[internalError].Name: true}
	for path, src := range profiles(t, "err") {
		_, diagnostics := Parse(path, src)
		for _, d := range diagnostics {
			shown[d.Rule] = true
			if d.Rule == rules[internalError].Name {
				t.Errorf("%s: an error in the profile is reported as an internal error: %s", path, d)
			}
		}
	}
	for _, r := range Rules() {
		if !shown[r.Name] {
			t.Errorf("no file for %s", r.Name)
		}
	}
}

// TestNoStrayFiles: each .out file belongs to a profile.
func TestNoStrayFiles(t *testing.T) {
	outs, err := filepath.Glob(filepath.Join("testdata", "err", "*.out"))
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range outs {
		if _, err := os.Stat(strings.TrimSuffix(out, ".out") + ".yaml"); err != nil {
			t.Error(err)
		}
	}
}
