//go:build !linux

package supervise

import (
	"os"

	"caprun/cap"
	"caprun/internal/render"
)

// Supervise reports cap.ErrNotLinux.
func (r Request) Supervise(env *render.Env) int { return Refuse(env, cap.ErrNotLinux) }

// RunChild reports cap.ErrNotLinux.
func RunChild(env *render.Env, args []string) int { return Refuse(env, cap.ErrNotLinux) }

// NullStdin returns cap.ErrNotLinux.
func NullStdin() error { return cap.ErrNotLinux }

// Waiting is a caprun that waits for a request. There is none on this system.
type Waiting struct{ PID int }

// StartWaiting returns cap.ErrNotLinux.
func StartWaiting(argv []string, stdin, stdout, stderr *os.File) (*Waiting, error) {
	return nil, cap.ErrNotLinux
}

// Launch returns cap.ErrNotLinux.
func (w *Waiting) Launch(r Request) (executed bool, err error) { return false, cap.ErrNotLinux }

// Close does nothing.
func (w *Waiting) Close() {}
