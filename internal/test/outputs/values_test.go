package outputs

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

// root is the directory of the module.
const root = "../../.."

// TestValues compares the lists of values in the schemas with the code, so that a value
// cannot be added to only one of them.
func TestValues(t *testing.T) {
	severities := returned(t, "policy/diagnostic.go", "Severity", "unknown severity")
	Values(t, "check", "/definitions/finding/properties/severity", severities...)
	Values(t, "rules", "/definitions/rule/properties/severity", severities...)
	Values(t, "report", "/definitions/finding/properties/severity", severities...)

	Values(t, "explain", "/properties/route", variable(t, "engine/plan.go", "routeNames", ".")...)
	Values(t, "explain", "/definitions/step/properties/kind", stepKinds(t)...)
	Values(t, "explain", "/definitions/inherited/properties/group", inheritedGroups(t)...)

	orders := variable(t, "engine/compare/order.go", "orderNames", ".")
	Values(t, "learn", "/properties/comparison", orders...)
	Values(t, "diff", "/definitions/profiles/properties/order", orders...)
	Values(t, "diff", "/definitions/difference/properties/order", orders...)
	Values(t, "diff", "/definitions/dimension/properties/order", orders...)
	dimensions := constants(t, "engine/compare/compare.go", "Dimension")
	Values(t, "diff", "/definitions/dimension/properties/name", dimensions...)
	verified := constants(t, "engine/compare/compare.go", "Dimension")
	for _, other := range [...]string{"caller", "regainable", "secbits", "chroot", "new_session", "keyring", "env", "rlimits", "keep_fds"} {
		verified = slices.DeleteFunc(verified, func(name string) bool { return name == other })
	}
	Values(t, "verify", "/definitions/dimension/properties/name", append(verified, "root directory", "securebits")...)
	kinds := constants(t, "internal/render/changes.go", "Kind")
	Values(t, "diff", "/definitions/change/properties/kind", kinds...)
	Values(t, "report", "/definitions/change/properties/kind", kinds...)

	verdicts := variable(t, "engine/compare/verify.go", "verdictNames", ".")
	Values(t, "verify", "/properties/verdict", verdicts...)
	Values(t, "verify", "/definitions/state/properties/verdict", verdicts...)
	Values(t, "verify", "/definitions/dimension/properties/verdict", verdicts...)
	places := variable(t, "engine/machine/process.go", "namespaceNames", ".")
	Values(t, "verify", "/properties/user_namespace", places[:2]...) // unknown is an error
	Values(t, "show", "/properties/user_namespace", places...)
	Values(t, "show", "/definitions/state/properties/root_directory", places...)
	Values(t, "show", "/definitions/state/properties/mode", variable(t, "cap/mode.go", "modeNames", ".")...)

	Values(t, "report", "/definitions/profile/properties/power", variable(t, "internal/report/power.go", "powers", "^[a-z-]+$")...)
	Values(t, "report", "/definitions/capability/properties/group", variable(t, "internal/report/groups.go", "groups", "^[a-z ]+$")...)

	Values(t, "learn", "/properties/result", returned(t, "learn/report.go", "State", "")...)
	Values(t, "learn", "/definitions/verdict/properties/verdict", constants(t, "learn/evidence/report.go", "Kind")...)
	Values(t, "learn", "/definitions/pass/properties/noroot", returned(t, "learn/evidence/input.go", "Attempt", "")...)
	Values(t, "learn", "/definitions/pass/properties/no_new_privs", returned(t, "learn/evidence/input.go", "Attempt", "")...)
	codes := append(limitCodes(t), "not-with-no-new-privs", "not-with-noroot") // made from the names of the settings
	Values(t, "learn", "/definitions/limit/properties/code", codes...)
	Values(t, "learn", "/definitions/trial/properties/purpose", returned(t, "learn/search/purpose.go", "Purpose", "unknown")...)
}

// parse parses a file of the module.
func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// literals returns the string literals below a node that match a pattern.
func literals(n ast.Node, pattern string) (list []string) {
	matches := regexp.MustCompile(pattern)
	ast.Inspect(n, func(n ast.Node) bool {
		if text, ok := literal(n); ok && matches.MatchString(text) {
			list = append(list, text)
		}
		return true
	})
	return list
}

// literal returns the text of a string literal.
func literal(n ast.Node) (string, bool) {
	l, ok := n.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// variable returns the string literals in the value of a variable.
func variable(t *testing.T, file, name, pattern string) (list []string) {
	t.Helper()
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok && s.Names[0].Name == name {
			list = literals(s, pattern)
		}
		return true
	})
	return list
}

// constants returns the values of the constants of a type.
func constants(t *testing.T, file, typeName string) (list []string) {
	t.Helper()
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok {
			if of, ok := s.Type.(*ast.Ident); ok && of.Name == typeName {
				list = append(list, literals(s, ".")...)
			}
		}
		return true
	})
	return list
}

// returned returns the string literals of the method String of a type, but not the one for
// an unknown value.
func returned(t *testing.T, file, typeName, unknown string) (list []string) {
	t.Helper()
	for _, d := range parse(t, file).Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "String" || f.Recv == nil {
			continue
		}
		if of, ok := f.Recv.List[0].Type.(*ast.Ident); ok && of.Name == typeName {
			list = literals(f, ".")
		}
	}
	return slices.DeleteFunc(list, func(text string) bool { return text == unknown })
}

// stepKinds returns the names of the kinds of steps.
func stepKinds(t *testing.T) (list []string) {
	t.Helper()
	ast.Inspect(parse(t, "engine/steps.go"), func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "name" {
				list = append(list, literals(pair.Value, ".")...)
			}
		}
		return true
	})
	return list
}

// inheritedGroups returns the groups of attributes that a target inherits.
func inheritedGroups(t *testing.T) (list []string) {
	t.Helper()
	ast.Inspect(parse(t, "engine/inherited.go"), func(n ast.Node) bool {
		if c, ok := n.(*ast.CompositeLit); ok && len(c.Elts) == 3 {
			if of, ok := c.Type.(*ast.Ident); ok && of.Name == "Inherited" {
				list = append(list, literals(c.Elts[0], ".")...)
			}
		}
		return true
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// limitCodes returns the codes of the limits of learn.
func limitCodes(t *testing.T) (list []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "learn", "evidence", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		ast.Inspect(parse(t, strings.TrimPrefix(filepath.ToSlash(file), root+"/")), func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "add" {
				if code, ok := literal(call.Args[0]); ok {
					list = append(list, code)
				}
			}
			return true
		})
	}
	slices.Sort(list)
	return slices.Compact(list)
}
