package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testSources returns the text of all tests of the repository.
func testSources(t *testing.T) string {
	t.Helper()
	var tests strings.Builder
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		tests.Write(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests.String()
}

// isTest reports whether a name is that of a test or of a script in testdata/script.
func isTest(sources, name string) bool {
	if strings.HasSuffix(name, ".txtar") {
		_, err := os.Stat(filepath.Join("testdata", "script", name))
		return err == nil
	}
	return name != "" && strings.Contains(sources, "\nfunc "+name+"(")
}

// TestSecurityClaims: the tests and scripts that SECURITY.md names exist.
func TestSecurityClaims(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testSources(t)
	promises, _, _ := strings.Cut(string(text), "## What it does not promise")
	_, promises, _ = strings.Cut(promises, "| promise |")
	rows := 0
	for line := range strings.Lines(promises) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| promise") {
			continue
		}
		cells := strings.Split(line, "|")
		names := regexp.MustCompile("`[^`]+`").FindAllString(cells[len(cells)-2], -1)
		if rows++; len(names) == 0 {
			t.Errorf("no test for: %s", cells[1])
		}
		for _, name := range names {
			if name = strings.Trim(name, "`"); !isTest(tests, name) {
				t.Errorf("unknown test %s", name)
			}
		}
	}
	if rows < 15 {
		t.Errorf("only %d promises were found", rows)
	}
}
