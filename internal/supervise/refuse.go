package supervise

import (
	"errors"

	"caprun/engine"
	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/policy"
)

// The exit statuses of a launch that did not happen, as of a shell. One that
// succeeds has the status of the target.
const (
	StatusRefused  = 125 // refused, or failed
	StatusNoExec   = 126 // the program was found and cannot be executed
	StatusNotFound = 127 // the program does not exist
)

// Refuse reports why a launch did not happen, and returns the exit status. p is the
// profile, or nil before it has been parsed.
func Refuse(env *render.Env, p *policy.Profile, err error) int {
	env.Report(render.Refusal(p, err))
	var launch *engine.LaunchError
	var target *machine.TargetError
	switch {
	case errors.As(err, &launch):
		if launch.AtExec {
			return StatusNoExec
		}
	case errors.As(err, &target):
		if target.Missing {
			return StatusNotFound
		}
		return StatusNoExec
	}
	return StatusRefused
}

// refuseProfile reports the errors among the diagnostics of a profile that has no
// plan, and returns the exit status.
func refuseProfile(env *render.Env, diagnostics []policy.Diagnostic) int {
	for _, d := range diagnostics {
		if d.Severity == policy.Error {
			env.ReportAt(d.File, d.Position, render.WithHint(d.Message, d.Hint))
		}
	}
	return StatusRefused
}
