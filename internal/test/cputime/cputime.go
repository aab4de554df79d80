// Package cputime measures the work of a test: other load on the machine makes it
// take longer, but does not change its processor time.
package cputime

import (
	"testing"
	"time"
)

// Least returns the least processor time of up to five runs of work: a single run may
// include garbage collection for others. It stops after a run within enough.
func Least(t testing.TB, enough time.Duration, work func()) time.Duration {
	t.Helper()
	least := time.Hour
	for range 5 {
		begin := Used(t)
		work()
		if least = min(least, Used(t)-begin); least <= enough {
			break
		}
	}
	return least
}
