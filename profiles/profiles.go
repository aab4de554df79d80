// Package profiles contains the profiles that caprun runs as builtin:NAME.
package profiles

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Read returns the text of a profile. The error is a *fs.PathError.
func Read(name string) ([]byte, error) {
	return files.ReadFile(name + ".yaml")
}

// Names returns the names of the profiles, sorted.
func Names() []string {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		// An embedded file system always has its root.
		panic(err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}
