package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"caprun/policy"
	"caprun/profiles"
	"caprun/schema"
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

func (c *Command) schema(args []string) int {
	if len(args) > 0 {
		return c.usageError("schema takes no arguments", usage, exitTrouble)
	}
	if _, err := c.Stdout.Write(schema.JSON()); err != nil {
		return c.trouble(err)
	}
	return exitOK
}

// profiles lists the profiles that come with caprun, or prints one.
func (c *Command) profiles(args []string) int {
	switch len(args) {
	case 0:
		for _, name := range profiles.Names() {
			text, err := profiles.Read(name)
			if err != nil {
				return c.trouble(err)
			}
			first := ""
			if p, _ := policy.Parse("builtin:"+name, text); p != nil {
				first, _, _ = strings.Cut(p.Description, ". ")
			}
			fmt.Fprintf(c.Stdout, "%-18s %s.\n", name, strings.TrimSuffix(first, "."))
		}
		return exitOK
	case 1:
		text, err := profiles.Read(strings.TrimPrefix(args[0], "builtin:"))
		if err != nil {
			return c.trouble(fmt.Errorf("there is no profile %s; there are %s", args[0], strings.Join(profiles.Names(), ", ")))
		}
		if _, err := c.Stdout.Write(text); err != nil {
			return c.trouble(err)
		}
		return exitOK
	}
	return c.usageError("profiles takes at most one name", usage, exitTrouble)
}
