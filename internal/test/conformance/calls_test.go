package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caprun/internal/test/requires"
)

// callStarts are the states before the calls of cmd/calls.
var callStarts = []string{"root", "bracketed", "user", "powerless", "no setpcap", "no setuid", "inheritable"}

// callDifferences has the row of the documentation for each call that differs.
var callDifferences = map[string]string{
	`FromText "=ep-e"`:             rowLowering,
	"IABFromText of 63":            rowHiddenTuple,
	"Set.SetFlag of a bad flag":    rowPanics,
	"Set.GetFlag of 64":            rowPanics,
	"Set.SetFlag of 64":            rowPanics,
	"IAB.Fill of a bad flag":       rowPanics,
	"Set.GetNSOwner of nil":        rowNilOwner,
	"Set.SetNSOwner of nil":        rowNilOwner,
	"IAB.SetVector, half":          rowHalf,
	"IAB.SetVector, bad and empty": rowHalf,
	"IAB.SetVector of 63":          rowHiddenTuple,
	"IAB.Fill of Bound":            rowFillBound,
	"Set.SetFile of a zero Set":    rowZeroSet,
	"Set.SetFd of a zero Set":      rowZeroSet,
	"Set.SetFile with an owner":    rowOwner,
	"Secbits.Set 0":                rowSecbits, "Secbits.Set 1": rowSecbits, "Secbits.Set 47": rowSecbits, "Secbits.Set 239": rowSecbits, "Secbits.Set 1048576": rowSecbits,
	"IABGetPID without a line":               rowNoVector,
	"GetFd of a closed file":                 rowClosed,
	"GetPID of more than 32 bits":            rowWidePID,
	"SetUID of more than 32 bits":            rowWideID,
	"SetUID -2":                              rowWideID,
	"SetGroups -2":                           rowWideID,
	"SetGroups with group -1":                rowWideID,
	"Launch uid of more than 32 bits":        rowWideID,
	"IAB.SetProc of 63":                      rowUnknownGrant,
	"Launch tuple of 63":                     rowUnknownGrant,
	"bounding set unreadable, to be lowered": rowUnreadable,
	"Launch zero tuple":                      rowZeroTuple,
	"Launch empty environment":               rowEnvironment,
	"Launch root":                            rowRootDirectory,
	"Launch root, callback sets Sys":         rowRootLost,
	"Launch PURE1E, ambient":                 rowModeAmbient,
	"Launch NOPRIV, ambient":                 rowModeAmbient,
	"Launch PURE1E_INIT, inheritable":        rowModeInheritable,
	"Launch NOPRIV, inheritable":             rowModeInheritable,
	"Launch slices changed later":            rowSlices,
	"Launch of no function":                  rowNoFunction,
	"Launch ended by Goexit":                 rowGoexit,
	"Launch with setters in the callback":    rowSetters,
}

