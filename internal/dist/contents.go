package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// The files of the source that archives have, at the same places, so that links between
// the pages work. Each pattern must match.
var patterns = [...]string{
	"LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md",
	"docs/*.md", "docs/rules/*.md", "docs/man/*.[1-9]",
	"profiles/*.yaml", "schema/profile.schema.json",
}

// licencesName is the name of the file with the licences of the linked modules.
const licencesName = "THIRD-PARTY-LICENSES"

// commonFiles returns the files that the archives of all targets have.
func commonFiles(licences []licence) ([]file, error) {
	var files []file
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("missing file %s; run dist in the root of the repository", pattern)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			files = append(files, file{name: filepath.ToSlash(name), mode: 0o644, data: data})
		}
	}
	return append(files, file{name: licencesName, mode: 0o644, data: licenceTexts(licences)}), nil
}

// writeFile writes a file with a mode that does not depend on the umask.
func writeFile(name string, data []byte, mode os.FileMode) error {
	if err := os.WriteFile(name, data, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}
