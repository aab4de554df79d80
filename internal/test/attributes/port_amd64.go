package main

import (
	"fmt"
	"runtime/debug"
)

// readPort reads the port of ioperm in runas. Without permission the kernel sends
// SIGSEGV.
func readPort() (text string, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("general protection fault")
		}
	}()
	inb()
	return "permitted", nil
}

// inb reads a byte from port 0x80.
func inb()
