package repository

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// A requirement is a module that a go.mod requires.
type requirement struct {
	module, version string
	indirect        bool
}

// readGoMod returns what a go.mod requires, without the modules of this repository, and the
// packages of its tools. A toolchain line is the requirement of the module Go.
func readGoMod(t *testing.T, dir string) (required []requirement, tools []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	block := ""
	for line := range strings.Lines(string(text)) {
		line, comment, _ := strings.Cut(strings.TrimSpace(line), " //")
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(line, "//"):
			continue
		case words[0] == ")":
			block = ""
			continue
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case block != "":
			words = append([]string{block}, words...)
		}
		switch {
		case words[0] == "toolchain":
			required = append(required, requirement{module: "Go", version: words[1]})
		case words[0] == "tool":
			tools = append(tools, words[1])
		case words[0] == "require" && words[1] != module:
			required = append(required, requirement{words[1], words[2], strings.TrimSpace(comment) == "indirect"})
		}
	}
	return required, tools
}

// pageRows returns the cells of each row of the tables of docs/dependencies.md that begin
// with a header, without the marks of code.
func pageRows(t *testing.T, header string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, header):
			inside = true
		case !strings.HasPrefix(line, "|"):
			inside = false
		case inside && !strings.HasPrefix(line, "|---"):
			var cells []string
			for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
				cells = append(cells, strings.Trim(cell, " `"))
			}
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("docs/dependencies.md has no table %q", header)
	}
	return rows
}

// TestDependencies: docs/dependencies.md has a row for every module that go.mod requires,
// with this version, and the Go release that builds the files of a release. A new version
// fails until it is reviewed.
func TestDependencies(t *testing.T) {
	reviewed := map[string]string{}
	for _, row := range pageRows(t, "| module | version |") {
		reviewed[row[0]] = row[1]
	}
	explained := map[string]bool{}
	for _, row := range pageRows(t, "| module | known advisories |") {
		explained[row[0]] = true
	}
	required, _ := readGoMod(t, ".")
	if len(required) < 5 {
		t.Fatalf("go.mod: %v", required)
	}
	names := []string{"Go"}
	for _, r := range required {
		names = append(names, r.module)
		if reviewed[r.module] != r.version {
			t.Errorf("docs/dependencies.md: %s %q, and go.mod has %s; review that version", r.module, reviewed[r.module], r.version)
		}
	}
	for name := range reviewed {
		if !slices.Contains(names, name) {
			t.Errorf("docs/dependencies.md: %s is not in go.mod", name)
		}
		if !explained[name] {
			t.Errorf("docs/dependencies.md: %s has no row with its advisories", name)
		}
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil || !strings.Contains(string(makefile), "\nRELEASE_GO ?= "+reviewed["Go"]+"\n") {
		t.Errorf("Makefile: RELEASE_GO is not %s, which docs/dependencies.md reviews", reviewed["Go"])
	}
	// setup-go installs exactly the version of go.mod if it reads that file.
	for _, file := range append(workflowFiles(t), "action.yml") {
		for _, s := range readWorkflow(t, file).steps() {
			if strings.HasPrefix(s.Uses.Value, "actions/setup-go@") && "go"+s.With["go-version"] != reviewed["Go"] {
				t.Errorf("%s builds with go%s, and docs/dependencies.md reviews %s", file, s.With["go-version"], reviewed["Go"])
			}
		}
	}
}

// nestedModules returns the directories with a go.mod, except that of the root.
func nestedModules(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, pattern := range []string{".ci", "internal/*", "internal/test/*"} {
		files, err := filepath.Glob(filepath.Join(root, pattern, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			dirs = append(dirs, path.Dir(filepath.ToSlash(file[len(root)+1:])))
		}
	}
	return dirs
}

// TestDependabot: Dependabot proposes new versions for every go.mod.
func TestDependabot(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github/dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directories []string
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for _, u := range file.Updates {
		if u.Ecosystem == "gomod" {
			patterns = append(patterns, u.Directories...)
		}
	}
	for _, dir := range append(nestedModules(t), "") {
		if !slices.ContainsFunc(patterns, func(p string) bool { ok, err := path.Match(p, "/"+dir); return ok && err == nil }) {
			t.Errorf(".github/dependabot.yml: no directory of gomod matches /%s", dir)
		}
	}
}

// TestNestedDependencies: docs/dependencies.md has every module that a separate module of
// this repository requires itself, or has a tool of, and its versions are those in use.
func TestNestedDependencies(t *testing.T) {
	type place struct{ dir, module string }
	reviewed := map[place]string{}
	for _, row := range pageRows(t, "| `go.mod` in | module | version |") {
		reviewed[place{row[0], row[1]}] = row[2]
	}
	main, _ := readGoMod(t, ".")
	dirs := nestedModules(t)
	if len(dirs) < 5 {
		t.Fatalf("only %v were found", dirs)
	}
	for _, dir := range dirs {
		required, tools := readGoMod(t, dir)
		for _, r := range required {
			if slices.ContainsFunc(main, func(m requirement) bool { return m.module == r.module && m.version == r.version }) {
				continue // the row of the root's go.mod
			}
			direct := !r.indirect || slices.ContainsFunc(tools, func(tool string) bool { return strings.HasPrefix(tool, r.module+"/") })
			version, ok := reviewed[place{dir, r.module}]
			if (direct || ok) && version != r.version {
				t.Errorf("docs/dependencies.md: %s %q, and %s/go.mod has %s; review that version", r.module, version, dir, r.version)
			}
		}
		for p := range reviewed {
			if p.dir == dir && !slices.ContainsFunc(required, func(r requirement) bool { return r.module == p.module }) {
				t.Errorf("docs/dependencies.md: %s is not in %s/go.mod", p.module, dir)
			}
		}
	}
}
