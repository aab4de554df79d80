package cap

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestPrctlWhenStackGrows passes a pointer to a local variable, as rule 4 of
// unsafe.Pointer allows, at every depth of the stack. The result of the kernel must
// arrive, also when the call makes the runtime move the stack.
func TestPrctlWhenStackGrows(t *testing.T) {
	const depths = 400
	for name, get := range map[string]func() bool{
		"Prctl": func() bool {
			signal := int32(-1)
			_, err := Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)))
			return err == nil && signal == 0
		},
		"Prctlw": func() bool {
			signal := int32(-1)
			_, err := Prctlw(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)))
			return err == nil && signal == 0
		},
	} {
		lost := 0
		for depth := range depths {
			arrived := make(chan bool)
			go func() { arrived <- atDepth(depth, get) }()
			if !<-arrived {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("%s: the result is lost %d of %d times", name, lost, depths)
		}
	}
}

// atDepth calls get with depth more frames on the stack.
//
//go:noinline
func atDepth(depth int, get func() bool) bool {
	if depth > 0 {
		return atDepth(depth-1, get)
	}
	return get()
}
