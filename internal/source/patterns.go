package source

import (
	"path"
	"slices"
	"strings"

	"caprun/platform"
)

// Patterns select files and directories below a directory. A pattern of path.Match
// with a slash is compared with the path below the directory, one without a slash with
// the name of the file or directory.
type Patterns []string

// match reports whether a pattern selects a file or directory.
func (p Patterns) match(below string) bool {
	return slices.ContainsFunc(p, func(pattern string) bool {
		name := below
		if !strings.Contains(pattern, "/") {
			name = path.Base(below)
		}
		matched, err := path.Match(pattern, name)
		return err == nil && matched
	})
}

// Includes reports whether Walk would find a regular file, given the path of the file
// below the directory: the name is that of a profile, and neither the file nor a
// directory on the path is hidden or selected by a pattern.
func (p Patterns) Includes(below string) bool {
	if !IsProfileName(below) && !platform.IsDropIn(below) {
		return false
	}
	for ; below != "."; below = path.Dir(below) {
		if strings.HasPrefix(path.Base(below), ".") || p.match(below) {
			return false
		}
	}
	return true
}
