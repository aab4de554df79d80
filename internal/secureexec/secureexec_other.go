//go:build !linux

package secureexec

// Check returns nil: only Linux has the mode.
func Check() error { return nil }
