package report

import (
	"testing"

	"caprun/internal/test/outputs"
)

// TestSchema compares the published schema with the types that are encoded, and with what
// the report of the golden files prints.
func TestSchema(t *testing.T) {
	outputs.Agree(t, "report", "", jsonReport{})
	outputs.MatchFile(t, "report", "testdata/json.golden")
}
