//go:build !linux

package main

import "os"

// peak returns 0: only Linux is supported.
func peak(*os.ProcessState) int64 { return 0 }
