package arm64

import (
	"runtime"
	"testing"

	"caprun/internal/test/requires"
)

// TestExecute executes random programs, on another machine in an emulator.
func TestExecute(t *testing.T) {
	var emulator []string
	if runtime.GOARCH != "arm64" {
		emulator = []string{requires.Tool(t, "qemu-aarch64-static")}
	}
	backEnd.TestExecute(t, emulator, requires.Rounds(50, 400))
}
