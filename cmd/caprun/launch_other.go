//go:build !linux

package main

import "caprun/cap"

func checkSecureMode() error { return nil }

func closeStdin() error { return cap.ErrNotLinux }
