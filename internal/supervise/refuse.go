package supervise

import (
	"errors"

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

// Refuse reports why a launch did not happen, and returns the exit status.
func Refuse(env *render.Env, err error) int {
	env.Report(render.Error(err))
	var failed *machine.Error
	switch {
	case !errors.As(err, &failed):
	case failed.Missing:
		return StatusNotFound
	case failed.NotExecutable:
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
