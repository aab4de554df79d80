package render

import (
	"testing"

	"caprun/internal/test/outputs"
)

// TestSchemas compares the published schemas with the types that are encoded.
func TestSchemas(t *testing.T) {
	outputs.Agree(t, "explain", "", jsonPlan{})
	outputs.Agree(t, "diff", "/definitions/profiles", jsonProfiles{})
	outputs.Agree(t, "diff", "/definitions/trees", jsonChanges{})
	outputs.Agree(t, "verify", "", jsonVerification{})
	outputs.Agree(t, "show", "", Process{})
	outputs.Agree(t, "rules", "", jsonRules{})
}
