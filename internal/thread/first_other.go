//go:build !linux

package thread

// onFirst is for Linux only: elsewhere it cannot be told.
func onFirst() bool { return false }
