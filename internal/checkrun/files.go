package checkrun

import (
	"cmp"
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
	source.Content
	err error
}

// Add adds the profiles that arguments of check select, sorted by name and each once.
// It reports directories that cannot be read. stdinName is the name of standard input
// in findings.
//
// An argument that is a directory selects the .yaml, .yml and .service files below it that
// are not hidden. A symbolic link to another of these files is followed, because a mounted
// ConfigMap consists of such links. A link to any other file is refused: findings
// quote lines, and the author of the link may have no permission to read them. Links
// to directories are not followed, which would find files twice or never end. Files
// that are not regular, such as FIFOs, are skipped. A link to a file that is selected itself,
// as the alias of a unit, is left out.
//
// An argument that is neither a directory nor a regular file is refused, except a pipe
// that is already open.
//
// Files and directories below a directory that exclude selects are left out.
func (r *Run) Add(args []string, stdinName string, exclude source.Patterns) {
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
			found := func(f source.Found) {
				if f.Alias {
					return
				}
				if f.Err != nil {
					add(f.Name, file{name: f.Name, preread: &content{err: f.Err}})
				} else {
					add(f.Name, file{name: f.Name, path: f.Path})
				}
			}
			if err := source.Walk(arg, exclude, found); err != nil {
				r.fail(err)
			}
		case err == nil && info.Mode()&fs.ModeNamedPipe != 0 && isDescriptor(arg):
			if abs, err := filepath.Abs(arg); err != nil || !seen[abs] {
				c, err := readStream(arg)
				add(arg, file{name: arg, preread: &content{c, err}})
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
		c.Content, c.err = src.Review()
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
func readStream(path string) (source.Content, error) {
	f, err := os.Open(path)
	if err != nil {
		return source.Content{}, err
	}
	defer f.Close()
	return source.ReadStream(path, f)
}
