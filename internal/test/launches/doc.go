// Package launches generates launches: random callers, profiles and targets, with an
// independent prediction of each result. Only tests use it.
//
// The seed, the number and the [Machine] determine a [Case]. [Promise.Broken]
// compares the result with the generated profile, not with its text, so it depends on
// neither the reader nor the compiler nor the steps of a launch. [FindRoute]
// searches, in the model of the kernel alone, whether a refused profile was
// reachable.
//
// The package makes no system call. The test of the command runs the cases on the
// kernel.
package launches

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Machine describes the machine that cases are generated for.
type Machine struct {
	// Start is the state of the program that prepares callers.
	Start cred.Cred

	Rules cred.Rules

	// Users are entries of the user database that profiles may name.
	Users []machine.User

	// Owners and Groups are possible owners of the target, the most common first. No
	// caller is in the last group. FileCaps reports whether the target can have
	// capabilities.
	Owners, Groups []uint32
	FileCaps       bool

	// Mounts and Namespaces report whether a caller can have a new mount namespace
	// and a new user namespace.
	Mounts, Namespaces bool
}

// Case is one launch.
type Case struct {
	Caller  Caller
	Profile Profile
	Target  Target
}

// Make returns case number index. Four cases in a row have the same caller.
func Make(m *Machine, seed uint64, index int) Case {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(index/4)<<1)), m: m}
	c := Case{Caller: g.caller()}
	g.Rand = rand.New(rand.NewPCG(seed, uint64(index)<<1|1))
	c.Target = g.target()
	c.Profile = g.profile(&c)
	return c
}

// String returns what is needed to repeat the case: the command line of the caller,
// the target and the text of the profile, in the directory $DIR.
func (c Case) String() string {
	return fmt.Sprintf("runas %s -- caprun -profile profile.yaml -- %s\n%s\n%s",
		strings.Join(c.Caller.Arguments("$DIR"), " "), c.Target.Path("$DIR", c.Profile.Chroot), c.Target, c.Profile.Text("$DIR"))
}

type generator struct {
	*rand.Rand
	m *Machine
}

// odds returns true in percent of 100 cases.
func (g *generator) odds(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// pool has the capabilities that cases use: those that rules name, and some others.
var pool = [...]int{cred.CHOWN, 5, cred.SETGID, cred.SETUID, cred.SETPCAP, 10, 13, cred.SYS_CHROOT, sysAdmin, 40}

const sysAdmin = 21

// some returns a few capabilities of the pool.
func (g *generator) some() cred.Caps {
	var s cred.Caps
	for range 1 + g.IntN(3) {
		s = s.With(pick(g, pool[:]))
	}
	return s
}

// within returns a subset of s: all, none, or some of the pool.
func (g *generator) within(s cred.Caps) cred.Caps {
	switch g.IntN(8) {
	case 0:
		return s
	case 1, 2:
		return 0
	}
	return s.Intersect(g.some())
}
