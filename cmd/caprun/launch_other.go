//go:build !linux

package main

import "caprun/cap"

func secureMode() bool { return false }

func closeStdin() error { return cap.ErrNotLinux }
