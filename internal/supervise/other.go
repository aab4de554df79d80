//go:build !linux

package supervise

import (
	"caprun/cap"
	"caprun/internal/render"
)

// Supervise reports cap.ErrNotLinux.
func (r Request) Supervise(env *render.Env) int { return Refuse(env, cap.ErrNotLinux) }

// RunChild reports cap.ErrNotLinux.
func RunChild(env *render.Env, args []string) int { return Refuse(env, cap.ErrNotLinux) }

// NullStdin returns cap.ErrNotLinux.
func NullStdin() error { return cap.ErrNotLinux }
