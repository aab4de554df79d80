package services

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"caprun/cap"

	"golang.org/x/sys/unix"
)

// unitRole executes the command of a unit, with its bounding set and no_new_privs. An
// example without a unit is started without limits.
func unitRole() {
	name := os.Args[1]
	args := []string{"/usr/local/bin/caprun", "-profile", name}
	text, err := os.ReadFile(name + ".service")
	if err == nil {
		args, err = applyUnit(string(text))
	} else if os.IsNotExist(err) {
		err = nil
	}
	if err == nil {
		err = syscall.Exec(args[0], args, []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8"})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// applyUnit carries out the lines of a unit that concern credentials, and returns its
// command.
func applyUnit(text string) ([]string, error) {
	var args []string
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "ExecStart":
			args = strings.Fields(value)
		case "CapabilityBoundingSet":
			if err := limitBounding(strings.Fields(strings.ToLower(value))); err != nil {
				return nil, err
			}
		case "NoNewPrivileges":
			if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
				return nil, err
			}
		}
	}
	return args, nil
}

// limitBounding drops all other capabilities from the bounding set.
func limitBounding(names []string) error {
	keep := map[cap.Value]bool{}
	for _, name := range names {
		v, err := cap.FromName(name)
		if err != nil {
			return err
		}
		keep[v] = true
	}
	for v := cap.Value(0); v < cap.MaxBits(); v++ {
		if !keep[v] {
			if err := cap.DropBound(v); err != nil {
				return err
			}
		}
	}
	return nil
}
