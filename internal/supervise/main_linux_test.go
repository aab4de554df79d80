package supervise

import (
	"testing"

	"caprun/internal/test/command"
	"caprun/internal/test/reexec"
)

// Most tests of this package run the command, because a supervisor executes itself again.
func TestMain(m *testing.M) {
	reexec.Main(tests{m}, endRoles)
}

// tests removes the programs that the tests have built.
type tests struct{ *testing.M }

func (t tests) Run() int { return command.Main(t.M) }
