//go:build !linux

package main

import "os"

// isTerminal: only Linux shows progress.
func isTerminal(*os.File) bool { return false }
