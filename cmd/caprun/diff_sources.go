package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"caprun/internal/revision"
	"caprun/internal/source"
	"caprun/platform"
)

// profileSet is the profiles of one version of a tree. The keys are the paths within
// the tree, which are the same in both versions.
type profileSet struct {
	name     string                                    // of the version, in messages
	label    func(key string) string                   // the name of a profile in messages
	profiles map[string]func() (source.Content, error) // reads a profile
}

func newProfileSet(name string, label func(string) string) profileSet {
	return profileSet{name, label, map[string]func() (source.Content, error){}}
}

// allKeys returns the keys of two sets, sorted.
func allKeys(a, b profileSet) []string {
	all := maps.Clone(a.profiles)
	maps.Copy(all, b.profiles)
	return slices.Sorted(maps.Keys(all))
}

// unreadable is the function of a profile that cannot be read.
func unreadable(err error) func() (source.Content, error) {
	return func() (source.Content, error) { return source.Content{}, err }
}

// readFound returns the function that reads a profile below a directory.
func readFound(f source.Found) func() (source.Content, error) {
	if f.Err != nil {
		return unreadable(f.Err)
	}
	return func() (source.Content, error) {
		var r source.Reader
		return r.ReadNoLinks(f.Name, f.Path)
	}
}

// profilesBelow returns the profiles below a directory.
func profilesBelow(dir string, exclude source.Patterns) (profileSet, error) {
	s := newProfileSet(dir, func(key string) string { return filepath.Join(dir, key) })
	var failed error
	err := source.Walk(dir, exclude, func(f source.Found) {
		key, err := filepath.Rel(filepath.Clean(dir), f.Name)
		if err != nil {
			failed = err
		}
		s.profiles[key] = readFound(f)
	})
	if errors.Is(err, source.ErrNoProfiles) {
		err = nil
	}
	return s, errors.Join(err, failed)
}

// revisionSets are the profiles of a git revision and of the working tree.
type revisionSets struct {
	tree     *revision.Tree
	names    []string // the arguments, within the repository
	exclude  source.Patterns
	old, new profileSet

	beside *revisionFiles

	// links read the links of the working tree below a directory to files that are not
	// compared themselves.
	links map[string]func() (source.Content, error)
}

// Errors of what exists in the working tree and cannot be compared.
var (
	errNewLink   = errors.New("a symbolic link that is new or leads to another file; its profile is not compared")
	errNotSimple = errors.New("the file was replaced by a link or a special file, or a directory above it by a link; it is not compared")
)

// newRevisionSets returns the profiles at or below paths. The tree must stay open for
// as long as they are read.
func newRevisionSets(tree *revision.Tree, base string, paths []string, exclude source.Patterns) (*revisionSets, error) {
	label := func(name string) string {
		if path, err := tree.Path(name); err == nil {
			return path
		}
		return name
	}
	s := &revisionSets{
		tree: tree, exclude: exclude, beside: &revisionFiles{tree, map[string][]revision.File{}}, links: map[string]func() (source.Content, error){},
		old: newProfileSet(base, func(name string) string { return base + ":" + name }),
		new: newProfileSet("the working tree", label),
	}
	for _, path := range paths {
		name, err := tree.Name(path)
		if err != nil {
			return nil, err
		}
		s.names = append(s.names, name)
		if err := s.addPath(filepath.Clean(path), name); err != nil {
			return nil, err
		}
	}
	files, err := tree.Files(s.names)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		s.addFile(f)
	}
	for n, name := range s.names {
		inRevision := slices.ContainsFunc(files, func(f revision.File) bool { return f.Name == name || isBelow(f.Name, name) })
		if _, err := os.Lstat(paths[n]); errors.Is(err, fs.ErrNotExist) && !inRevision {
			return nil, fmt.Errorf("%s: no such file or directory, in the working tree or in %s", paths[n], base)
		}
	}
	return s, nil
}

