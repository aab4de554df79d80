package services

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caprun/cap"

	"golang.org/x/sys/unix"
)

// unitRole executes the command of a unit, with its bounding set and no_new_privs. An
// example without a unit is started without limits.
func unitRole() {
	name := os.Args[1]
	u := unit{args: []string{"/usr/bin/caprun", "-profile", name}}
	text, err := os.ReadFile(name + ".service")
	if err == nil {
		if u, err = readUnit(string(text)); err == nil {
			err = u.apply()
		}
	} else if os.IsNotExist(err) {
		err = nil
	}
	if err == nil {
		err = syscall.Exec(u.args[0], u.args, []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8"})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// unit has what the test applies of a unit.
type unit struct {
	args       []string
	limited    bool // the bounding set is limited to bounding
	bounding   []cap.Value
	noNewPrivs bool
}

// notApplied are the keys of units that the test does not apply: they describe and order
// the unit, or are a restriction of systemd's that changes no credentials. The sandbox of
// the test has its own file systems.
var notApplied = []string{
	"Description", "After", "WantedBy", "Restart", "RestartPreventExitStatus", "KillMode", "KillSignal",
	"ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ReadWritePaths", "RuntimeDirectory",
	"RestrictNamespaces", "SystemCallFilter", "SystemCallErrorNumber",
}

// readUnit reads a unit file. It refuses what it does not know: a key that is neither
// applied nor in notApplied.
func readUnit(text string) (unit, error) {
	var u unit
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "[") {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		switch {
		case key == "ExecStart":
			u.args = strings.Fields(value)
		case key == "CapabilityBoundingSet":
			u.limited = true
			for _, name := range strings.Fields(strings.ToLower(value)) {
				v, err := cap.FromName(name)
				if err != nil {
					return u, fmt.Errorf("%s: %w", name, err)
				}
				u.bounding = append(u.bounding, v)
			}
		case line == "NoNewPrivileges=yes":
			u.noNewPrivs = true
		case !slices.Contains(notApplied, key):
			return u, fmt.Errorf("the test does not know how to apply %q", line)
		}
	}
	if len(u.args) == 0 {
		return u, errors.New("missing ExecStart")
	}
	return u, nil
}

// apply changes the bounding set and no_new_privs of this process to those of the unit.
func (u unit) apply() error {
	if u.limited {
		var drop []cap.Value
		for v := cap.Value(0); v < cap.MaxBits(); v++ {
			if !slices.Contains(u.bounding, v) {
				drop = append(drop, v)
			}
		}
		if err := cap.DropBound(drop...); err != nil {
			return err
		}
	}
	if !u.noNewPrivs {
		return nil
	}
	_, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	return err
}

// TestReadUnit reads the unit of each example, and refuses lines that no example has.
func TestReadUnit(t *testing.T) {
	files, err := filepath.Glob("*/*.service")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := readUnit(string(text)); err != nil || !u.limited || !u.noNewPrivs {
			t.Errorf("%s: %+v, %v", file, u, err)
		}
	}
	for _, line := range []string{"AmbientCapabilities=CAP_KILL", "User=www-data", "NoNewPrivileges=no", "CapabilityBoundingSet=~CAP_KILL", "ExecStart"} {
		if u, err := readUnit("[Service]\nExecStart=/bin/true\n" + line + "\n"); err == nil {
			t.Errorf("%s: %+v", line, u)
		}
	}
}
