//go:build !linux

package policy

import (
	"testing"
	"time"
)

// began stands in for the start of the process.
var began = time.Now()

// cpuTime returns the time that has passed, which is at least as much.
func cpuTime(*testing.T) time.Duration { return time.Since(began) }
