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

var update = flag.Bool("update", false, "write the list of exported names")

// apiFile has the exported names of the packages that other modules can import. A line that
// is removed or changed breaks them: CHANGELOG.md must say so.
const apiFile = "testdata/api.txt"

// TestAPI compares the exported names of Linux with apiFile.
func TestAPI(t *testing.T) {
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
	var lines []string
	for _, dir := range dirs {
		lines = append(lines, exported(t, dir)...)
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(apiFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(apiFile)
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
	for _, line := range old {
		if !slices.Contains(lines, line) {
			t.Errorf("removed or changed: %s", line)
		}
	}
	for _, line := range lines {
		if !slices.Contains(old, line) {
			t.Errorf("new: %s", line)
		}
	}
	if t.Failed() {
		t.Log("after a change that is meant, write the list with: go test ./internal/test/repository -run API -update")
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
