package engine

import (
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Target is what the plan is made for on a machine: the program, and the
// entry of the user that the profile names. [OrdinaryTarget]
// stands for a program of which nothing is known.
type Target struct {
	// KernelRules is the version of the kernel's rules.
	KernelRules cred.Rules

	// Program is what was found of the program.
	machine.Program

	// User is the entry of the profile's user; nil when not looked up.
	User *machine.User

	// DeathSignal is the signal that the target gets when its parent ends.
	DeathSignal machine.DeathSignal

	// Resources are those of the caller; nil for one who is not known, of
	// whom only the credentials decide about a step.
	Resources *machine.Resources
}

// OrdinaryTarget is a program that is not set-id and has no file
// capabilities, on the newest kernel known, for a user not looked up: what
// check, explain and diff plan for.
func OrdinaryTarget() Target { return Target{KernelRules: cred.Latest()} }
