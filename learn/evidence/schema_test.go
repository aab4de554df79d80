package evidence

import (
	"testing"

	"caprun/internal/test/outputs"
)

// TestSchema compares the published schema with the types that are encoded, and with the
// reports of the golden files. The whole output of learn contains such a report.
func TestSchema(t *testing.T) {
	outputs.Agree(t, "learn", "/definitions/pass", Report{})
	for _, name := range [...]string{"sshd", "interrupted"} {
		outputs.MatchFileIn(t, "learn", "testdata/"+name+".json", `{"version":1,"result":"unconfirmed","first":`, `}`)
	}
}
