package engine

import (
	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Plan is what a launch does and what comes of it: a profile compiled for a
// start state and a target. The steps are printed, predicted and executed
// from the same list.
type Plan struct {
	Profile  *policy.Profile
	Caller   cred.Cred // the state in which the steps begin
	Target   Target
	Identity machine.Identity

	Steps []Step
	Route Route

	// BeforeExec is the predicted state after the last step before exec, AfterExec
	// the one in which the target's first instruction runs.
	BeforeExec, AfterExec cred.Cred

	// SecureExec predicts AT_SECURE: ld.so(8) ignores its variables then.
	SecureExec bool

	launcher *cap.Launcher
}

// Step is a step of a launch with what a reader wants to know about it.
type Step struct {
	*cap.Step

	// Needs is the capability that must be effective for the step; empty
	// when it needs none in the state that it meets.
	Needs cred.Caps

	// NoOp tells that the step would change nothing, so that it is skipped.
	NoOp bool

	// Key is the key of the profile that the step comes from; empty for a
	// step of every launch.
	Key string
}

// Position returns where in the profile a step comes from.
func (p *Plan) Position(s Step) policy.Position { return p.Profile.Position(s.Key) }

// Route is the way in which a target comes to the capabilities declared.
type Route int

const (
	// RouteNone derives nothing: the profile declares no caps, or gives the
	// vectors itself.
	RouteNone Route = iota

	// RouteAmbient passes them on in the ambient set, for a target whose
	// uid is not 0 or that runs under noroot.
	RouteAmbient

	// RouteRoot lets uid 0 take them from the bounding and inheritable sets.
	RouteRoot

	// RouteFile lets the file capabilities of the target give them.
	RouteFile
)

var routeNames = [...]string{"none", "ambient", "root", "file"}

// String returns the name of the route.
func (r Route) String() string { return routeNames[r] }
