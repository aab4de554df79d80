// Command typecheck checks the types of every package of a module for other systems,
// tests included, without compiling the standard library for each of them.
//
//	typecheck DIR GOOS/GOARCH...
//
// It prints the errors. The exit status is 1 if there is one.
package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: typecheck DIR GOOS/GOARCH...")
		os.Exit(2)
	}
	failed := false
	for _, target := range os.Args[2:] {
		fmt.Println(target)
		if err := check(os.Args[1], target); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", target, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// check prints the errors of the module in dir for a target.
func check(dir, target string) error {
	system, arch, ok := strings.Cut(target, "/")
	if !ok {
		return fmt.Errorf("invalid target; want GOOS/GOARCH")
	}
	checked, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedDeps | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedModule,
		Dir:   dir,
		Tests: true,
		Env:   append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0", "GOWORK=off"),
	}, "./...")
	if err != nil {
		return err
	}
	if len(checked) < 10 {
		return fmt.Errorf("found only %d packages", len(checked))
	}
	if n := packages.PrintErrors(checked); n > 0 {
		return fmt.Errorf("%d errors", n)
	}
	return nil
}
