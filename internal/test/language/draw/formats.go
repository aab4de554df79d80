package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// formatStrings returns the texts in Go files outside tests and examples that
// have at least three words.
func formatStrings(root string) ([]message, error) {
	var all []message
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "internal/test" || path == "examples" || d.Name() == "testdata" || d.Name() == ".git"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				_, isImport := n.(*ast.ImportSpec)
				return !isImport
			}
			text, ok := literal(e)
			if ok && len(strings.Fields(text)) >= 3 {
				all = append(all, message{fmt.Sprintf("%s:%d", path, set.Position(n.Pos()).Line), text})
			}
			return !ok
		})
		return nil
	})
	return distinct(all), err
}

// literal returns the text of a string, or of a sum of which one part is a string;
// ... stands for the other parts.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		x, xok := literal(e.X)
		y, yok := literal(e.Y)
		if e.Op != token.ADD || !xok && !yok {
			return "", false
		}
		return x + y, true
	}
	return "...", false
}

// verb matches what a value is printed for.
var verb = regexp.MustCompile(`%[-+# 0-9.\[\]*]*[a-zA-Z]|\.\.\.`)

// unprinted leaves out the formats whose longest piece is in a printed message.
func unprinted(formats, printed []message) []message {
	var text strings.Builder
	for _, m := range printed {
		text.WriteString(m.text + "\n")
	}
	return slices.DeleteFunc(formats, func(m message) bool {
		longest := slices.MaxFunc(verb.Split(m.text, -1), func(a, b string) int { return len(a) - len(b) })
		return strings.Contains(text.String(), longest)
	})
}
