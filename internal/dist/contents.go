package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The files of the source that archives have, at the same places, so that links between
// the pages work. Each pattern must match.
var patterns = [...]string{
	"LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md",
	"docs/*.md", "docs/rules/*.md", "docs/man/*.[1-9]",
	"profiles/*.yaml", "schema/*.schema.json",
	"examples/*/*", "examples/services/*/*",
}

// nameCharacters are the characters that the name of a file of a release can have.
const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"

// licencesName is the name of the file with the licences of the linked modules.
const licencesName = "THIRD-PARTY-LICENSES"

// sourceFiles returns the names of the files of the source that archives have, with
// slashes.
func sourceFiles(root string) ([]string, error) {
	var files []string
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("missing file %s; run dist in the root of the repository", pattern)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				return nil, err
			}
			if name, err = filepath.Rel(root, name); err != nil {
				return nil, err
			}
			if strings.Trim(filepath.ToSlash(name), nameCharacters) != "" {
				return nil, fmt.Errorf("invalid file name %q; want only letters, digits and . _ / -", name)
			}
			// The tests of the examples need the whole repository.
			if !info.IsDir() && !strings.HasSuffix(name, "_test.go") && !isOutput(name) && filepath.Base(name) != "doc.go" {
				files = append(files, filepath.ToSlash(name))
			}
		}
	}
	return files, nil
}

// isOutput reports whether a tool of Go writes files with such names, which git ignores.
func isOutput(name string) bool {
	return strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".prof")
}

// commonFiles returns the files that the archives of all targets have.
func commonFiles(licences []licence) ([]file, error) {
	names, err := sourceFiles(".")
	if err != nil {
		return nil, err
	}
	var files []file
	for _, name := range names {
		data, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: name, mode: modeOf(name, data), data: data})
	}
	return append(files, file{name: licencesName, mode: 0o644, data: licenceTexts(licences)}), nil
}

// modeOf returns the mode of a file: a script of examples is executable if it names its
// interpreter. The mode in the checkout depends on the system and on the umask.
func modeOf(name string, data []byte) os.FileMode {
	if strings.HasPrefix(name, "examples/") && bytes.HasPrefix(data, []byte("#!")) {
		return 0o755
	}
	return 0o644
}

// writeFile writes a file with a mode that does not depend on the umask.
func writeFile(name string, data []byte, mode os.FileMode) error {
	if err := os.WriteFile(name, data, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}
