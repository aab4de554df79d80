package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"caprun/internal/test/outputs"
	"caprun/schema"

	"github.com/rogpeppe/go-internal/testscript"
)

// matchSchemaCommand compares a file with a published schema.
func matchSchemaCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: matchschema NAME FILE")
	}
	ts.Check(outputs.Validate(args[0], []byte(ts.ReadFile(args[1]))))
}

var jsonCommand = regexp.MustCompile(`^(exec|!|status) .*\b(check|diff|explain|learn|report|rules|show|verify|version)\b[^;|]* -format json\b`)

// TestScriptsMatchSchemas: the scripts compare each JSON output with its schema, and print
// one of each kind. The next line of a command without output says so.
func TestScriptsMatchSchemas(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	matched := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(text), "\n-- ")
		lines := strings.Split(script+"\n", "\n")
		for n, line := range lines {
			if !jsonCommand.MatchString(line) || strings.Contains(line, " --help") || strings.Contains(line, " -o ") || lines[n+1] == "! stdout ." {
				continue
			}
			name, ok := strings.CutPrefix(lines[n+1], "matchschema ")
			name, _, _ = strings.Cut(name, " ")
			if !ok || !strings.Contains(line, " "+name+" ") {
				t.Errorf("%s:%d: the next line does not compare the output with its schema: matchschema NAME stdout", file, n+1)
			}
			matched[name] = true
		}
	}
	for _, name := range schema.Names() {
		if name != "profile" && !matched[name] {
			t.Errorf("no script prints the JSON output of %s", name)
		}
	}
}
