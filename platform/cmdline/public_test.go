package cmdline

import (
	"testing"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/golden"
)

// TestPublic: command lines from the documentation of known projects.
func TestPublic(t *testing.T) {
	golden.Run(t, ".sh", func(f declared.File) declared.Result { return Read(f, containers.Docker) })
}