// buildCalls builds cmd/calls, with the import path of package cap replaced for
// theirs.
func buildCalls(t *testing.T, theirs bool) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "calls")
	args := []string{"build", "-o", program}
	if theirs {
		files, err := filepath.Glob("cmd/calls/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		replace := map[string]string{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			from, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			replace[from] = filepath.Join(dir, filepath.Base(file))
			text = bytes.ReplaceAll(text, []byte(`"caprun/cap"`), []byte(`"`+upstreamCap+`"`))
			if err := os.WriteFile(replace[from], text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		overlay, err := json.Marshal(map[string]any{"Replace": replace})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-overlay", filepath.Join(dir, "overlay.json"))
	}
	if out, err := exec.Command("go", append(args, "./cmd/calls")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Other users run it too.
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return program
}

// runCall makes one call in a process, and returns the output.
func runCall(t *testing.T, program, start, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(program), "call")
	if err != nil {
		t.Error(err)
		return ""
	}
	private := filepath.Join(dir, "private")
	text, err := os.ReadFile("/bin/true")
	for _, step := range []func() error{
		func() error { return err },
		func() error { return os.Mkdir(private, 0o700) },
		func() error { return os.WriteFile(filepath.Join(private, "program"), text, 0o755) },
		func() error { return os.Chmod(dir, 0o777) },
	} {
		if err := step(); err != nil {
			t.Error(err)
			return ""
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, start, name)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CONFORMANCE_DIRECTORY="+dir)
	out, err := cmd.Output()
	result := strings.ReplaceAll(string(out), dir, "DIRECTORY")
	if err != nil {
		result += err.Error() + "\n"
	}
	return result
}

// TestCalls makes every call of cmd/calls with both packages from every start. Each
// difference must be in the documentation, and each documented difference must
// appear.
func TestCalls(t *testing.T) {
	requires.Root(t)
	ours, theirs := buildCalls(t, false), buildCalls(t, true)
	list, err := exec.Command(ours).Output()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	type job struct{ start, name string }
	jobs := make(chan job)
	var mu sync.Mutex
	differs := map[string]bool{}
	var wg sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for j := range jobs {
				o, u := runCall(t, ours, j.start, j.name), runCall(t, theirs, j.start, j.name)
				if o == u {
					continue
				}
				mu.Lock()
				differs[j.name] = true
				mu.Unlock()
				if callDifferences[j.name] == "" {
					t.Errorf("%s, %s:\nours\n%s\ntheirs\n%s", j.start, j.name, o, u)
				}
			}
		})
	}
	count := 0
	for line := range strings.Lines(string(list)) {
		once, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		names = append(names, name)
		for n, start := range callStarts {
			if n == 0 || once == "false" {
				jobs <- job{start, name}
				count++
			}
		}
	}
	close(jobs)
	wg.Wait()
	for name, row := range callDifferences {
		if !slices.Contains(names, name) {
			t.Errorf("unknown call %q", name)
		} else if !differs[name] {
			t.Errorf("%s: the known difference does not appear: %s", name, row)
		}
	}
	t.Logf("%d calls compared, %d of them known to differ", count, len(differs))
}

// TestCallsAreComplete: cmd/calls calls every function and method of theirs.
func TestCallsAreComplete(t *testing.T) {
	set := token.NewFileSet()
	files, err := filepath.Glob("cmd/calls/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, name := range files {
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	imp := importer.ForCompiler(set, "gc", exportData)
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	if _, err := (&types.Config{Importer: imp}).Check("calls", set, parsed, info); err != nil {
		t.Fatal(err)
	}
	called := map[string]bool{}
	for _, o := range info.Uses {
		if fn, ok := o.(*types.Func); ok && fn.Pkg() != nil && fn.Pkg().Path() == "caprun/cap" {
			called[nameOf(fn)] = true
		}
	}
	upstream, err := imp.Import(upstreamCap)
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, fn := range functions(upstream) {
		// The program uses String by printing with package fmt.
		if name := nameOf(fn); !called[name] && fn.Name() != "String" {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		t.Errorf("not called: %v", missing)
	}
	t.Logf("%d functions and methods are called", len(called))
}

// functions returns the exported functions and methods of a package.
func functions(p *types.Package) (list []*types.Func) {
	for _, name := range p.Scope().Names() {
		switch o := p.Scope().Lookup(name).(type) {
		case *types.Func:
			if o.Exported() {
				list = append(list, o)
			}
		case *types.TypeName:
			set := types.NewMethodSet(types.NewPointer(o.Type()))
			for m := range set.Methods() {
				if o.Exported() && m.Obj().Exported() {
					list = append(list, m.Obj().(*types.Func))
				}
			}
		}
	}
	return list
}

// nameOf returns the name of a function, or of a method with its type's.
func nameOf(fn *types.Func) string {
	recv := fn.Signature().Recv()
	if recv == nil {
		return fn.Name()
	}
	typ := recv.Type()
	if p, ok := typ.(*types.Pointer); ok {
		typ = p.Elem()
	}
	return typ.(*types.Named).Obj().Name() + "." + fn.Name()
}
