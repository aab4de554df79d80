//go:build !linux

package cputime

import (
	"testing"
	"time"
)

// began stands in for the start of the process.
var began = time.Now()

// Used returns the time that has passed, which is at least as much.
func Used(testing.TB) time.Duration { return time.Since(began) }
