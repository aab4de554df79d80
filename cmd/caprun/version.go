package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the version of caprun; make build and make dist set it.
var Version = "(devel)"

// versionForm is the form that prints the version.
func versionForm() *form {
	return &form{name: "version", about: "print the version", run: (*Command).version}
}

func (c *Command) version([]string) int {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	return c.print(fmt.Sprintf("caprun %s%s %s %s/%s, profile format 1\n", Version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH))
}
