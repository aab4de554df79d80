package cap

import "fmt"

// Prctl calls prctl(2) on the calling thread, with the option prVal and at most five
// arguments, and returns its result. The error is a syscall.Errno, or says that there
// are too many arguments. An argument may be a pointer that the call converts to
// uintptr: see rule 4 of unsafe.Pointer.
//
//go:uintptrescapes
func Prctl(prVal uintptr, args ...uintptr) (int, error) {
	return prctlArgs(thisThread, prVal, args)
}

// Prctlw is like Prctl for every thread of the process.
//
//go:uintptrescapes
func Prctlw(prVal uintptr, args ...uintptr) (int, error) {
	result := -1
	err := change(func(s scope) error {
		var err error
		result, err = prctlArgs(s, prVal, args)
		return err
	})
	return result, err
}

func prctlArgs(s scope, option uintptr, args []uintptr) (int, error) {
	if len(args) > 5 {
		return -1, fmt.Errorf("prctl supports up to 5 arguments (not %d)", len(args))
	}
	var a [5]uintptr
	copy(a[:], args)
	return s.prctl6(option, a)
}
