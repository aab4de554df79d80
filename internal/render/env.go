// Package render prints messages, plans, comparisons and the state of processes, for
// people and for programs.
package render

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"caprun/internal/sanitize"
	"caprun/policy"
)

// Env has the standard streams of one invocation of the command.
type Env struct {
	Stdin          *os.File
	Stdout, Stderr io.Writer
	Colour         bool // of Stdout
}

// Report prints one message to the standard error. Control characters in it are
// replaced, so it is one line.
func (e *Env) Report(message string) {
	fmt.Fprintln(e.Stderr, "caprun: "+sanitize.Text(message))
}

// ReportError reports an error. The message begins with the name of the file, or with
// the place in the profile, that the error is about.
func (e *Env) ReportError(err error) {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	e.Report(Error(err))
}

// ReportAt reports a message about a place in a file.
func (e *Env) ReportAt(file string, at policy.Position, message string) {
	e.Report(Located(file, at, message))
}

// Located returns a message that begins with the place in a profile.
func Located(file string, at policy.Position, message string) string {
	if at.IsKnown() {
		return fmt.Sprintf("%s:%v: %s", file, at, message)
	}
	return file + ": " + message
}

// WithHint appends what to do to what is wrong.
func WithHint(message, hint string) string {
	if hint == "" {
		return message
	}
	return message + "; " + hint
}
