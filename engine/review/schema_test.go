package review

import (
	"testing"

	"caprun/internal/test/outputs"
)

// TestSchema compares the published schema with the types that are encoded, and with the
// output of the golden file.
func TestSchema(t *testing.T) {
	outputs.Agree(t, "check", "/definitions/finding", jsonFinding{})
	outputs.Agree(t, "check", "/definitions/totals", Totals{})
	outputs.MatchFile(t, "check", "testdata/printers/json.golden")
}
