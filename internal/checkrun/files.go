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
	name    string // the name in findings
	path    string // without links, of a file below a directory; empty for an argument
	preread *content
}

// content is what was read before the run: standard input and pipes can block, which
// must not hold up the workers.
type content struct {
	text []byte
	err  error
}

// Add adds the profiles that arguments of check select, sorted by name and each once.
// It reports directories that cannot be read. stdinName is the name of standard input
// in findings.
//
// An argument that is a directory selects the .yaml and .yml files below it that are
// not hidden. A symbolic link to another of these files is followed, because a mounted
// ConfigMap consists of such links. A link to any other file is refused: findings
// quote lines, and the author of the link may have no permission to read them. Links
// to directories are not followed, which would find files twice or never end. Files
// that are not regular, such as FIFOs, are skipped.
//
// An argument that is neither a directory nor a regular file is refused, except a pipe
// that is already open.
func (r *Run) Add(args []string, stdinName string) {
	var files []file
	// Only two arguments can select a file twice.
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
				files = append(files, r.preread(arg, stdinName))
			}
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err == nil && info.IsDir():
			if err := walk(arg, func(f file) { add(f.name, f) }); err != nil {
				r.fail(err)
			}
		case err == nil && info.Mode()&fs.ModeNamedPipe != 0 && isDescriptor(arg):
			if abs, err := filepath.Abs(arg); err != nil || !seen[abs] {
				text, err := readStream(arg)
				add(arg, file{name: arg, preread: &content{text, err}})
			}
		default:
			// A worker reports the error of Stat when it opens the file.
			add(arg, file{name: arg})
		}
	}
	slices.SortStableFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	r.files = append(r.files, files...)
}

// preread reads standard input or a built-in profile.
func (r *Run) preread(arg, stdinName string) file {
	src, err := source.Find(arg, r.env.Stdin)
	if arg == "-" {
		src.Name = stdinName
	}
	c := &content{err: err}
	if err == nil {
		c.text, c.err = src.Text(false)
	}
	return file{name: src.Name, preread: c}
}

// isDescriptor reports whether a path is an open descriptor, such as /dev/fd/63 of a
// shell's <(…). To open it does not wait for a writer, as to open a FIFO does.
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

// walk calls add with each profile below a directory. It returns an error for every
// directory that cannot be read, or if there are no profiles.
func walk(root string, add func(file)) error {
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
		switch {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir() || !isProfileName(path):
		case d.Type().IsRegular():
			found = true
			add(file{name: path, path: withoutLinks(root, top, path)})
		case d.Type() == fs.ModeSymlink:
			if target, err := followLink(top, path); err != nil {
				found = true
				add(file{name: path, preread: &content{err: err}})
			} else if target != "" {
				found = true
				add(file{name: path, path: target})
			}
		}
		return nil
	})
	if err = errors.Join(append(failed, err)...); err == nil && !found {
		err = fmt.Errorf("%s: no .yaml or .yml files in this directory", root)
	}
	return err
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

func isProfileName(path string) bool {
	return strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")
}

// followLink returns the path without links of the file that a symbolic link leads to,
// or "" if the file is not regular. It refuses a file that is not below the directory
// top or does not have the name of a profile.
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
		return "", errors.New("symbolic link does not lead to a profile below the same directory; to check that file, pass it as an argument")
	}
	return file, nil
}
