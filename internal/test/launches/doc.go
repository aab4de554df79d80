// Package launches makes up launches: random callers, profiles and targets,
// with an independent opinion on what each must come to. Only tests use it.
//
// A [Case] is decided by the seed, its number and the [Machine]. What a
// profile promises is judged from the made-up profile itself, not from its
// text: neither the reader, nor the compiler, nor the steps of a launch take
// part in [Promise.Broken]. Whether a refused profile could have been fulfilled
// is searched by [FindRoute], in the model of the kernel alone.
//
// The package is pure. The test of the command brings the cases to the kernel.
package launches

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Machine is what cases are made for.
type Machine struct {
	// Start is the state of the program that prepares callers.
	Start cred.Cred

	Rules cred.Rules

	// Users are entries of the user database that profiles may name.
	Users []machine.User

	// Owners and Groups can be given to the target; the first ones are most
	// ordinary, and nobody is in the last group. FileCaps tells whether it can
	// have capabilities.
	Owners, Groups []uint32
	FileCaps       bool

	// Mounts and Namespaces tell whether a caller can have a mount namespace
	// and a user namespace of its own.
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

// String returns what somebody needs to try the case by hand: the caller as a
// command line, the target and the text of the profile, in the directory
// $DIR.
func (c Case) String() string {
	return fmt.Sprintf("runas %s -- caprun -profile profile.yaml -- %s\n%s\n%s",
		strings.Join(c.Caller.Arguments("$DIR"), " "), c.Target.Path("$DIR", c.Profile.Chroot), c.Target, c.Profile.Text("$DIR"))
}

type generator struct {
	*rand.Rand
	m *Machine
}

// odds is true in percent of 100 cases.
func (g *generator) odds(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// pool has the capabilities that cases are about: those that a rule names, and
// some that none does.
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

// within returns a part of s: all, none, or some of the pool.
func (g *generator) within(s cred.Caps) cred.Caps {
	switch g.IntN(8) {
	case 0:
		return s
	case 1, 2:
		return 0
	}
	return s.Intersect(g.some())
}
