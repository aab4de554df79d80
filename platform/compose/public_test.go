package compose

import (
	"testing"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/golden"
)

// TestPublic: Compose files of known projects, reduced to what matters for privileges.
func TestPublic(t *testing.T) {
	golden.Run(t, ".yaml", func(f declared.File) declared.Result { return Read(f, containers.Docker) })
}
