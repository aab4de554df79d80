package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// licence is the licence of a module that is linked into caprun, or of the standard
// library.
type licence struct {
	module, version string
	id              string // an SPDX expression
	copyright       []string
	texts           []file // of the module
}

// known are the licences of the modules, with the copyright lines of their files.
var known = [...]licence{
	{module: "std", id: "BSD-3-Clause", copyright: []string{"2009 The Go Authors"}},
	{module: "golang.org/x/sys", id: "BSD-3-Clause", copyright: []string{"2009 The Go Authors"}},
	{module: "golang.org/x/term", id: "BSD-3-Clause", copyright: []string{"2009 The Go Authors"}},
	{module: "gopkg.in/yaml.v3", id: "MIT AND Apache-2.0", copyright: []string{"2006-2010 Kirill Simonov", "2006-2011 Kirill Simonov", "2011-2019 Canonical Ltd"}},
	// The module names no holder.
	{module: "github.com/santhosh-tekuri/jsonschema/v5", id: "Apache-2.0", copyright: []string{"the authors of github.com/santhosh-tekuri/jsonschema"}},
}

// findLicence returns the licence of a module.
func findLicence(licences []licence, module string) (licence, error) {
	for _, l := range licences {
		if l.module == module {
			return l, nil
		}
	}
	return licence{}, fmt.Errorf("module %s: unknown licence; read it and add it to internal/dist/licences.go", module)
}

// readLicences reads the licences of the modules that are linked into caprun, on any
// target, from the module cache, and that of the standard library.
func readLicences() ([]licence, error) {
	root, err := runCommand(exec.Command("go", "env", "GOROOT"))
	if err != nil {
		return nil, err
	}
	version, err := runCommand(exec.Command("go", "env", "GOVERSION"))
	if err != nil {
		return nil, err
	}
	dirs := map[string]string{"std": strings.TrimSpace(string(root))}
	versions := map[string]string{"std": strings.TrimSpace(string(version))}
	for _, t := range targets {
		if err := linkedModules(t, dirs, versions); err != nil {
			return nil, err
		}
	}
	var licences []licence
	for module, dir := range dirs {
		l, err := findLicence(known[:], module)
		if err != nil {
			return nil, err
		}
		l.version = versions[module]
		if l.texts, err = licenceFiles(dir); err != nil {
			return nil, fmt.Errorf("module %s: %w", module, err)
		}
		licences = append(licences, l)
	}
	slices.SortFunc(licences, func(a, b licence) int { return strings.Compare(a.module, b.module) })
	return licences, nil
}

// linkedModules adds the directories and the versions of the modules that caprun imports
// on a target.
func linkedModules(t target, dirs, versions map[string]string) error {
	settings, err := buildSettings()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/caprun")
	cmd.Env = append(append(os.Environ(), settings...), "GOOS="+t.os, "GOARCH="+t.arch)
	out, err := runCommand(cmd)
	if err != nil {
		return err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the output of go list: %w", err)
		}
		if m := p.Module; m != nil && !m.Main {
			dirs[m.Path], versions[m.Path] = m.Dir, m.Version
		}
	}
}

// licenceFiles returns the files of a module with its licence.
func licenceFiles(dir string) ([]file, error) {
	var files []file
	for _, name := range []string{"LICENSE", "NOTICE", "PATENTS"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case err == nil:
			files = append(files, file{name: name, data: data})
		case name == "LICENSE" || !os.IsNotExist(err):
			return nil, err
		}
	}
	return files, nil
}

// licenceTexts returns the licences of the modules, one after the other.
func licenceTexts(licences []licence) []byte {
	var b bytes.Buffer
	b.WriteString("caprun is linked with the standard library of Go (std) and with these modules.\n")
	for _, l := range licences {
		for _, f := range l.texts {
			line := strings.Repeat("=", 80)
			fmt.Fprintf(&b, "\n%s\n%s %s, %s (%s)\n%s\n\n%s\n", line, l.module, l.version, f.name, l.id, line, bytes.Trim(f.data, "\n"))
		}
	}
	return b.Bytes()
}
