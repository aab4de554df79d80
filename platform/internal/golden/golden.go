// Package golden compares what the readers of the platforms return for public files with
// the expected text. It is for tests.
package golden

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

var update = flag.Bool("update", false, "write the expected text of public files")

// Run reads each file in testdata/public with an extension, and compares the result with
// the file of the same name that ends in .golden. A file names its origin, and the verdict
// of a reviewer, in comments.
func Run(t *testing.T, extension string, read func(declared.File) declared.Result) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "public", "*"+extension))
	if err != nil || len(paths) == 0 {
		t.Fatal("no files: ", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, mark := range []string{"# Origin: https://github.com/", "# Verdict: "} {
				if !bytes.Contains(text, []byte(mark)) {
					t.Errorf("the file has no line %q", mark)
				}
			}
			got := describe(t, read(declared.File{Name: filepath.Base(path), Text: text}))
			expected := strings.TrimSuffix(path, extension) + ".golden"
			if *update {
				if err := os.WriteFile(expected, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the result differs from %s: run go test with -update and read the difference:\n%s", expected, got)
			}
		})
	}
}

// CheckIdentity fails the test if a user who may be root is unknown and no finding says so.
func CheckIdentity(t *testing.T, p *declared.Process, found []policy.Diagnostic) {
	t.Helper()
	switch {
	case p.Sets.NotRoot && !p.Sets.UnknownUID:
		t.Fatalf("%s: an unknown uid is known", p.Name)
	case !p.Sets.UnknownUID || p.Sets.NotRoot || policy.HasErrors(found):
		return
	}
	for _, d := range found {
		if d.Rule == "identity-not-declared" || d.Rule == "value-not-declared" {
			return
		}
	}
	t.Fatalf("%s: no finding about an unknown user who may be root: %v", p.Name, found)
}

// IsIncomplete reports that a result has no processes, because not all findings or losses are
// listed.
func IsIncomplete(r declared.Result) bool {
	return len(r.Processes) == 0 && slices.ContainsFunc(r.Findings, IsIncompleteFinding)
}

// IsIncompleteFinding reports that a finding says that not everything is listed.
func IsIncompleteFinding(d policy.Diagnostic) bool {
	return d.Severity == policy.Error && d.Rule == "platform-syntax" && strings.HasSuffix(d.Message, ": not all are listed")
}

// Files returns the texts of the files in testdata/public with an extension: seeds of fuzz
// targets.
func Files(t testing.TB, extension string) (texts [][]byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "public", "*"+extension))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}

// describe returns the profiles, the findings and the losses. Each profile must compile.
func describe(t *testing.T, r declared.Result) string {
	t.Helper()
	var b strings.Builder
	finding := func(d policy.Diagnostic) {
		fmt.Fprintf(&b, "%s\n", d)
		if d.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", d.Hint)
		}
	}
	for _, d := range r.Findings {
		finding(d)
	}
	for _, p := range r.Processes {
		document, err := p.Document()
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		profile, found := policy.Parse("p", document.Text)
		if profile == nil {
			t.Fatalf("%s: %v", p.Name, found)
		}
		if plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget()); plan == nil {
			t.Errorf("%s: %v", p.Name, found)
		}
		fmt.Fprintf(&b, "=== %s\n%s", p.Name, document.Text)
		for _, d := range p.Findings {
			finding(d)
		}
		for _, l := range p.Losses {
			fmt.Fprintf(&b, "%s:%d: lost: %s\n", l.At.File, l.At.Line, l.What)
		}
	}
	return b.String()
}
