package repository

import (
	"bytes"
	"flag"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the lists of exported names")

// apiFiles have the exported names of the packages that other modules can import. A line of
// the first that is removed or changed breaks what docs/go.md promises: CHANGELOG.md must
// say so. The packages of the other serve the command.
var apiFiles = map[bool]string{true: "testdata/api.txt", false: "testdata/api_other.txt"}

// promised are the packages whose Go API docs/go.md promises.
var promised = []string{
	"cap", "psx", "policy", "engine", "engine/machine", "engine/cred", "engine/compare", "engine/review", "profiles", "schema",
}

// mayChange is the sentence in the documentation of the other packages.
const mayChange = "Its Go API may change in any release."

// TestAPI compares the exported names of Linux with apiFiles.
func TestAPI(t *testing.T) {
	dirs := publicDirs(t)
	for isPromised, file := range apiFiles {
		var lines []string
		for _, dir := range dirs {
			if slices.Contains(promised, dir) == isPromised {
				lines = append(lines, exported(t, dir)...)
			}
		}
		compareNames(t, file, lines)
	}
	if t.Failed() {
		t.Log("after a change that is meant, write the lists with: go test ./internal/test/repository -run API -update")
	}
}

// TestAPIPromise: the table of docs/go.md has the promised packages, and the documentation
// of each other package says that it may change.
func TestAPIPromise(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "go.md"))
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "| `"+module+"/"); ok {
			name, _, _ = strings.Cut(name, "`")
			table[name] = true
		}
	}
	dirs := publicDirs(t)
	for _, dir := range dirs {
		said := strings.Contains(strings.Join(strings.Fields(packageDoc(t, dir)), " "), mayChange)
		switch isPromised := slices.Contains(promised, dir); {
		case isPromised != table[dir]:
			t.Errorf("%s: in the table of docs/go.md, or not promised", dir)
		case isPromised == said:
			t.Errorf("%s: the documentation of a package that is not promised, and of no other, has the sentence %q", dir, mayChange)
		}
	}
	for _, dir := range promised {
		if !slices.Contains(dirs, dir) {
			t.Errorf("%s: no such package", dir)
		}
	}
}

// packageDoc returns the documentation of the package in a directory.
func packageDoc(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "_test.go") {
			text += f.Doc.Text()
		}
	}
	return text
}

// publicDirs returns the directories of the packages that other modules can import.
func publicDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	goFiles(t, false, func(file string) {
		dir := filepath.Dir(file)
		first, _, _ := strings.Cut(dir, "/")
		public := !strings.Contains("/"+dir+"/", "/internal/") && !slices.Contains([]string{".", "cmd", "examples"}, first)
		if public && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	})
	slices.Sort(dirs)
	return dirs
}

// compareNames compares lines with those of a file, or writes it.
func compareNames(t *testing.T, file string, lines []string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
	for _, line := range old {
		if !slices.Contains(lines, line) {
			t.Errorf("%s: removed or changed: %s", file, line)
		}
	}
	for _, line := range lines {
		if !slices.Contains(old, line) {
			t.Errorf("%s: new: %s", file, line)
		}
	}
}

// exported returns a line for each exported name of the package in a directory.
func exported(t *testing.T, dir string) []string {
	t.Helper()
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", "amd64", false
	p, err := context.ImportDir(filepath.Join(root, dir), 0)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	d, err := doc.NewFromFiles(set, files, module+"/"+dir)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	add := func(node any, before string) {
		var b bytes.Buffer
		if err := (&printer.Config{Mode: printer.RawFormat}).Fprint(&b, set, node); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, dir+": "+before+strings.Join(strings.Fields(b.String()), " "))
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, name := range v.Names {
				if ast.IsExported(name) {
					lines = append(lines, dir+": "+v.Decl.Tok.String()+" "+name)
				}
			}
		}
	}
	funcs := func(list []*doc.Func) {
		for _, f := range list {
			f.Decl.Body, f.Decl.Doc = nil, nil
			add(f.Decl, "")
		}
	}
	values(d.Consts)
	values(d.Vars)
	funcs(d.Funcs)
	for _, ty := range d.Types {
		values(ty.Consts)
		values(ty.Vars)
		funcs(ty.Funcs)
		funcs(ty.Methods)
		for _, spec := range ty.Decl.Specs {
			lines = append(lines, typeLines(dir, spec.(*ast.TypeSpec), add)...)
		}
	}
	slices.Sort(lines)
	return lines
}

// typeLines returns the lines of a type: its name, and its exported fields or methods.
func typeLines(dir string, spec *ast.TypeSpec, add func(node any, before string)) []string {
	name := spec.Name.Name
	var fields *ast.FieldList
	switch ty := spec.Type.(type) {
	case *ast.StructType:
		fields = ty.Fields
	case *ast.InterfaceType:
		fields = ty.Methods
	default:
		add(spec.Type, "type "+name+" ")
		return nil
	}
	lines := []string{dir + ": type " + name}
	for _, f := range fields.List {
		for _, n := range f.Names {
			if n.IsExported() {
				add(f.Type, "field "+name+"."+n.Name+" ")
			}
		}
		if f.Names == nil {
			add(f.Type, "embeds "+name+" ")
		}
	}
	return lines
}
