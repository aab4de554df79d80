package services

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// TestDirectories: each directory is a service of the table.
func TestDirectories(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.ContainsFunc(services, func(s service) bool { return s.name == e.Name() }) {
			t.Errorf("%s: no service has this directory", e.Name())
		}
	}
}

// TestScripts checks the scripts with shellcheck.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("*/*.sh")
	if err != nil || len(scripts) < len(services) {
		t.Fatal(scripts, err)
	}
	if out, err := exec.Command(requires.Tool(t, "shellcheck"), append([]string{"-s", "sh"}, scripts...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUnits checks the units with systemd-analyze, with a program that every machine
// has.
func TestUnits(t *testing.T) {
	tool := requires.Tool(t, "systemd-analyze")
	units, err := filepath.Glob("*/*.service")
	if err != nil || len(units) < 10 {
		t.Fatal(units, err)
	}
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	dir := t.TempDir()
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(unit), ".service")
		command := "ExecStart=/usr/bin/caprun -profile " + name + "\n"
		if !strings.Contains(string(text), command) {
			t.Errorf("%s does not have %s", unit, command)
		}
		file := filepath.Join(dir, "caprun-"+filepath.Base(unit))
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "/usr/bin/caprun", "/bin/true")), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
