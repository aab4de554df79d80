//go:build !linux

package run

import (
	"context"
	"errors"
	"os"
	"time"
)

var errNotLinux = errors.New("running and stopping a program: not supported on this system; it needs Linux")

// Streams are the standard streams of a child.
type Streams struct{ Stdin, Stdout, Stderr *os.File }

// Tree is this process and all processes below it.
type Tree struct {
	// Command returns the arguments with which to execute this program again to run a
	// command of the shell.
	Command func(command string) []string
}

// NewTree returns an error: only Linux is supported.
func NewTree() (*Tree, error) { return nil, errNotLinux }

// KillAll returns an error: only Linux is supported.
func (t *Tree) KillAll() error { return errNotLinux }

// Run returns an error: only Linux is supported.
func (t *Tree) Run(ctx context.Context, p Program, kind Kind) (Result, error) {
	return Result{}, errNotLinux
}

// TestAlone returns an error: only Linux is supported.
func (t *Tree) TestAlone(ctx context.Context, p Program, limit time.Duration) (Result, error) {
	return Result{}, errNotLinux
}

// RunCommand returns 125: only Linux is supported.
func RunCommand(text string) int { return 125 }

// RunGuard returns an error: only Linux is supported.
func RunGuard(args func(descriptor string) []string) (status int, err error) {
	return 0, errNotLinux
}

// WatchGuard returns an error: only Linux is supported.
func WatchGuard(descriptor string, lost func()) error { return errNotLinux }
