package engine

import (
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Target is what a plan depends on besides the profile and the caller's credentials:
// the program, the kernel, and the entries of the profile's user and groups.
type Target struct {
	// KernelRules are the rules of the kernel that executes the plan.
	KernelRules cred.Rules

	// Program is the program to start. Its zero value stands for an unknown
	// program without set-id bits and file capabilities.
	machine.Program

	// Accounts are the entries of the user and the groups that the profile names;
	// nil if they were not looked up.
	Accounts *machine.Accounts

	// DeathSignal is the parent-death signal of the target, see prctl(2),
	// PR_SET_PDEATHSIG. If exec clears a signal that the caller has set, the plan
	// does not set it.
	DeathSignal machine.DeathSignal

	// Supervised reports that the target replaces a child process of the caller, as
	// with caprun -init. The child does not inherit all attributes, see fork(2), and
	// DeathSignal is the supervisor's.
	Supervised bool

	// Resources are the caller's resource limits, descriptors and terminal. If
	// they are nil, the plan assumes that no step fails because of them.
	Resources *machine.Resources
}

// OrdinaryTarget returns the target that check, explain and diff plan for: a program
// without set-id bits and file capabilities, on the newest kernel that the model
// knows, with a user and groups that were not looked up.
func OrdinaryTarget() Target { return Target{KernelRules: cred.Latest()} }
