package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestMarkup: only constants become markup. Nothing but the functions of markup.go, and the
// style sheet, is written to a page without being escaped.
func TestMarkup(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	writes := 0
	for _, f := range files {
		name := f.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			at := set.Position(call.Pos())
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "markup" {
				t.Errorf("%v: a conversion to markup", at)
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !strings.HasPrefix(method.Sel.Name, "Write") {
				return true
			}
			if of, ok := method.X.(*ast.Ident); ok && of.Name == "p" {
				writes++
				arg, isStyle := call.Args[0].(*ast.Ident)
				if name != "markup.go" && !(isStyle && arg.Name == "style") {
					t.Errorf("%v: a page is written without its functions", at)
				}
			}
			return true
		})
	}
	if writes < 5 {
		t.Errorf("%d writes", writes)
	}
}
