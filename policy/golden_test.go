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

// listing is what the .out files hold: for each diagnostic a line, the words
// of the file that it is about, and the hint.
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

// offsetIn counts the characters of a file once more, in the plainest way.
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

// TestErr compares what Parse says about each file with the file next to it.
func TestErr(t *testing.T) {
	for path, src := range profiles(t, "err") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			p, diagnostics := Parse(filepath.Base(path), src)
			if p != nil {
				t.Error("a profile came back")
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

// TestOK: these files have no mistakes.
func TestOK(t *testing.T) {
	for path, src := range profiles(t, "ok") {
		if p, diagnostics := Parse(path, src); p == nil || len(diagnostics) > 0 {
			t.Errorf("%s", listing(src, diagnostics))
		}
	}
}

// TestEveryRuleHasAFile: each rule is shown by a file of testdata/err, but for
// the one that no file may bring about.
func TestEveryRuleHasAFile(t *testing.T) {
	shown := map[string]bool{rules[internalError].Name: true}
	for path, src := range profiles(t, "err") {
		_, diagnostics := Parse(path, src)
		for _, d := range diagnostics {
			shown[d.Rule] = true
			if d.Rule == rules[internalError].Name {
				t.Errorf("%s: a mistake of the profile is called a bug of ours: %s", path, d)
			}
		}
	}
	for _, r := range Rules() {
		if !shown[r.Name] {
			t.Errorf("no file shows %s", r.Name)
		}
	}
}

// TestNoStrayFiles: an .out file without its profile would never be compared.
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
