package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"caprun/engine/machine"
	"caprun/internal/report"
)

// Errors for what a report does not replace: a link could lead to any file, and another
// file can be a profile.
var (
	errNotReplaced = errors.New("not a regular file; pass another path to -o")
	errNoReport    = errors.New("not an older report; remove it, or pass another path to -o")
)

// checkReport returns why the file at path must not be replaced by a report; nil if there is
// no reason, or no file.
func checkReport(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errNotReplaced
	}
	head, err := machine.ReadTrusted(path, report.HeadSize, false)
	switch {
	case err != nil:
		return err
	case !report.IsReport(head):
		return errNoReport
	}
	return nil
}

// writeReport writes a report with mode 0644, less what the umask has. It replaces an older
// report; a reader finds the old file or the new one, and nothing in between.
func writeReport(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, withoutPath(err))
		}
	}()
	name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".caprun-report-%016x", rand.Uint64()))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// The first error is the one to report.
			_ = os.Remove(name)
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := checkReport(path); err != nil {
		return err
	}
	return os.Rename(name, path)
}
