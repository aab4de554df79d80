package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"caprun/engine/machine"
	"caprun/internal/sanitize"
	"caprun/seal"
)

// writeExecutable writes a launcher with mode 0755, whatever the umask is. A process finds
// the old file or the new one, and nothing in between. A symbolic link is replaced, not
// followed. A file that is neither empty nor a launcher is not replaced: the program itself
// can have the name of the profile.
func writeExecutable(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, withoutPath(err))
		}
	}()
	if err := checkReplaceable(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".caprun-seal-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// The first error is the one to report.
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o755)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// checkReplaceable returns why the file at path must not be replaced; nil if there is none.
func checkReplaceable(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil
	case !info.Mode().IsRegular():
		return errors.New("not a regular file; pass another path to -o")
	case info.Size() == 0:
		return nil
	}
	old, err := machine.ReadTrusted(path, seal.MaxSize+1, false)
	if err != nil {
		return err
	}
	if _, err := seal.Read(old); errors.Is(err, seal.ErrNotSealed) {
		return errors.New("not an older launcher; remove it, or pass another path to -o")
	}
	return nil
}

// withoutPath returns an error without the path: messages name the file themselves.
func withoutPath(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// printable returns the path of a file as one line of output.
func printable(path string) string { return sanitize.Line(path) }
