package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"caprun/platform"
)

// ErrNoProfiles is the error for a directory without profiles.
var ErrNoProfiles = errors.New("no .yaml, .yml or .service files in this directory")

// Found is a profile below a directory.
type Found struct {
	Name  string // the directory as it was given, with the path below it
	Path  string // without links
	Link  bool   // the name is that of a symbolic link
	Alias bool   // a link to a file that Walk finds itself; not an instance of a template
	Err   error  // why the file is not to be read; then Path is empty
}

// Walk calls add with each profile and unit below a directory, and each drop-in whose unit is not beside it: a regular file, or a symbolic
// link to one of these files, whose name ends in .yaml, .yml or .service and that is not hidden
// or excluded. It returns an error for every directory that cannot be read, or if there are no
// profiles.
func Walk(root string, excluded Patterns, add func(Found)) error {
	// WalkDir does not follow root if it is a link.
	if info, err := os.Lstat(root); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		root += "/"
	}
	top, err := filepath.EvalSymlinks(root)
	if err != nil {
		return err
	}
	if !sameDirectory(root, filepath.Clean(root)) {
		root = top // WalkDir cleans paths, and "link/../d" can be another directory than "d"
	}
	var failed []error
	found := false
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			// The other files are checked nevertheless.
			failed = append(failed, err)
			return nil
		}
		hidden := strings.HasPrefix(d.Name(), ".") && path != root
		skipped := hidden || path != root && excluded.match(below(root, path))
		switch {
		case skipped && d.IsDir():
			return fs.SkipDir
		case skipped || d.IsDir() || !IsProfileName(path) && !isLoneDropIn(path):
		case d.Type().IsRegular():
			found = true
			add(Found{Name: path, Path: withoutLinks(root, top, path)})
		case d.Type() == fs.ModeSymlink:
			if target, err := followLink(top, path); err != nil {
				found = true
				add(Found{Name: path, Link: true, Err: err})
			} else if target != "" {
				found = true
				add(Found{Name: path, Link: true, Alias: isFound(top, target, excluded) && !platform.IsInstance(path), Path: target})
			}
		}
		return nil
	})
	if err = errors.Join(append(failed, err)...); err == nil && !found {
		err = fmt.Errorf("%s: %w", root, ErrNoProfiles)
	}
	return err
}

// isFound reports whether Walk finds a file below the directory top by its path without
// links.
func isFound(top, file string, excluded Patterns) bool {
	abs, err := filepath.Abs(top)
	if err != nil {
		return false
	}
	below, err := filepath.Rel(abs, file)
	return err == nil && filepath.IsLocal(below) && excluded.Includes(filepath.ToSlash(below))
}

// isLoneDropIn reports whether a file is a drop-in of a unit that is not beside it.
func isLoneDropIn(path string) bool {
	return platform.IsDropIn(path) && !exists(strings.TrimSuffix(filepath.Dir(path), ".d"))
}

// exists reports whether there is a file, or a link.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// sameDirectory reports whether two paths lead to the same directory.
func sameDirectory(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// withoutLinks returns the path of a file below root without links; top is root
// without links.
func withoutLinks(root, top, path string) string {
	clean := filepath.Clean(root)
	if top == clean {
		return path
	}
	return filepath.Join(top, strings.TrimPrefix(path, clean))
}

// below returns the path of a file below root with slashes.
func below(root, path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(filepath.Clean(root))), "/")
}

// BrokenLink returns an error that says that a path is a broken symbolic link, and to
// what, if err says that no file exists there; otherwise err.
func BrokenLink(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	target, failed := os.Readlink(path)
	if failed != nil {
		return err
	}
	return fmt.Errorf("broken symbolic link to %s", target)
}

// IsProfileName reports whether the name of a file below a directory is that of a profile
// or of a service unit.
func IsProfileName(path string) bool {
	return strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml") || platform.IsUnit(path)
}

// followLink returns the path without links of the file that a symbolic link leads to,
// or "" if the file is not regular. It refuses a file that is not below the directory
// top or does not have the name of a profile.
func followLink(top, path string) (file string, err error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", BrokenLink(path, err)
	}
	if file, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	if file, err = filepath.Abs(file); err != nil {
		return "", err
	}
	if top, err = filepath.Abs(top); err != nil {
		return "", err
	}
	if !strings.HasPrefix(file, strings.TrimSuffix(top, "/")+"/") || !IsProfileName(file) {
		return "", errors.New("symbolic link does not lead to a profile below the same directory; to check that file, pass it as an argument")
	}
	return file, nil
}
