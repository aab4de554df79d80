package supervise

import (
	"os"
	"testing"

	"caprun/internal/test/command"
)

// Most tests of this package run the command, because a supervisor executes itself again.
func TestMain(m *testing.M) { os.Exit(command.Main(m)) }
