package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the version of caprun; make dist sets it.
var Version = "(devel)"

func (c *Command) version(args []string) int {
	if len(args) > 0 {
		return c.usageError("version takes no arguments", usage, exitTrouble)
	}
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	fmt.Fprintf(c.Stdout, "caprun %s%s %s %s/%s, profile format 1\n", Version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitOK
}

func (c *Command) help(args []string) int {
	fmt.Fprint(c.Stdout, usage)
	return exitOK
}
