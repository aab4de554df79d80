package supervise

import (
	"os"
	"testing"

	"caprun/internal/test/command"
)

// Most tests of this package run the command: a supervisor is a process of its own,
// which starts itself again.
func TestMain(m *testing.M) { os.Exit(command.Main(m)) }
