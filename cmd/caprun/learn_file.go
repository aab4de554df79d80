package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// errExists is the error for a file that would be replaced: it can be a profile that
// was reviewed.
var errExists = errors.New("the file exists; remove it, or pass another path to -o")

// checkNew returns an error if there is a file at path, or if none can be made: the runs
// before the file is written can take hours.
func checkNew(path string) error {
	_, err := os.Lstat(path)
	switch {
	case path == "-":
		err = errors.New("the default is standard output; leave out -o")
	case err == nil:
		err = errExists
	case errors.Is(err, fs.ErrNotExist):
		var f *os.File
		if f, err = createBeside(path); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, withoutPath(err))
	}
	return nil
}

// createBeside creates a file in the directory of path, with mode 0644, less what the umask
// has.
func createBeside(path string) (*os.File, error) {
	name := fmt.Sprintf(".caprun-learn-%016x", rand.Uint64())
	return os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// writeNew writes a profile with mode 0644, less what the umask has. The file appears
// complete or not at all, and replaces no other.
func writeNew(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, withoutPath(err))
		}
	}()
	f, err := createBeside(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
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
	// A link is not made if there is a file.
	if err := os.Link(f.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return errExists
}
