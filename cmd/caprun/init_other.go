//go:build !linux

package main

import (
	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

func (c *Command) supervise(o order, from cred.Cred, death machine.DeathSignal, argv []string) int {
	return c.refuse(cap.ErrNotLinux)
}

func (c *Command) initChild(args []string) int { return c.refuse(cap.ErrNotLinux) }
