//go:build !linux

// Command testdeb tests the Debian package of a release, on Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "testdeb: requires Linux")
	os.Exit(1)
}
