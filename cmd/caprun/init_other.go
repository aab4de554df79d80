//go:build !linux

package main

import "caprun/cap"

func (c *Command) supervise(o order, argv []string) int { return c.refuse(cap.ErrNotLinux) }

func (c *Command) initChild(args []string) int { return c.refuse(cap.ErrNotLinux) }
