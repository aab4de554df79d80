package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityClaims holds that the tests and scripts that SECURITY.md names
// are there.
func TestSecurityClaims(t *testing.T) {
	top := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(top, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
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
			t.Errorf("no test shows: %s", cells[1])
		}
		for _, name := range names {
			name = strings.Trim(name, "`")
			if strings.HasSuffix(name, ".txtar") {
				if _, err := os.Stat(filepath.Join("testdata", "script", name)); err != nil {
					t.Error(err)
				}
			} else if !strings.Contains(tests.String(), "\nfunc "+name+"(") {
				t.Errorf("there is no test %s", name)
			}
		}
	}
	if rows < 15 {
		t.Errorf("only %d promises were found", rows)
	}
}
