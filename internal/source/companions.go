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

// maxCompanions is the largest number of drop-ins of a unit, and of files of its sockets. A
// service of a distribution has at most a few.
const maxCompanions = 64

// Beside are the files beside a unit: those of a file system, or of a git revision.
type Beside interface {
	// List returns the names in a directory; none if it does not exist or is a file.
	List(dir string) ([]string, error)

	// Exists reports whether there is a file, or a link.
	Exists(path string) (bool, error)

	// Aliases returns the names of the links in a directory that lead to a unit in it.
	Aliases(dir, unit string) ([]string, error)

	// IsMasked reports whether a file is a link to /dev/null, which masks it:
	// systemd.unit(5).
	IsMasked(path string) bool

	// Read returns the bytes of a file.
	Read(path string) ([]byte, error)
}

// ReadBeside adds the drop-ins and the socket units of a unit to its content. paths are those
// of the unit: of a link to it and of the file, or one. dirs are the directories to search,
// the most important first.
func (c *Content) ReadBeside(paths, dirs []string, files Beside) error {
	if c.Platform == nil || c.Platform.Kind != platform.Systemd {
		return nil
	}
	search := besideSearch{dirs, files}
	names, err := search.names(paths)
	if err != nil || len(names) == 0 {
		return err
	}
	if c.Platform.DropIns, err = search.dropIns(names...); err != nil {
		return err
	}
	for _, name := range socketNames(names) {
		socket, err := search.unit(name)
		if err != nil {
			return err
		}
		if socket == nil {
			continue
		}
		dropIns, err := search.dropIns(name)
		if err != nil {
			return err
		}
		c.Platform.Sockets = append(append(c.Platform.Sockets, *socket), dropIns...)
	}
	return nil
}

// socketNames returns the names of the sockets of a unit with some names.
func socketNames(units []string) []string {
	var names []string
	for _, unit := range units {
		for _, name := range platform.SocketNames(unit) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// besideSearch searches directories of units, the most important first.
type besideSearch struct {
	dirs []string
	Beside
}

// names returns the names of a unit with some paths, and those of its aliases, whose
// drop-ins count as well.
func (s besideSearch) names(paths []string) ([]string, error) {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, path := range paths {
		if platform.IsUnit(path) {
			add(filepath.Base(path))
		}
	}
	for _, unit := range slices.Clone(names) {
		for _, dir := range s.dirs {
			aliases, err := s.Aliases(dir, unit)
			if err != nil {
				return nil, err
			}
			for _, name := range aliases {
				add(name)
			}
		}
	}
	return names, nil
}

// dropIns returns the drop-ins of a unit with some names, in the order of systemd.
func (s besideSearch) dropIns(names ...string) ([]declared.File, error) {
	var paths, below []string
	for _, name := range names {
		for _, dir := range platform.DropInDirectories(name) {
			if !slices.Contains(below, dir) {
				below = append(below, dir)
			}
		}
	}
	// Those for all units of a type, such as service.d, count less than any other.
	isGeneral := func(name string) bool { return !strings.Contains(strings.TrimSuffix(name, ".d"), ".") }
	for _, general := range [...]bool{false, true} {
		for _, dir := range s.dirs {
			for _, name := range below {
				if isGeneral(name) != general {
					continue
				}
				names, err := s.List(filepath.Join(dir, name))
				if err != nil {
					return nil, err
				}
				for _, file := range names {
					paths = append(paths, filepath.Join(dir, name, file))
				}
			}
		}
	}
	paths = platform.SelectDropIns(paths)
	if len(paths) > maxCompanions {
		return nil, fmt.Errorf("more than %d drop-ins", maxCompanions)
	}
	var files []declared.File
	for _, path := range paths {
		f, err := s.file(path)
		if err != nil {
			return nil, err
		}
		if f != nil {
			files = append(files, *f)
		}
	}
	return files, nil
}

// unit returns a unit; nil if there is none or if it is masked.
func (s besideSearch) unit(name string) (*declared.File, error) {
	for _, dir := range s.dirs {
		path := filepath.Join(dir, name)
		if exists, err := s.Exists(path); err != nil {
			return nil, err
		} else if exists {
			return s.file(path)
		}
	}
	return nil, nil
}

// file reads a file; nil if it is masked.
func (s besideSearch) file(path string) (*declared.File, error) {
	if s.IsMasked(path) {
		return nil, nil
	}
	text, err := s.Read(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, withoutPath(err))
	}
	return &declared.File{Name: path, Text: text}, nil
}

// fileSystem is the file system. read reads a file.
type fileSystem struct {
	read func(path string) ([]byte, error)
}

func (fileSystem) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if info, failed := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || failed == nil && !info.IsDir() {
		return nil, nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (fileSystem) Exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (fileSystem) Aliases(dir, unit string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if e.Type() != fs.ModeSymlink || !platform.IsUnit(e.Name()) || platform.IsInstance(e.Name()) {
			continue
		}
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && IsAlias(dir, target, unit) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// IsAlias reports whether a link in a directory to a target makes its name an alias of a
// unit: the unit is in the same directory, or both are in directories of system units.
func IsAlias(dir, target, unit string) bool {
	if filepath.Base(target) != unit {
		return false
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	return slices.Contains(platform.UnitDirectories(filepath.Clean(dir)), filepath.Dir(target))
}

func (fileSystem) IsMasked(path string) bool { return isMasked(path) }

// errCompanionLink is the error for a link below a directory that is searched: its
// author may have no permission to read what it leads to.
var errCompanionLink = errors.New("a symbolic link, which is not followed in a directory; pass the unit as an argument")

func (f fileSystem) Read(path string) ([]byte, error) {
	text, err := f.read(path)
	if errors.Is(err, errReplaced) {
		err = errCompanionLink
	}
	return text, err
}

// isMasked reports whether a file is a link to /dev/null.
func isMasked(path string) bool {
	target, err := os.Readlink(path)
	return err == nil && target == os.DevNull
}

// readCompanions is ReadBeside for a file with a name and a path.
func (c *Content) readCompanions(name, path string, read func(path string) ([]byte, error)) error {
	paths := unitPaths(name, path)
	var dirs []string
	for _, path := range paths {
		for _, dir := range platform.UnitDirectories(filepath.Dir(path)) {
			if !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	return c.ReadBeside(paths, dirs, fileSystem{read})
}

// unitPaths returns the paths of a unit whose drop-ins count, in directories without links:
// that of its name, which can be a link, and that of the file. An instance has only the
// drop-ins of its name.
func unitPaths(name, path string) []string {
	var paths []string
	if dir, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil && platform.IsUnit(name) {
		paths = append(paths, filepath.Join(dir, filepath.Base(name)))
	}
	if platform.IsInstance(name) {
		return paths
	}
	if real, err := filepath.EvalSymlinks(path); err == nil && platform.IsUnit(real) && !slices.Contains(paths, real) {
		paths = append(paths, real)
	}
	return paths
}

// withoutPath returns an error without the path: the message has it.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
