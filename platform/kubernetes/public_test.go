package kubernetes

import (
	"testing"

	"caprun/platform/internal/golden"
)

// TestPublic: manifests of known projects, reduced to what matters for privileges.
func TestPublic(t *testing.T) { golden.Run(t, ".yaml", Read) }
