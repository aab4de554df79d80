package render

import (
	"errors"

	"caprun/engine"
	"caprun/engine/machine"
	"caprun/policy"
)

// Refusal returns the message for an error of a launch, or of the prediction of one.
// It begins with the place in the profile p that the error is about, where there is
// one, and ends with what to do. p is nil before the profile has been parsed.
func Refusal(p *policy.Profile, err error) string {
	var launch *engine.LaunchError
	var target *machine.TargetError
	var dir *machine.DirectoryError
	var user *machine.UserError
	switch {
	case errors.As(err, &launch):
		return Located(launch.Plan.Profile.File, launch.Position(), launch.Error())
	case errors.As(err, &target):
		return WithHint(target.Error(), target.Hint)
	case p != nil && errors.As(err, &dir):
		return Located(p.File, p.Position(dir.Key), WithHint(dir.Error(), dir.Hint))
	case p != nil && errors.As(err, &user):
		return Located(p.File, p.Position("user"), WithHint(user.Error(), user.Hint))
	}
	return err.Error()
}
