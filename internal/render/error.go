package render

import (
	"errors"

	"caprun/engine/machine"
)

// Error returns the message of an error. It begins with the place in the profile that
// the error is about, if any.
func Error(err error) string {
	var failed *machine.Error
	if errors.As(err, &failed) && failed.Profile != nil {
		return Located(failed.Profile.File, failed.Profile.Position(failed.Key), err.Error())
	}
	return err.Error()
}
