//go:build !linux

package main

var offFirstThread int

func countOffFirstThread() int { return 0 }
