package repository

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testsOf returns the names of the tests and fuzz targets of each directory,
// and those of them that take long.
func testsOf(t *testing.T) (all map[string][]string, heavy []string) {
	t.Helper()
	all = map[string][]string{}
	goFiles(t, true, func(file string) {
		if !strings.HasSuffix(file, "_test.go") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			return
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") && !strings.HasPrefix(f.Name.Name, "Fuzz") {
				continue
			}
			all[path.Dir(file)] = append(all[path.Dir(file)], f.Name.Name)
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if p, ok := s.X.(*ast.Ident); ok && p.Name == "requires" && (s.Sel.Name == "Heavy" || s.Sel.Name == "Rounds") {
						heavy = append(heavy, f.Name.Name)
						return false
					}
				}
				return true
			})
		}
	})
	return all, heavy
}

// A pattern selects tests on a command line.
type pattern struct {
	flag, text string
	dirs       []string // packages; none for all of them
}

var (
	flagPattern    = regexp.MustCompile(`-(?:test\.)?(run|skip|fuzz)[ =](?:'([^']*)'|"([^"]*)"|([^ )]+))`)
	packagePattern = regexp.MustCompile(`(?:^|\s)\./([\w/-]+)`)
	cdPattern      = regexp.MustCompile(`\bcd ([\w/-]+)`)
)

// patternsOf returns the patterns in the commands of a text: those of go test, and of
// test binaries, except a shell's variables and ^$.
func patternsOf(text string) []pattern {
	var found []pattern
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if !strings.Contains(line, "go test") && !strings.Contains(line, "-test.") {
			continue
		}
		var dirs []string
		for _, m := range packagePattern.FindAllStringSubmatch(line, -1) {
			dirs = append(dirs, m[1])
		}
		if m := cdPattern.FindStringSubmatch(line); m != nil && dirs == nil {
			dirs = []string{m[1]}
		}
		for _, m := range flagPattern.FindAllStringSubmatch(line, -1) {
			if text := m[2] + m[3] + m[4]; text != "^$" && !strings.Contains(text, "$name") {
				found = append(found, pattern{m[1], text, dirs})
			}
		}
	}
	return found
}

// alternatives returns the patterns in a pattern: A|B, or x(A|B)y.
func alternatives(text string) []string {
	text, _, _ = strings.Cut(text, "/") // without subtests
	before, rest, grouped := strings.Cut(text, "(")
	inside, after, closed := strings.Cut(rest, ")")
	if !grouped || !closed || strings.Contains(before, "|") {
		return strings.Split(text, "|")
	}
	var all []string
	for a := range strings.SplitSeq(inside, "|") {
		all = append(all, before+a+after)
	}
	return all
}

// unmatched returns the alternatives that select no test, and the packages without a
// selected test.
func (p pattern) unmatched(tests map[string][]string) (missing []string) {
	dirs := p.dirs
	if dirs == nil {
		for dir := range tests {
			dirs = append(dirs, dir)
		}
	}
	selects := func(text, dir string) bool {
		r, err := regexp.Compile(text)
		return err == nil && slices.ContainsFunc(tests[dir], r.MatchString)
	}
	all := alternatives(p.text)
	for _, a := range all {
		if !slices.ContainsFunc(dirs, func(dir string) bool { return selects(a, dir) }) {
			missing = append(missing, a)
		}
	}
	for _, dir := range p.dirs {
		if !slices.ContainsFunc(all, func(a string) bool { return selects(a, dir) }) {
			missing = append(missing, "./"+dir)
		}
	}
	return missing
}

// TestPatterns: each pattern of a command in these files selects tests, and so does
// each of its alternatives.
func TestPatterns(t *testing.T) {
	tests, _ := testsOf(t)
	for file, least := range map[string]int{"Makefile": 7, ".ci/run": 3, "CONTRIBUTING.md": 6, "docs/faults.md": 0} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if os.IsNotExist(err) && least == 0 {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all := patternsOf(string(text))
		if len(all) < least {
			t.Errorf("%s: only %d patterns were found: %q", file, len(all), all)
		}
		for _, p := range all {
			if missing := p.unmatched(tests); missing != nil {
				t.Errorf("%s: -%s %q: no test for %q", file, p.flag, p.text, missing)
			}
		}
	}
}

// TestHeavy: the stage heavy of .ci/run runs each test that takes long.
func TestHeavy(t *testing.T) {
	_, heavy := testsOf(t)
	text, err := os.ReadFile(filepath.Join(root, ".ci/run"))
	if err != nil {
		t.Fatal(err)
	}
	_, stage, _ := strings.Cut(string(text), "\nstage_heavy() {\n")
	stage, _, _ = strings.Cut(stage, "\n}\n")
	all := patternsOf(stage)
	if len(all) == 0 || len(heavy) < 5 {
		t.Fatalf("the patterns of the stage are %q, the tests %q", all, heavy)
	}
	for _, name := range heavy {
		if !slices.ContainsFunc(all, func(p pattern) bool { return regexp.MustCompile(p.text).MatchString(name) }) {
			t.Errorf("the stage heavy does not run %s", name)
		}
	}
}

// TestUnmatched: a pattern that selects nothing is found.
func TestUnmatched(t *testing.T) {
	tests := map[string][]string{"a": {"TestStress", "TestChurn"}, "b": {"TestLoad"}}
	for line, want := range map[string]string{
		"go test -run 'Stress|Churn' ./a":               "",
		"go test -run 'Stress|Gone' ./a":                "Gone",
		"go test -run Load ./b":                         "",
		"go test -run Load ./a ./b":                     "./a",
		"go test -run Load ./a":                         "Load ./a",
		"go test -skip '^Test(Stress|Load)$' ./...":     "",
		"go test -skip '^Test(Stress|Gone)$' ./...":     "^TestGone$",
		"go test -run='^$' -fuzz=\"^$name\\$\" .":       "",
		"(cd a && go test -run Load)":                   "Load ./a",
		"\"$tmp/x\" -test.skip '^Test(Churn|Lost)$'":    "^TestLost$",
		"A=1 \\\n    go test -run Gone -timeout 1h ./a": "Gone ./a",
		"go test -run 'Churn/^(x|y)$' ./a":              "",
	} {
		var got []string
		for _, p := range patternsOf(line) {
			got = append(got, p.unmatched(tests)...)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
