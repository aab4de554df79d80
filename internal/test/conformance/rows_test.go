package conformance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// The rows of the table of differences in the documentation of package cap.
const (
	rowLowering        = `"=ep-e"`
	rowLongWord        = "text with a word of 64 KiB"
	rowPanics          = "Value 64; a bad Flag in SetFlag, IAB.Fill"
	rowNilOwner        = "GetNSOwner, SetNSOwner of nil"
	rowHiddenTuple     = "tuple with a capability that the kernel lacks"
	rowFillBound       = "IAB.Fill of Bound"
	rowHalf            = "IAB.SetVector with an error"
	rowUnknownGrant    = "IAB.SetProc, grant of a capability that the kernel lacks"
	rowUnreadable      = "IAB.SetProc, bounding set that cannot be read"
	rowOwner           = "SetFile of a Set with an owner"
	rowClosed          = "GetFd, SetFd of a closed file"
	rowFIFO            = "SetFile of a FIFO"
	rowZeroSet         = "SetFile of a zero Set"
	rowSecbits         = "Secbits.Set"
	rowKeepCaps        = "SetUID, keep-caps locked off"
	rowNoPriv          = "Mode.Set of NOPRIV"
	rowWideID          = "id below -1 or of more than 32 bits; -1 as a group"
	rowNarrowID        = "SetUID, SetGroups on 386 and arm"
	rowWidePID         = "GetPID, pid of more than 32 bits"
	rowNoVector        = "IABGetPID, status file without a vector"
	rowEnvironment     = "NewLauncher, env empty but not nil"
	rowModeAmbient     = "Launcher: PURE1E or NOPRIV with an ambient tuple"
	rowModeInheritable = "Launcher: PURE1E_INIT or NOPRIV with an inheritable tuple"
	rowZeroTuple       = "Launcher: SetIAB of a zero IAB"
	rowRootDirectory   = "Launcher: SetChroot, pa.Dir empty"
	rowRootLost        = "Launcher: callback that sets pa.Sys"
	rowGoexit          = "Launcher: callback that ends in Goexit"
	rowSetters         = "Launcher: callback that calls its setters"
	rowSlices          = "Launcher: groups, arguments, environment"
	rowNoFunction      = "FuncLauncher(nil)"
	rowOPath           = "O_PATH"
	rowPsxSecond       = "package psx, second result"
	rowPsxCgo          = "package psx with cgo"
)

// shownBy has the test that shows each row, or the reason why none does.
var shownBy = map[string]string{
	rowLowering: "TestText", rowLongWord: "TestLongWords", rowHiddenTuple: "TestTuple",
	rowOwner: "TestNamespaceOwner", rowFIFO: "TestFifoHangs", rowSecbits: "TestProcess", rowKeepCaps: "TestProcess",
	rowOPath:     "TestAPI",
	rowNoPriv:    "not run: a kernel does not refuse these steps; a fault of the call must be injected",
	rowNarrowID:  "not run: another architecture",
	rowPsxSecond: "not run: depends on a register",
	rowPsxCgo:    "not run: it sometimes hangs, or ends the process",
}

func init() {
	for _, row := range callDifferences {
		if shownBy[row] == "" {
			shownBy[row] = "TestCalls"
		}
	}
}

// documentedRows returns the first column of the table in package cap. A line that
// begins a row starts at the margin of the table; its continuation lines are
// indented.
func documentedRows(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../../../cap/doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	const head, width = "What                            There", 32
	var rows []string
	inTable := false
	for line := range strings.SplitSeq(f.Doc.Text(), "\n") {
		line, indented := strings.CutPrefix(line, "\t")
		switch {
		case strings.HasPrefix(line, head):
			inTable = true
		case !inTable || strings.HasPrefix(line, "---"):
		case !indented:
			inTable = false
		default:
			what := line[:min(len(line), width)]
			text := strings.TrimSpace(what)
			switch {
			case text == "":
			case strings.HasPrefix(what, " ") && len(rows) > 0:
				rows[len(rows)-1] += " " + text
			default:
				rows = append(rows, text)
			}
		}
	}
	return rows
}

// TestRows: the documentation lists exactly the differences that tests show, or
// cannot run with a reason. The tests fail for any other difference.
func TestRows(t *testing.T) {
	tests := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				tests[fn.Name.Name] = true
			}
		}
	}
	documented := map[string]bool{}
	for _, row := range documentedRows(t) {
		if documented[row] {
			t.Errorf("documented twice: %s", row)
		}
		documented[row] = true
		if by := shownBy[row]; by == "" {
			t.Errorf("documented, but no test has it: %s", row)
		} else if !strings.HasPrefix(by, "not run: ") && !tests[by] {
			t.Errorf("missing test %s for: %s", by, row)
		}
	}
	for row := range shownBy {
		if !documented[row] {
			t.Errorf("not documented: %s", row)
		}
	}
	t.Logf("%d differences are documented", len(documented))
}
