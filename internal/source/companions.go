package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caprun/platform"
	"caprun/platform/declared"
)

// maxCompanions is the largest number of drop-ins of a unit. A service of a distribution
// has at most a few.
const maxCompanions = 64

// readCompanions adds the drop-ins and socket units of a unit to its content. read reads
// one of these files; a link to /dev/null masks a file, and is not read.
func (c *Content) readCompanions(path string, read func(path string) ([]byte, error)) error {
	if c.Platform == nil || c.Platform.Kind != platform.Systemd || !platform.IsUnit(path) {
		return nil
	}
	var all []string
	dirs := platform.UnitDirectories(filepath.Dir(path))
	for _, name := range platform.DropInDirectories(filepath.Base(path)) {
		for _, dir := range dirs {
			entries, err := os.ReadDir(filepath.Join(dir, name))
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !notDirectory(filepath.Join(dir, name)) {
				return err
			}
			for _, e := range entries {
				all = append(all, filepath.Join(dir, name, e.Name()))
			}
		}
	}
	in := c.Platform
	var err error
	if in.DropIns, err = readCompanions(platform.SelectDropIns(all), read); err != nil {
		return err
	}
	for _, name := range platform.SocketNames(filepath.Base(path)) {
		for _, dir := range dirs {
			path := filepath.Join(dir, name)
			if _, err := os.Lstat(path); err != nil {
				continue
			}
			in.Sockets, err = readCompanions([]string{path}, read)
			return err
		}
	}
	return nil
}

func readCompanions(paths []string, read func(path string) ([]byte, error)) ([]declared.File, error) {
	if len(paths) > maxCompanions {
		return nil, fmt.Errorf("more than %d drop-ins", maxCompanions)
	}
	var files []declared.File
	for _, path := range paths {
		if target, err := os.Readlink(path); err == nil && target == os.DevNull {
			continue
		}
		text, err := read(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, withoutPath(err))
		}
		files = append(files, declared.File{Name: path, Text: text})
	}
	return files, nil
}

// notDirectory reports whether a path exists and is not a directory: systemd ignores it.
func notDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// withoutPath returns an error without the path: the message has it.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// AddDropIns adds the drop-ins of a unit that are in a tree, such as that of a git
// revision: paths are those of the files below the directory of the unit, with slashes.
func (c *Content) AddDropIns(unit string, paths []string, read func(path string) ([]byte, error)) error {
	if c.Platform == nil || c.Platform.Kind != platform.Systemd {
		return nil
	}
	names := platform.DropInDirectories(unit)
	beside := slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		dir, _, ok := strings.Cut(p, "/")
		return !ok || !slices.Contains(names, dir) || strings.Count(p, "/") != 1
	})
	slices.SortStableFunc(beside, func(a, b string) int {
		dirA, _, _ := strings.Cut(a, "/")
		dirB, _, _ := strings.Cut(b, "/")
		return slices.Index(names, dirA) - slices.Index(names, dirB)
	})
	for _, p := range platform.SelectDropIns(beside) {
		text, err := read(p)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		c.Platform.DropIns = append(c.Platform.DropIns, declared.File{Name: p, Text: text})
	}
	return nil
}
