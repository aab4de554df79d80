package conformance

import (
	"bytes"
	"fmt"
	"go/constant"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	upstreamCap = "kernel.org/pub/linux/libs/security/libcap/cap"
	upstreamPsx = "kernel.org/pub/linux/libs/security/libcap/psx"
)

// TestAPI compares the exported names and their types. Ours may have more.
func TestAPI(t *testing.T) {
	imp := importer.ForCompiler(token.NewFileSet(), "gc", exportData)
	for theirs, ours := range map[string]string{upstreamCap: "caprun/cap", upstreamPsx: "caprun/psx"} {
		a, err := imp.Import(theirs)
		if err != nil {
			t.Fatal(err)
		}
		b, err := imp.Import(ours)
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for _, name := range a.Scope().Names() {
			object := a.Scope().Lookup(name)
			if !object.Exported() || name == "O_PATH" {
				// O_PATH is a constant of open(2) that one version exports.
				continue
			}
			own := b.Scope().Lookup(name)
			if own == nil {
				t.Errorf("%s.%s is missing", ours, name)
				continue
			}
			if want, got := describe(object), describe(own); got != want {
				t.Errorf("%s.%s is\n%s\nand theirs\n%s", ours, name, got, want)
			}
			compared++
		}
		t.Logf("%s: %d names are the same", ours, compared)
	}
}

// exportData finds the compiled form of a package.
func exportData(path string) (io.ReadCloser, error) {
	cmd := exec.Command("go", "list", "-export", "-f", "{{.Export}}", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(string(bytes.TrimSpace(out)))
	return io.NopCloser(bytes.NewReader(data)), err
}

// describe returns what users of a name can see of it.
func describe(o types.Object) string {
	local := func(p *types.Package) string {
		if p == o.Pkg() {
			return ""
		}
		return p.Path()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%T %s %s", o, o.Name(), types.TypeString(o.Type(), local))
	switch o := o.(type) {
	case *types.Const:
		fmt.Fprintf(&b, " = %s", constant.ToInt(o.Val()))
		if o.Val().Kind() == constant.Bool {
			fmt.Fprintf(&b, " %s", o.Val())
		}
	case *types.TypeName:
		if _, opaque := o.Type().Underlying().(*types.Struct); !opaque {
			fmt.Fprintf(&b, " %s", o.Type().Underlying())
		}
		set := types.NewMethodSet(types.NewPointer(o.Type()))
		for m := range set.Methods() {
			if m.Obj().Exported() && theirMethods(o.Name(), m.Obj().Name()) {
				fn := m.Obj().(*types.Func)
				_, pointer := fn.Signature().Recv().Type().(*types.Pointer)
				fmt.Fprintf(&b, "\n\tmethod (pointer %v) %s %s", pointer, fn.Name(), types.TypeString(fn.Signature(), local))
			}
		}
	}
	return strings.ReplaceAll(b.String(), "interface{}", "any")
}

// additive lists the methods that only ours has.
var additive = map[string]string{
	"Launcher": "Exec SetBeforeExec SetCwd SetDeathSignal SetDescriptors SetEnv SetFinal SetIDs SetNewKeyring SetNewSession SetNoNewPrivs SetRlimit SetSecbits SetUmask Steps",
	"IAB":      "Masks",
	"Set":      "Masks Text",
	"Secbits":  "Names",
	"Value":    "Description",
}

func theirMethods(typ, method string) bool {
	return !strings.Contains(" "+additive[typ]+" ", " "+method+" ")
}
