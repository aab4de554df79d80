package supervise

import (
	"maps"
	"os"
	"testing"

	"caprun/internal/test/command"
	"caprun/internal/test/reexec"
)

// Most tests of this package run the command, because a supervisor executes itself again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ChildArgument {
		runChild()
	}
	roles := maps.Clone(endRoles)
	roles["waiting"] = waitingRole
	reexec.Main(tests{m}, roles)
}

// tests removes the programs that the tests have built.
type tests struct{ *testing.M }

func (t tests) Run() int { return command.Main(t.M) }
