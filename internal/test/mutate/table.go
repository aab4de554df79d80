package main

import (
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed mutants.txt
var modelText string

//go:embed generators.txt
var generatorText string

// A mutant is one change of the model or of a code generator. Lines are without
// indentation.
type mutant struct {
	rule string // true for the kernel or the processor, and not for the mutant
	file string // in the module's directory
	old  []string
	new  []string
}

// pkg returns the directory of the package.
func (m mutant) pkg() string { return path.Dir(m.file) }

// readTable returns the mutants of both files.
func readTable() ([]mutant, error) {
	var table []mutant
	for _, t := range []struct{ file, text string }{{"mutants.txt", modelText}, {"generators.txt", generatorText}} {
		part, err := parseTable(t.text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.file, err)
		}
		table = append(table, part...)
	}
	return table, nil
}

// parseTable reads the format that mutants.txt describes.
func parseTable(text string) ([]mutant, error) {
	var table []mutant
	var file string
	seen := map[string]bool{}
	inside := false // of a mutant
	for i, line := range strings.Split(text, "\n") {
		fail := func(problem string) ([]mutant, error) {
			return nil, fmt.Errorf("line %d: %s: %q", i+1, problem, line)
		}
		switch {
		case line == "":
			inside = false
		case line[0] == '#':
		case strings.HasPrefix(line, "== "):
			file, inside = line[len("== "):], false
		case strings.ContainsRune(" -+", rune(line[0])):
			if !inside {
				return fail("a change without a rule above it")
			}
			m := &table[len(table)-1]
			code := strings.TrimSpace(line[1:])
			if line[0] != '+' {
				m.old = append(m.old, code)
			}
			if line[0] != '-' {
				m.new = append(m.new, code)
			}
		case inside:
			return fail("neither old nor new nor context")
		case file == "":
			return fail("a rule before the first file")
		case seen[line]:
			return fail("a second rule of this name")
		default:
			seen[line] = true
			table = append(table, mutant{rule: line, file: file})
			inside = true
		}
	}
	for _, m := range table {
		if len(m.old) == 0 || slices.Equal(m.old, m.new) {
			return nil, fmt.Errorf("%q changes nothing", m.rule)
		}
	}
	return table, nil
}

// apply returns the source with the change. It must contain the old lines exactly
// once.
func (m mutant) apply(source []byte) ([]byte, error) {
	lines := strings.Split(string(source), "\n")
	bare := make([]string, len(lines))
	for i, line := range lines {
		bare[i] = strings.TrimSpace(line)
	}
	at, times := 0, 0
	for i := range len(bare) - len(m.old) + 1 {
		if slices.Equal(bare[i:i+len(m.old)], m.old) {
			at, times = i, times+1
		}
	}
	if times != 1 {
		return nil, fmt.Errorf("%q: %s has the old lines %d times, want once", m.rule, m.file, times)
	}
	changed := slices.Concat(lines[:at], m.new, lines[at+len(m.old):])
	return []byte(strings.Join(changed, "\n")), nil
}
