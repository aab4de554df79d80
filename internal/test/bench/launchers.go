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
	stub      = "static stub that only execs"
	sealed    = "sealed web.yaml"
	suExec    = "static C program like su-exec"
	setpriv   = "setpriv"
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
	if err := goRun("caprun/seal/internal/stub", built("stub")); err != nil {
		return nil, err
	}
	if err := command(built("caprun"), "seal", "-o", built("web"), built("web.yaml")); err != nil {
		return nil, err
	}
	return []*row{
		{name: direct, argv: []string{noop}},
		{name: stub, argv: []string{built("stub"), noop}},
		needsRoot(&row{name: sealed, argv: []string{built("web"), noop}}),
		cProgram(built("suexec"), noop),
		{name: onlyExecs, argv: []string{built("execonly"), noop}},
		{name: "the same, schema and yaml linked", argv: []string{built("execlinked"), noop}},
		tool(dir, setpriv, noop, setprivFlags[:]...),
		tool(dir, gosu, noop, gosuFlags[:]...),
		needsRoot(&row{name: withFile, argv: []string{built("caprun"), "-profile", built("web.yaml"), "--", noop}}),
		{name: "caprun -profile builtin:unprivileged", argv: []string{built("caprun"), "-profile", "builtin:unprivileged", "--", noop}},
	}, nil
}

// suExecSource does what su-exec does: it sets the groups, the gid and the uid, and execs.
const suExecSource = `#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	gid_t gid = 33;
	if (argc < 2 || setgroups(1, &gid) || setresgid(gid, gid, gid) || setresuid(33, 33, 33) || setenv("HOME", "/", 1))
		return 1;
	execvp(argv[1], argv + 1);
	return 1;
}
`

// cProgram returns the row of a program in C, which links its library statically.
func cProgram(path, noop string) *row {
	r := needsRoot(&row{name: suExec, argv: []string{path, noop}})
	file := path + ".c"
	gcc, err := exec.LookPath("gcc")
	if err == nil {
		err = os.WriteFile(file, []byte(suExecSource), 0o644)
	}
	if err == nil {
		err = command(gcc, "-static", "-O2", "-o", path, file)
	}
	if err != nil {
		r.note = err.Error()
	}
	return r
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
