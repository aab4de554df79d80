package main

import (
	"fmt"
	"strings"

	"caprun/policy"
	"caprun/profiles"
	"caprun/schema"
)

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
