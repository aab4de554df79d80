package repository

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the directory of the module.
const root = "../../.."

// module is its name.
const module = "caprun"

// goFiles calls visit with the path of each Go file below root, relative to it, for
// all systems. nested includes the files of nested modules.
func goFiles(t *testing.T, nested bool, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root:
			if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "node_modules" {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(file, "go.mod")); err == nil && !nested {
				return filepath.SkipDir
			}
		case filepath.Ext(file) == ".go":
			below, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			visit(filepath.ToSlash(below))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A row is a line of the table of packages.
type row struct {
	dir  string   // with the directories below, unless another row is nearer
	may  []string // allowed imports: directories, and modules by their last words
	all  bool     // every row above is allowed
	used map[string]bool
}

// readTable returns the rows of the table in CONTRIBUTING.md.
func readTable(t *testing.T) []*row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| imports |\n")
	if !found {
		t.Fatal("CONTRIBUTING.md: missing table with the column imports")
	}
	var rows []*row
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if strings.HasPrefix(line, "|---") {
			continue
		}
		if len(cells) != 3 {
			break
		}
		r := &row{dir: strings.Trim(cells[0], "`/"), used: map[string]bool{}}
		for name := range strings.SplitSeq(cells[2], ", ") {
			switch name {
			case "the standard library":
			case "all of these":
				r.all = true
			default:
				r.may = append(r.may, name)
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// rowOf returns the row with the longest directory that contains dir, or -1.
func rowOf(rows []*row, dir string) int {
	found := -1
	for n, r := range rows {
		if (dir == r.dir || strings.HasPrefix(dir, r.dir+"/")) && (found < 0 || len(r.dir) > len(rows[found].dir)) {
			found = n
		}
	}
	return found
}

// importProblem returns why code below the directory of rows[n] must not import a package, or
// "". Tests may import everything.
func importProblem(rows []*row, n int, imported string) string {
	r := rows[n]
	first, _, _ := strings.Cut(imported, "/")
	if below, ok := strings.CutPrefix(imported, module+"/"); ok {
		m := rowOf(rows, below)
		switch {
		case m == n:
			return ""
		case m < 0:
			return "has no row"
		case m > n:
			return "is below it in the table"
		case r.all:
			return ""
		case slices.Contains(r.may, rows[m].dir):
			r.used[rows[m].dir] = true
			return ""
		}
		return "is not named in its row"
	}
	if !strings.Contains(first, ".") {
		return ""
	}
	for _, name := range r.may {
		if strings.Contains(imported+"/", "/"+name+"/") || strings.Contains(imported, "/"+name+".") {
			r.used[name] = true
			return ""
		}
	}
	if r.dir == "internal/test" {
		return ""
	}
	return "is not named in its row"
}

// TestImports compares the table of packages in CONTRIBUTING.md with the imports.
// Other code than tests must not import packages for tests.
func TestImports(t *testing.T) {
	rows := readTable(t)
	if len(rows) < 10 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	packages, reported := map[string]bool{}, map[string]bool{}
	goFiles(t, false, func(file string) {
		dir := path.Dir(file)
		n := rowOf(rows, dir)
		if n < 0 {
			t.Errorf("%s: the table has no row for %s", file, dir)
			return
		}
		packages[rows[n].dir] = true
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if problem := importProblem(rows, n, imported); problem != "" && !reported[rows[n].dir+" "+imported] {
				reported[rows[n].dir+" "+imported] = true
				t.Errorf("%s: %s imports %s, which %s", file, rows[n].dir, imported, problem)
			}
		}
	})
	for n, r := range rows {
		if !packages[r.dir] {
			t.Errorf("the table names %s, which has no Go file", r.dir)
		}
		if slices.ContainsFunc(rows[:n], func(other *row) bool { return other.dir == r.dir }) {
			t.Errorf("the table names %s twice", r.dir)
		}
		for _, name := range r.may {
			if !r.used[name] {
				t.Errorf("the table says that %s imports %s, but of the packages that its row names it imports only %v", r.dir, name, slices.Sorted(maps.Keys(r.used)))
			}
		}
	}
}

// TestImportProblem: each kind of forbidden import is found.
func TestImportProblem(t *testing.T) {
	rows := []*row{
		{dir: "low", used: map[string]bool{}},
		{dir: "beside", used: map[string]bool{}},
		{dir: "high", may: []string{"low", "yaml.v3"}, used: map[string]bool{}},
		{dir: "high/inner", used: map[string]bool{}},
		{dir: "top", all: true, used: map[string]bool{}},
		{dir: "internal/test", all: true, used: map[string]bool{}},
	}
	for _, c := range []struct{ from, imported, want string }{
		{"high", "fmt", ""},
		{"high", "go/parser", ""},
		{"high", "caprun/low", ""},
		{"high", "caprun/low/below", ""},
		{"high", "caprun/high/own", ""},
		{"high", "gopkg.in/yaml.v3", ""},
		{"top", "caprun/high/inner", ""},
		{"internal/test", "golang.org/x/sys/unix", ""},
		{"high", "caprun/beside", "is not named in its row"},
		{"high", "golang.org/x/sys/unix", "is not named in its row"},
		{"top", "golang.org/x/sys/unix", "is not named in its row"},
		{"low", "caprun/high", "is below it in the table"},
		{"high", "caprun/high/inner", "is below it in the table"},
		{"top", "caprun/internal/test/requires", "is below it in the table"},
		{"top", "caprun/elsewhere", "has no row"},
	} {
		if got := importProblem(rows, rowOf(rows, c.from), c.imported); got != c.want {
			t.Errorf("%s imports %s: %q, want %q", c.from, c.imported, got, c.want)
		}
	}
}
