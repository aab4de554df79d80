package amd64

import (
	"runtime"
	"testing"

	"caprun/internal/test/requires"
)

// TestExecute executes random programs on this machine.
func TestExecute(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("a processor of another architecture")
	}
	backEnd.TestExecute(t, nil, requires.Rounds(200, 2000))
}
