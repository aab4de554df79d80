package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"caprun/schema"
)

// versions of the npm packages
var npmPackages = [...]string{"ajv-cli@5.0.0", "ajv@8.20.0"}

// row is one program and its measurements.
type row struct {
	name string
	argv []string
	most int    // the highest status of a run that read all files
	note string // why it is not measured; empty if it is
	samples
}

// programs returns the rows: caprun first, then the least work, then the peers.
func programs(dir, tree string, peers bool) ([]*row, error) {
	caprun := filepath.Join(dir, "caprun")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", caprun, "caprun/cmd/caprun")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	rows := []*row{
		{name: "caprun check -format oneline", argv: []string{caprun, "check", "-format", "oneline", tree}, most: 1},
		{name: "yaml.v3 nodes, nothing else", argv: []string{self, "-" + nodesFlag, tree}},
	}
	if peers {
		rows = append(rows, yamllint(tree), ajv(dir, tree))
	}
	return rows, nil
}

func yamllint(tree string) *row {
	r := &row{name: "yamllint -d relaxed"}
	path, err := exec.LookPath("yamllint")
	if err != nil {
		r.note = "not installed"
		return r
	}
	if out, err := exec.Command(path, "--version").Output(); err == nil {
		r.name = strings.TrimSpace(string(out)) + " -d relaxed"
	}
	r.argv = []string{path, "-d", "relaxed", "-f", "parsable", tree}
	r.most = 1
	return r
}

// ajv validates with the schema that editors use, and expands the pattern itself.
func ajv(dir, tree string) *row {
	r := &row{name: npmPackages[0] + " (" + npmPackages[1] + ")"}
	npm, err := exec.LookPath("npm")
	if err != nil {
		r.note = "npm is not installed"
		return r
	}
	prefix := filepath.Join(dir, "npm")
	install := exec.Command(npm, append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", prefix}, npmPackages[:]...)...)
	if out, err := install.CombinedOutput(); err != nil {
		said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		r.note = "npm install: " + said
		return r
	}
	file := filepath.Join(dir, "profile.schema.json")
	if err := os.WriteFile(file, schema.JSON(), 0o644); err != nil {
		r.note = err.Error()
		return r
	}
	r.argv = []string{filepath.Join(prefix, "node_modules", ".bin", "ajv"), "validate", "--strict=false", "-s", file, "-d", filepath.Join(tree, "*", "*.yaml")}
	r.most = 1
	return r
}
