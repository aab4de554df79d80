// Command execlinked is execonly linked with the packages with which caprun reads
// profiles. It uses none of them: the difference is the cost of their package
// initialization.
package main

import (
	"os"
	"syscall"

	_ "caprun/policy"
	_ "caprun/schema"
)

func main() {
	if len(os.Args) < 2 {
		os.Exit(125)
	}
	// Exec returns only if it failed.
	_ = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	os.Exit(126)
}
