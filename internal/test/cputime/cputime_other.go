//go:build !linux

package cputime

import (
	"testing"
	"time"
)

// began is about the start of the process.
var began = time.Now()

// Used returns the elapsed time, which is at least the processor time.
func Used(testing.TB) time.Duration { return time.Since(began) }
