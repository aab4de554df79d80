package checkrun

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caprun/internal/source"
)

// A file is one profile to check.
type file struct {
	name  string // what findings call it
	found string // where it was found below a directory, by a path without links; empty for an argument
	ahead *readFile
}

// A readFile is what was read before the others: what is no regular file may
// block, and who checks the others must not.
type readFile struct {
	text []byte
	err  error
}

// Add adds the profiles that arguments of check name, sorted by name and each
// once, and reports what could not be examined. stdinName is what findings call
// the standard input.
//
// Below a directory these are the .yaml and .yml files that are not hidden.
// A symbolic link to such a file below the same directory is that file, as in
// a directory that Kubernetes mounts. One that leads elsewhere is refused: a
// finding shows lines of its file, and who wrote the link may not be meant to
// see them. A link to a directory is not followed, as git and find do, so that
// no file is met twice and no loop is entered. What is no regular file, such
// as a FIFO, is none of them. As an argument it is refused, but for a pipe that
// is open already.
func (r *Run) Add(args []string, stdinName string) {
	var files []file
	// A file is met twice by two arguments only.
	seen := map[string]bool{}
	add := func(path string, f file) {
		if len(args) > 1 {
			if abs, err := filepath.Abs(path); err == nil {
				path = abs
			}
			if seen[path] {
				return
			}
			seen[path] = true
		}
		files = append(files, f)
	}
	for _, arg := range args {
		if arg == "-" || strings.HasPrefix(arg, "builtin:") {
			if !seen[arg] {
				seen[arg] = true
				files = append(files, r.readAhead(arg, stdinName))
			}
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err == nil && info.IsDir():
			if err := walk(arg, func(f file) { add(f.name, f) }); err != nil {
				r.trouble(err)
			}
		case err == nil && info.Mode()&fs.ModeNamedPipe != 0 && isDescriptor(arg):
			if abs, err := filepath.Abs(arg); err != nil || !seen[abs] {
				text, err := readStream(arg)
				add(arg, file{name: arg, ahead: &readFile{text, err}})
			}
		default:
			// What cannot be looked at is read next, and reported then.
			add(arg, file{name: arg})
		}
	}
	slices.SortStableFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	r.files = append(r.files, files...)
}

// readAhead reads what is no file: the standard input, or a profile that comes
// with caprun.
func (r *Run) readAhead(arg, stdinName string) file {
	src, err := source.Find(arg, r.env.Stdin)
	if arg == "-" {
		src.Name = stdinName
	}
	ahead := &readFile{err: err}
	if err == nil {
		ahead.text, ahead.err = src.Text(false)
	}
	return file{name: src.Name, ahead: ahead}
}

// isDescriptor reports whether a path stands for an open descriptor, such as
// /dev/fd/63 of a shell's <(…). Opening one does not wait, as a FIFO would for
// somebody who writes.
func isDescriptor(path string) bool {
	dir, name := filepath.Split(path)
	number := name != "" && strings.Trim(name, "0123456789") == ""
	return path == "/dev/stdin" || number && (dir == "/dev/fd/" || strings.HasPrefix(dir, "/proc/") && strings.HasSuffix(dir, "/fd/"))
}

// readStream reads a pipe.
func readStream(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return source.ReadStream(f)
}

// walk calls add with each profile below a directory, and returns what it
// could not look at.
func walk(root string, add func(file)) error {
	// WalkDir follows no link, not even the first.
	if info, err := os.Lstat(root); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		root += "/"
	}
	top, err := filepath.EvalSymlinks(root)
	if err != nil {
		return err
	}
	if !samePlace(root, filepath.Clean(root)) {
		root = top // WalkDir cleans names, and "link/../d" is not d
	}
	var failed []error
	some := false
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			// The rest is checked all the same.
			failed = append(failed, err)
			return nil
		}
		hidden := strings.HasPrefix(d.Name(), ".") && path != root
		switch {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir() || !isProfileName(path):
		case d.Type().IsRegular():
			some = true
			add(file{name: path, found: withoutLinks(root, top, path)})
		case d.Type() == fs.ModeSymlink:
			if target, err := followLink(top, path); err != nil {
				some = true
				add(file{name: path, ahead: &readFile{err: err}})
			} else if target != "" {
				some = true
				add(file{name: path, found: target})
			}
		}
		return nil
	})
	if err = errors.Join(append(failed, err)...); err == nil && !some {
		err = fmt.Errorf("%s: no .yaml or .yml file below it", root)
	}
	return err
}

func samePlace(a, b string) bool {
	one, err := os.Stat(a)
	other, failed := os.Stat(b)
	return err == nil && failed == nil && os.SameFile(one, other)
}

// withoutLinks returns the path of what was met below root, and top is root
// without links. Mostly there are none, and the path is as it was.
func withoutLinks(root, top, path string) string {
	clean := filepath.Clean(root)
	if top == clean {
		return path
	}
	return filepath.Join(top, strings.TrimPrefix(path, clean))
}

func isProfileName(path string) bool {
	return strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")
}

// followLink returns the file that a symbolic link below the directory top
// leads to, by a path without links, and "" for none that is regular. It must
// be one that is named like a profile and lies below top too.
func followLink(top, path string) (file string, err error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", err
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
	if !strings.HasPrefix(file, strings.TrimSuffix(top, "/")+"/") || !isProfileName(file) {
		return "", errors.New("a symbolic link to what is no profile below the same directory; if you trust it, name it as an argument")
	}
	return file, nil
}
