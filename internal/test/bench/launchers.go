package main

import (
	"os"
	"os/exec"
	"path/filepath"

	"caprun/profiles"
)

// row is one launcher and its measurements.
type row struct {
	name string
	argv []string
	note string // why it is not measured; empty if it is
	samples
}

// These rows have the ratios.
const (
	direct    = "directly"
	onlyExecs = "Go program that only execs"
	gosu      = "gosu"
	withFile  = "caprun -profile web.yaml"
)

// setprivFlags and gosuFlags do what the web profile declares, as far as the tool
// can.
var (
	setprivFlags = [...]string{
		"--reuid=33", "--regid=33", "--clear-groups",
		"--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service",
		"--bounding-set=-all,+net_bind_service",
		"--securebits=+noroot,+noroot_locked", "--no-new-privs",
	}
	gosuFlags = [...]string{"33:33"}
)

// launchers builds the Go programs and returns all rows. Those that cannot be
// measured here have a note.
func launchers(dir, noop string) ([]*row, error) {
	built := func(name string) string { return filepath.Join(dir, name) }
	for _, p := range [...]struct{ name, pkg string }{
		{"execonly", "caprun/internal/test/bench/execonly"},
		{"execlinked", "caprun/internal/test/bench/execlinked"},
		{"caprun", "caprun/cmd/caprun"},
	} {
		if err := goBuild(built(p.name), p.pkg); err != nil {
			return nil, err
		}
	}
	text, err := profiles.Read("web")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(built("web.yaml"), text, 0o644); err != nil {
		return nil, err
	}
	return []*row{
		{name: direct, argv: []string{noop}},
		{name: onlyExecs, argv: []string{built("execonly"), noop}},
		{name: "the same, schema and yaml linked", argv: []string{built("execlinked"), noop}},
		tool(dir, "setpriv", noop, setprivFlags[:]...),
		tool(dir, gosu, noop, gosuFlags[:]...),
		needsRoot(&row{name: withFile, argv: []string{built("caprun"), "-profile", built("web.yaml"), "--", noop}}),
		{name: "caprun -profile builtin:unprivileged", argv: []string{built("caprun"), "-profile", "builtin:unprivileged", "--", noop}},
	}, nil
}

// tool returns the row of an installed program, of which it measures a copy: see
// install.
func tool(dir, name, noop string, flags ...string) *row {
	r := needsRoot(&row{name: name})
	path := filepath.Join(dir, name)
	if installed, err := exec.LookPath(name); err != nil {
		r.note = "not installed"
	} else if err := install(installed, path); err != nil {
		r.note = err.Error()
	}
	r.argv = append(append([]string{path}, flags...), noop)
	return r
}

func needsRoot(r *row) *row {
	if os.Geteuid() != 0 {
		r.note = "needs root"
	}
	return r
}
