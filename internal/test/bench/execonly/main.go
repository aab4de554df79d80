// Command execonly replaces itself with the program in its arguments: the least that
// a launcher written in Go can do.
package main

import (
	"os"
	"syscall"
)

func main() {
	if len(os.Args) < 2 {
		os.Exit(125)
	}
	// Exec returns only if it failed.
	_ = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	os.Exit(126)
}
