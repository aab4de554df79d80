package render

import (
	"errors"

	"caprun/engine/machine"
)

// Error returns the message for an error, with the place in a profile that it is
// about, where there is one.
func Error(err error) string {
	var failed *machine.Error
	if errors.As(err, &failed) && failed.Profile != nil {
		return Located(failed.Profile.File, failed.Profile.Position(failed.Key), err.Error())
	}
	return err.Error()
}
