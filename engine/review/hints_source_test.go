package review

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// hintArgument has the index of the argument of a function that is a hint; -1 is the
// last.
var hintArgument = map[string]int{
	"report": -1, "reportCaps": -1, "reportNull": -1, "unknownKey": -1, "checkExclusive": -1, "diagnose": -1, "fail": -1, "missing": -1, "writeKey": -1, "write": -1, "reportName": -1,
	"reportAt": 2, "reportText": 2, "reportIn": 4,
}

// unreachedHints are parts of hints that no profile of the tests leads to, each with the
// reason.
var unreachedHints = map[string]string{
	"fix the others first": "it stands for more findings than are reported",
	"set it as in ":        "no other difference can be more than a ceiling",
	"report this bug of caprun, and attach the file":        "no profile leads to a bug that is known",
	"report this as a bug":                                  "no profile leads to a bug that is known",
	"grant fewer capabilities: no declaration that grants ": "TestEveryRefusal of package engine leads to it",
	" is reachable here":                                    "TestEveryRefusal of package engine leads to it",
	"add uid and gid to make them equal":                    "no plan of check has a caller whose IDs differ",
	"run check without -host, or as a user with permission": "it is about a machine that cannot be read",
	"remove it from the profile":                            "checkKernel finds it first",
}

// launchFiles are the files of package engine with hints about a failed launch.
var launchFiles = []string{"exechint.go", "launch.go", "parsecaller.go", "steps.go"}

// reportUnreached reports each part of a hint in the source of policy, engine and this
// package that is in none of the hints in seen.
func reportUnreached(t *testing.T, seen map[string]bool) {
	all := strings.Join(sortedNames(seen), "\n")
	parts := 0
	for _, dir := range []string{filepath.Join("..", "..", "policy"), "..", "."} {
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") || dir == ".." && slices.Contains(launchFiles, filepath.Base(path)) {
				continue
			}
			for _, part := range hintParts(t, path) {
				parts++
				if _, listed := unreachedHints[part]; listed == strings.Contains(all, part) {
					t.Errorf("%s: %q is part of a hint that a test profile must lead to, or unreachedHints must list, and not both", path, part)
				}
			}
		}
	}
	if parts < 200 {
		t.Errorf("%d parts of hints: the search finds too little", parts)
	}
}

func sortedNames(set map[string]bool) []string {
	var names []string
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// hintParts returns the string literals of a file that are parts of hints: in variables,
// fields and functions with hint in their name, and in the arguments of hintArgument.
func hintParts(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := func(e ast.Expr) bool {
		name := ""
		switch e := e.(type) {
		case *ast.Ident:
			name = e.Name
		case *ast.SelectorExpr:
			name = e.Sel.Name
		}
		return strings.Contains(strings.ToLower(name), "hint") || strings.EqualFold(name, "instead")
	}
	var parts []string
	add := func(n ast.Node) { parts = append(parts, literals(n)...) }
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if named(n.Name) && n.Body != nil {
				add(n.Body)
				return false
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if named(left) && i < len(n.Rhs) {
					add(n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if named(name) && i < len(n.Values) {
					add(n.Values[i])
				}
			}
		case *ast.KeyValueExpr:
			if named(n.Key) {
				add(n.Value)
			}
		case *ast.CallExpr:
			name := ""
			switch f := n.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			index, ok := hintArgument[name]
			if dir := filepath.Base(filepath.Dir(path)); name == "report" && dir == "policy" {
				index = 2
			}
			if index < 0 {
				index += len(n.Args)
			}
			if ok && 0 <= index && index < len(n.Args) {
				add(n.Args[index])
			}
		}
		return true
	})
	slices.Sort(parts)
	return slices.Compact(parts)
}

// literals returns the string literals below a node, split at the verbs of Sprintf.
func literals(n ast.Node) []string {
	verbs := regexp.MustCompile(`%[a-z]`)
	letters := regexp.MustCompile(`[a-z]{3}`)
	var parts []string
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			// Arguments of other functions are not part of the hint.
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name != "Sprintf" && f.Sel.Name != "Join" {
				return false
			}
		}
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			return true
		}
		for _, part := range verbs.Split(text, -1) {
			if letters.MatchString(part) && strings.Contains(part, " ") {
				parts = append(parts, part)
			}
		}
		return true
	})
	return parts
}
