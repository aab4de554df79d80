//go:build !linux

package main

import (
	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
)

func (c *Command) supervise(o order, from cred.Cred, death engine.DeathSignal, argv []string) int {
	return c.refuse(cap.ErrNotLinux)
}

func (c *Command) initChild(args []string) int { return c.refuse(cap.ErrNotLinux) }
