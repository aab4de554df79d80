// Package render prints what the command shows to people and programs: messages,
// plans, comparisons and the state of processes. It decides nothing.
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

// Env is what one invocation of the command reads and writes. It touches no other
// standard stream.
type Env struct {
	Stdin          *os.File
	Stdout, Stderr io.Writer
	Colour         bool // of Stdout
}

// Report prints one message to the standard error: one line, whatever names of
// files and arguments are in it.
func (e *Env) Report(message string) {
	fmt.Fprintln(e.Stderr, "caprun: "+sanitize.Text(message))
}

// ReportError reports an error; one about a file begins with the name of the file,
// one about a profile with the place in it.
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

// Located puts the place in a profile before a message.
func Located(file string, at policy.Position, message string) string {
	if at.IsKnown() {
		return fmt.Sprintf("%s:%v: %s", file, at, message)
	}
	return file + ": " + message
}

// WithHint adds what to do to what is wrong.
func WithHint(message, hint string) string {
	if hint == "" {
		return message
	}
	return message + "; " + hint
}
