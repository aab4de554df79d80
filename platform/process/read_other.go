//go:build !linux

package process

import (
	"caprun/cap"
	"caprun/platform/declared"
)

// Read returns cap.ErrNotLinux.
func Read(int) (*declared.Process, error) { return nil, cap.ErrNotLinux }
