package psx

import (
	"go/ast"
	"go/parser"
	"go/token"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// atDepth calls f with n more frames on the stack.
//
//go:noinline
func atDepth(n int, f func() bool) bool {
	var frame [8]byte
	if n > 0 {
		return atDepth(n-1, f) || frame[0] != 0
	}
	return f()
}

// pointerCalls have the kernel write to a local variable. It is on the stack unless
// the compiler moves it to the heap because of the call. Each reports whether the
// result arrived.
var pointerCalls = map[string]func() bool{
	"Syscall3": func() bool {
		signal := int32(-1)
		_, _, errno := Syscall3(syscall.SYS_PRCTL, syscall.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0)
		return errno == 0 && signal == 0
	},
	"Syscall6": func() bool {
		signal := int32(-1)
		_, _, errno := Syscall6(syscall.SYS_PRCTL, syscall.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0, 0, 0, 0)
		return errno == 0 && signal == 0
	},
	"deferred": func() bool {
		signal := int32(-1)
		func() {
			defer Syscall3(syscall.SYS_PRCTL, syscall.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0)
		}()
		return signal == 0
	},
	"go statement": func() bool {
		signal := int32(-1)
		go Syscall3(syscall.SYS_PRCTL, syscall.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0)
		// A go statement has no result to wait for. The call can take seconds on a busy
		// machine.
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); runtime.Gosched() {
			if atomic.LoadInt32(&signal) == 0 {
				return true
			}
		}
		return false
	},
	// Only the call itself refers to the memory that the kernel reads.
	"kept alive": func() bool {
		_, _, errno := Syscall3(syscall.SYS_PRCTL, syscall.PR_SET_NAME, uintptr(unsafe.Pointer(&[]byte("pointer\x00")[0])), 0)
		var name [16]byte
		syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_NAME, uintptr(unsafe.Pointer(&name)), 0)
		return errno == 0 && strings.HasPrefix(string(name[:]), "pointer\x00")
	},
}

// TestPointersStayValid: the stack of a goroutine moves when a call makes it grow,
// and when the garbage collector shrinks it while the call waits for its turn.
func TestPointersStayValid(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	depths := 200
	if long {
		depths = 2000
	}
	var done atomic.Bool
	collected := make(chan bool)
	go func() {
		for !done.Load() {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
		close(collected)
	}()
	for name, call := range pointerCalls {
		for depth := range depths {
			valid := make(chan bool)
			go func() { valid <- atDepth(2*depth, call) }()
			if !<-valid {
				t.Errorf("%s: the result is lost at depth %d", name, 2*depth)
				break
			}
		}
	}
	done.Store(true)
	<-collected
}

// TestPointersAreMarked: //go:uintptrescapes keeps pointers valid, so each exported
// function has it.
func TestPointersAreMarked(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "psx.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	functions := 0
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || !f.Name.IsExported() {
			continue
		}
		functions++
		marked := false
		if f.Doc != nil {
			for _, line := range f.Doc.List {
				marked = marked || line.Text == "//go:uintptrescapes"
			}
		}
		if !marked {
			t.Errorf("%s lacks //go:uintptrescapes", f.Name)
		}
	}
	if functions == 0 {
		t.Error("psx.go exports no function")
	}
}
