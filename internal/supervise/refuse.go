package supervise

import (
	"errors"

	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/policy"
)

// The exit statuses of a failed launch, like those of a shell. After a successful one
// the status is that of the target.
const (
	StatusRefused  = 125 // refused, or failed
	StatusNoExec   = 126 // the target exists and cannot be executed
	StatusNotFound = 127 // the target does not exist
)

// Refuse reports why a launch failed, and returns the exit status.
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

// refuseProfile reports the errors of a profile that has no plan, and returns the exit
// status.
func refuseProfile(env *render.Env, diagnostics []policy.Diagnostic) int {
	for _, d := range diagnostics {
		if d.Severity == policy.Error {
			env.ReportAt(d.File, d.Position, render.WithHint(d.Message, d.Hint))
		}
	}
	return StatusRefused
}
