//go:build entrypoint

package policy

import (
	"testing"

	"gopkg.in/yaml.v3"
)

const entrypointBuild = true

// compareTrees: this build shows nothing to the schema.
func compareTrees(*testing.T, *yaml.Node, any) {}
