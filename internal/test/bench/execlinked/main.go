// Command execlinked is execonly with the packages linked that caprun reads
// profiles with. It uses none of them: the difference is what their package
// initialization costs every start.
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
	// Exec returns only when it failed.
	_ = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	os.Exit(126)
}
