package source

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Patterns select files and directories below a directory. A pattern of path.Match
// with a slash is compared with the path below the directory, one without a slash with
// the name of the file or directory.
type Patterns []string

// match reports whether a pattern selects a file or directory below root.
func (p Patterns) match(root, file string) bool {
	below := strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(file), filepath.ToSlash(filepath.Clean(root))), "/")
	return slices.ContainsFunc(p, func(pattern string) bool {
		name := below
		if !strings.Contains(pattern, "/") {
			name = path.Base(below)
		}
		matched, err := path.Match(pattern, name)
		return err == nil && matched
	})
}
