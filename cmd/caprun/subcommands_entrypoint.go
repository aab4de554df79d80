//go:build entrypoint

package main

import "fmt"

// edition says which build this is: the one that is put into container images.
// It starts programs and reviews nothing, so that it is small and starts fast.
const edition = "entrypoint build"

// subcommands are recognised as the first argument only. Those of the full
// build are too: they must not be taken for something to launch.
var subcommands = []subcommand{
	{"check", leftOut("check")},
	{"rules", leftOut("rules")},
	{"explain", leftOut("explain")},
	{"diff", leftOut("diff")},
	{"verify", leftOut("verify")},
	{"show", leftOut("show")},
	{"schema", leftOut("schema")},
	{"profiles", leftOut("profiles")},
	{"completion", leftOut("completion")},
	{"version", (*Command).version},
	{"help", (*Command).help},
}

// leftOut is a subcommand that this build does not have.
func leftOut(name string) func(*Command, []string) int {
	return func(c *Command, _ []string) int {
		c.complain(fmt.Sprintf("this is the %s; use the full build for %s", edition, name))
		return exitTrouble
	}
}
