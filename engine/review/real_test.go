package review

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// realDir has profiles translated from units, manifests and scripts of public
// projects.
var realDir = filepath.Join("..", "..", "policy", "testdata", "real")

// TestReal compares the findings of each of them with its .out file. A profile
// without such a file has no findings.
func TestReal(t *testing.T) {
	// The first line names the origin: repository and path.
	origin := regexp.MustCompile(`^# Origin: [A-Za-z0-9._-]+/[A-Za-z0-9._-]+ [^\s].*\n# `)
	paths := realFiles(t, "*.yaml")
	if len(paths) < 30 {
		t.Errorf("%d profiles", len(paths))
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !origin.Match(src) {
				t.Error("it does not begin with: # Origin: owner/name path")
			}
			if !strings.Contains(string(src), "\nversion: 1\nname: "+name+"\ndescription: ") {
				t.Error("version, name and description do not come first, or the name is not that of the file")
			}
			got := findingsOf(t, name, src)
			file := strings.TrimSuffix(path, ".yaml") + ".out"
			if *update {
				if err := writeGolden(file, got); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	for _, out := range realFiles(t, "*.out") {
		if !slices.Contains(paths, strings.TrimSuffix(out, ".out")+".yaml") {
			t.Errorf("%s belongs to no profile", out)
		}
	}
}

// findingsOf returns the findings in the format oneline without the file name.
func findingsOf(t *testing.T, name string, src []byte) string {
	t.Helper()
	var b strings.Builder
	if err := Oneline(&b, slices.Values([]Report{Check(name, src, Options{})})); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for line := range strings.Lines(b.String()) {
		lines.WriteString(strings.TrimPrefix(line, name+":"))
	}
	return lines.String()
}

// writeGolden writes the expected text, or removes the file if it is empty.
func writeGolden(file, text string) error {
	if text != "" {
		return os.WriteFile(file, []byte(text), 0o644)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func realFiles(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(realDir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
