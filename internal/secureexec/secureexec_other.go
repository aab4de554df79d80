//go:build !linux

package secureexec

// Check returns nil: other systems have no secure-execution mode.
func Check() error { return nil }
