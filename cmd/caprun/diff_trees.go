package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/internal/render"
	"caprun/internal/revision"
	"caprun/internal/sanitize"
	"caprun/internal/source"
	"caprun/policy"
)

// profileSet is the profiles of one version, by their paths, which are the
// same in both versions.
type profileSet struct {
	name     string // of the version, in messages
	label    func(path string) string
	profiles map[string]func() ([]byte, error)
}

// diffDirectories compares the profiles below two directories.
func (c *Command) diffDirectories(o diffOptions, v viewpoint, old, new string) int {
	var trees [2]profileSet
	for n, dir := range []string{old, new} {
		trees[n] = profileSet{
			name:     dir,
			label:    func(path string) string { return filepath.Join(dir, path) },
			profiles: map[string]func() ([]byte, error){},
		}
		err := source.Walk(dir, nil, func(f source.Found) {
			if path, err := filepath.Rel(filepath.Clean(dir), f.Name); err == nil {
				trees[n].profiles[path] = readFound(f)
			}
		})
		if err != nil && !errors.Is(err, source.ErrNoProfiles) {
			return c.fail(err)
		}
	}
	return c.diffTrees(o, v, trees[0], trees[1])
}

// readFound returns the function that reads a profile below a directory.
func readFound(f source.Found) func() ([]byte, error) {
	return func() ([]byte, error) {
		if f.Err != nil {
			return nil, f.Err
		}
		var r source.Reader
		return r.ReadNoLinks(f.Path)
	}
}

// diffRevision compares the profiles of a git revision with those of the working tree.
func (c *Command) diffRevision(o diffOptions, v viewpoint, paths []string) int {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	tree, err := revision.Open(".", o.base)
	if err != nil {
		return c.fail(err)
	}
	defer tree.Close()
	files, err := tree.Files(paths)
	if err != nil {
		return c.fail(err)
	}
	named := map[string]bool{}
	for _, path := range paths {
		named[filepath.Clean(path)] = true
	}
	old := profileSet{
		name:     o.base,
		label:    func(path string) string { return o.base + ":" + path },
		profiles: map[string]func() ([]byte, error){},
	}
	new, err := workingTree(paths)
	if err != nil {
		return c.fail(err)
	}
	for _, f := range files {
		switch {
		case named[f.Path]:
			old.profiles[f.Path] = func() ([]byte, error) { return tree.Read(f) }
		case !source.IsProfileName(f.Path) || isHidden(f.Path, paths):
		case f.Link:
			text, err := tree.Read(f)
			if now, failed := os.Readlink(f.Path); err == nil && failed == nil && now == string(text) {
				delete(new.profiles, f.Path)
			}
		default:
			old.profiles[f.Path] = func() ([]byte, error) { return tree.Read(f) }
			if _, err := os.Lstat(f.Path); err == nil && new.profiles[f.Path] == nil {
				new.profiles[f.Path] = func() ([]byte, error) { return nil, errReplaced }
			}
		}
	}
	for _, path := range paths {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && !slices.ContainsFunc(files, func(f revision.File) bool { return isBelow(f.Path, path) }) {
			return c.fail(fmt.Errorf("%s: no such file or directory, in the working tree or in %s", path, o.base))
		}
	}
	return c.diffTrees(o, v, old, new)
}

var (
	errLink     = errors.New("a symbolic link that is new or leads to another file; its profile is not compared")
	errReplaced = errors.New("the file was replaced by a link or a special file, or a directory above it by a link; it is not compared")
)

// workingTree returns the profiles at or below paths. Those of symbolic links below a
// directory cannot be read: a link that is the same in the revision is to be removed.
func workingTree(paths []string) (profileSet, error) {
	t := profileSet{
		name:     "the working tree",
		label:    func(path string) string { return path },
		profiles: map[string]func() ([]byte, error){},
	}
	for _, path := range paths {
		path = filepath.Clean(path)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return t, err
		case !info.IsDir():
			t.profiles[path] = func() ([]byte, error) {
				var r source.Reader
				return r.Read(path)
			}
		default:
			err := source.Walk(path, nil, func(f source.Found) {
				read := readFound(f)
				if f.Link {
					read = func() ([]byte, error) { return nil, errLink }
				}
				t.profiles[filepath.Clean(f.Name)] = read
			})
			if err != nil && !errors.Is(err, source.ErrNoProfiles) {
				return t, err
			}
		}
	}
	return t, nil
}

// isBelow reports whether a file is at or below a path.
func isBelow(file, path string) bool {
	relative, err := filepath.Rel(filepath.Clean(path), file)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, "../")
}

// isHidden reports whether a file, or a directory between one of the paths and the
// file, is hidden.
func isHidden(file string, paths []string) bool {
	for _, path := range paths {
		if !isBelow(file, path) {
			continue
		}
		relative, _ := filepath.Rel(filepath.Clean(path), file)
		if !strings.HasPrefix(relative, ".") && !strings.Contains(relative, "/.") {
			return false
		}
	}
	return true
}

// plan returns the plan of a profile, nil if it is absent or invalid. report, which is
// nil unless the profile is invalid, prints why.
func (s *profileSet) plan(v viewpoint, path string) (plan *engine.Plan, report func(*Command)) {
	read := s.profiles[path]
	if read == nil {
		return nil, nil
	}
	name := sanitize.Line(s.label(path))
	text, err := read()
	if err != nil {
		return nil, func(c *Command) { c.ReportError(fmt.Errorf("%s: %w", name, err)) }
	}
	p, findings := policy.Parse(name, text)
	if p != nil {
		if plan, findings = engine.Compile(p, v.from, v.target()); plan != nil {
			return plan, nil
		}
	}
	return nil, func(c *Command) { c.reportFindings(findings, text, exitError) }
}

// diffTrees compares the profiles of two trees. A profile without a plan makes the
// exit status 2, after the others have been compared.
func (c *Command) diffTrees(o diffOptions, v viewpoint, old, new profileSet) int {
	if len(old.profiles)+len(new.profiles) == 0 {
		return c.fail(fmt.Errorf("%s, %s: no profiles to compare", old.name, new.name))
	}
	paths := slices.Sorted(maps.Keys(old.profiles))
	for path := range new.profiles {
		if old.profiles[path] == nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	changes := render.Changes{Old: sanitize.Line(old.name), New: sanitize.Line(new.name)}
	status := exitOK
	for _, path := range paths {
		change := render.Change{Name: sanitize.Line(path)}
		change.Old, _ = old.plan(v, path)
		var report func(*Command)
		if change.New, report = new.plan(v, path); report != nil {
			report(c)
			change.Invalid, status = true, exitError
		}
		if status == exitOK && o.fails(change) {
			status = exitFindings
		}
		changes.Profiles = append(changes.Profiles, change)
	}
	if err := o.print.profiles(c, changes); err != nil {
		return c.fail(err)
	}
	return status
}