// addPath adds the profiles at or below a path of the working tree. Those of links below
// a directory are unreadable until addFile finds the same link in the revision.
func (s *revisionSets) addPath(path, name string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		s.new.profiles[name] = func() (source.Content, error) {
			var r source.Reader
			return r.Read(path, path)
		}
		return nil
	}
	var failed error
	err = source.Walk(path, s.exclude, func(f source.Found) {
		name, err := s.tree.Name(f.Name)
		if err != nil {
			failed = err
		}
		if f.Alias && isWanted(f.Name) {
			return
		}
		s.new.profiles[name] = readFound(f)
		if f.Link {
			if !f.Alias {
				s.links[name] = s.new.profiles[name]
			}
			s.new.profiles[name] = unreadable(errNewLink)
		}
	})
	if errors.Is(err, source.ErrNoProfiles) {
		err = nil
	}
	return errors.Join(err, failed)
}

// addFile adds a file of the revision.
func (s *revisionSets) addFile(f revision.File) {
	_, inWorkingTree := s.new.profiles[f.Name]
	switch {
	case slices.Contains(s.names, f.Name):
		s.old.profiles[f.Name] = func() (source.Content, error) {
			file, err := s.tree.Follow(f)
			if err != nil {
				return source.Content{}, err
			}
			return s.read(file)
		}
	case !s.selects(f.Name):
	case platform.IsDropIn(f.Name):
		if unit, err := s.beside.Exists(strings.TrimSuffix(path.Dir(f.Name), ".d")); err == nil && !unit {
			s.old.profiles[f.Name] = func() (source.Content, error) { return s.read(f) }
		}
	case f.Link:
		s.addLink(f)
	default:
		s.old.profiles[f.Name] = func() (source.Content, error) { return s.read(f) }
		target, err := os.Readlink(f.Path)
		if masked := err == nil && target == os.DevNull; masked {
			return // systemd ignores it now
		}
		if _, err := os.Lstat(f.Path); err == nil && !inWorkingTree {
			s.new.profiles[f.Name] = unreadable(errNotSimple)
		}
	}
}

// isWanted reports whether a file is a link that enables a unit: systemctl(1).
func isWanted(name string) bool {
	dir := filepath.Base(filepath.Dir(name))
	return platform.IsUnit(name) && (strings.HasSuffix(dir, ".wants") || strings.HasSuffix(dir, ".requires"))
}

// addLink adds a link of the revision below a directory. If the working tree has the same
// link, its file is compared: by itself if it is selected, and otherwise as the link.
func (s *revisionSets) addLink(f revision.File) {
	target, err := s.tree.Read(f)
	now, failed := os.Readlink(f.Path)
	if err != nil || failed != nil || now != string(target) {
		return
	}
	link, ok := s.links[f.Name]
	delete(s.new.profiles, f.Name)
	if !ok {
		return // the file is compared itself
	}
	s.new.profiles[f.Name] = link
	s.old.profiles[f.Name] = func() (source.Content, error) {
		file, err := s.tree.Follow(f)
		if err != nil {
			return source.Content{}, err
		}
		return s.readAs(f.Name, file)
	}
}

// read returns a profile of the revision, or a unit with its drop-ins there.
func (s *revisionSets) read(f revision.File) (source.Content, error) { return s.readAs(f.Name, f) }

// readAs is read for the file that a link with a name leads to: that of an instance of a
// template has drop-ins of its own.
func (s *revisionSets) readAs(link string, f revision.File) (source.Content, error) {
	data, err := s.tree.Read(f)
	if err != nil {
		return source.Content{}, err
	}
	paths, dirs := []string{link}, []string{path.Dir(link)}
	if f.Name != link && !platform.IsInstance(link) {
		paths, dirs = append(paths, f.Name), append(dirs, path.Dir(f.Name))
	}
	c, err := source.NewContent(link, data)
	if err != nil || c.Platform == nil {
		return c, err
	}
	err = c.ReadBeside(paths, dirs, s.beside)
	return c, err
}

// selects reports whether a file of the revision is a profile below one of the
// arguments.
func (s *revisionSets) selects(file string) bool {
	return slices.ContainsFunc(s.names, func(name string) bool {
		below, err := filepath.Rel(name, file)
		return err == nil && s.exclude.Includes(filepath.ToSlash(below))
	})
}

// isBelow reports whether a file is below a directory.
func isBelow(file, directory string) bool {
	below, err := filepath.Rel(directory, file)
	return err == nil && filepath.IsLocal(below)
}
