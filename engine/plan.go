package engine

import (
	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Plan is a profile compiled for a caller and a target: the steps of the launch, and
// the states that they lead to. The printed, predicted and executed steps are the
// same list.
type Plan struct {
	Profile  *policy.Profile
	Caller   cred.Cred // the state before the first step
	Target   Target
	Identity machine.Identity // the user and groups of the target

	Steps []Step
	Route Route

	// BeforeExec is the predicted state just before execve(2). AfterExec is the
	// predicted state in which the target executes its first instruction.
	BeforeExec, AfterExec cred.Cred

	// SecureExec predicts AT_SECURE, see getauxval(3). If it is set, ld.so(8)
	// ignores the variables that could change which code it loads.
	SecureExec bool

	launcher *cap.Launcher
}

// Step is a step of a launch, and what the plan knows about it.
type Step struct {
	*cap.Step

	// Needs is the capability that must be effective for the step. It is empty
	// if the step requires none in the state before it.
	Needs cred.Caps

	// NoOp reports that the step changes nothing; the launch skips it.
	NoOp bool

	// Key is the profile key that causes the step, such as "rlimits.core". It is
	// empty for a step that is part of every launch.
	Key string
}

// Position returns the position of the profile key that causes s.
func (p *Plan) Position(s Step) policy.Position { return p.Profile.Position(s.Key) }

// Route is the mechanism that gives the target its capabilities at exec.
type Route int

const (
	// RouteNone is the route of a profile that declares no caps, or declares the
	// sets before exec itself (iab).
	RouteNone Route = iota

	// RouteAmbient passes the capabilities on in the ambient set. It is for a
	// target with another uid than 0, or under noroot.
	RouteAmbient

	// RouteRoot relies on exec, which grants uid 0 its bounding and inheritable
	// sets.
	RouteRoot

	// RouteFile relies on the target's file capabilities.
	RouteFile
)

var routeNames = [...]string{"none", "ambient", "root", "file"}

// String returns "none", "ambient", "root" or "file".
func (r Route) String() string { return routeNames[r] }
