package evidence

import (
	"testing"

	"caprun/internal/test/outputs"
)

// TestSchema compares the published schema with the type that is encoded.
func TestSchema(t *testing.T) {
	outputs.Agree(t, "learn", "/definitions/pass", Report{})
}

// matchSchema compares a report with the published schema, as a part of the output of learn.
func matchSchema(t *testing.T, report []byte) {
	t.Helper()
	if err := outputs.Validate("learn", []byte(`{"version":1,"result":"unconfirmed","first":`+string(report)+"}")); err != nil {
		t.Error(err)
	}
}
