package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// annotated are the fields that the problem matcher finds in a line.
type annotated struct{ File, Line, Column, Severity, Message, Code string }

// matchers applies the problem matchers to lines as a runner does: the first match
// counts.
func matchers(t *testing.T, lines []string) []annotated {
	t.Helper()
	text, err := os.ReadFile("../../.github/caprun-matcher.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		ProblemMatcher []struct {
			Owner, Severity string
			Pattern         []struct {
				Regexp                                      string
				File, Line, Column, Severity, Message, Code int
			}
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	found := make([]annotated, len(lines))
	for n, line := range lines {
		for _, m := range file.ProblemMatcher {
			p := m.Pattern[0]
			groups := regexp.MustCompile(p.Regexp).FindStringSubmatch(line)
			if groups == nil {
				continue
			}
			found[n] = annotated{groups[p.File], groups[p.Line], groups[p.Column], m.Severity, groups[p.Message], groups[p.Code]}
			if p.Severity > 0 {
				found[n].Severity = groups[p.Severity]
			}
			break
		}
	}
	return found
}

// TestProblemMatcher: the problem matchers match every finding in the formats oneline
// and human, and nothing else.
func TestProblemMatcher(t *testing.T) {
	dir := profileTree(t)
	printed := map[string][]string{}
	for _, format := range []string{"oneline", "human"} {
		cmd := exec.Command(caprun(t), "check", "-fail-on", "never", "-format", format, ".")
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		printed[format] = strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	}
	oneline := matchers(t, printed["oneline"])
	if slices.Contains(oneline, annotated{}) || len(oneline) < 2 {
		t.Errorf("%q\n%+v", printed["oneline"], oneline)
	}
	first := annotated{"bad/with space, two.yaml", "2", "1", "error", `unknown key "no_new_privis"`, "unknown-key"}
	if !slices.Contains(oneline, first) {
		t.Errorf("%+v is not in %+v", first, oneline)
	}
	human := slices.DeleteFunc(matchers(t, printed["human"]), func(a annotated) bool { return a == annotated{} })
	if !slices.Equal(human, oneline) {
		t.Errorf("human gives %+v and oneline %+v", human, oneline)
	}
}

// oddLines are lines that the output of TestProblemMatcher does not have.
var oddLines = []string{
	"a.yaml:1:2: info: worth knowing [x]", "a.yaml: error: no place [x-y]", "C:\\a.yaml:1:2: warning: drive [x]",
	"a:1:2: error: b:3:4: error: twice [x] [y]", "   2 | b.yaml:1:1: error: in an excerpt [x]", "  help: a: error: b [c]", "1 error in 1 file", "",
}

func TestProblemMatcherOnOddLines(t *testing.T) {
	want := []annotated{
		{"a.yaml", "1", "2", "notice", "worth knowing", "x"},
		{"a.yaml", "", "", "error", "no place", "x-y"},
		{"C:\\a.yaml", "1", "2", "warning", "drive", "x"},
		{"a", "1", "2", "error", "b:3:4: error: twice [x]", "y"},
		{}, {}, {}, {},
	}
	if got := matchers(t, oddLines); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// TestProblemMatcherInNode: Node.js, which runs the runner, matches the same.
func TestProblemMatcherInNode(t *testing.T) {
	node := requires.Tool(t, "node")
	const script = `
const {problemMatcher} = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
console.log(JSON.stringify(JSON.parse(process.argv[2]).map(line => {
  for (const {severity, pattern: [p]} of problemMatcher) {
    const g = new RegExp(p.regexp).exec(line);
    if (g) return {File: g[p.file], Line: g[p.line] ?? "", Column: g[p.column] ?? "", Severity: severity ?? g[p.severity], Message: g[p.message], Code: g[p.code]};
  }
  return {};
})));`
	lines, err := json.Marshal(oddLines)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(node, "-e", script, "../../.github/caprun-matcher.json", string(lines)).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []annotated
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if want := matchers(t, oddLines); !slices.Equal(got, want) {
		t.Errorf("Node.js finds %+v, Go %+v", got, want)
	}
}
