package main

import (
	"fmt"
	"math"
	"strconv"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/internal/render"
	"caprun/policy"
)

// verify compares a running process with a profile.
func (c *Command) verify(args []string) int {
	f := flags("verify")
	pidText := f.String("pid", "", "")
	as := f.String("as", "root", "")
	exact := f.Bool("exact", false, "")
	all := f.Bool("v", false, "")
	format := f.String("format", "human", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	pid, err := parsePID(*pidText)
	switch {
	case *pidText == "":
		return c.usageError("verify needs -pid with the number of a process", usage, exitTrouble)
	case err != nil:
		return c.usageError(err.Error(), usage, exitTrouble)
	case !humanOrJSON(*format):
		return c.usageError(fmt.Sprintf("-format %q: human or json", *format), usage, exitTrouble)
	case f.NArg() != 1:
		return c.usageError("verify needs one profile", usage, exitTrouble)
	}
	from, err := startHere(*as)
	if status, ok := c.startError(*as, err); !ok {
		return status
	}
	p, text, status := c.readToReview(f.Arg(0), exitTrouble)
	if p == nil {
		return status
	}
	v, status := c.compareProcess(pid, p, text, from)
	if v == nil {
		return status
	}
	if *format == "json" {
		err = render.VerificationJSON(c.Stdout, v, *exact)
	} else {
		err = render.Verification(c.Stdout, v, *exact, *all, c.Colour)
	}
	switch {
	case err != nil:
		return c.trouble(err)
	case !v.Matches(*exact):
		return exitFindings
	}
	return exitOK
}

// parsePID reads the number of a process: decimal digits, no sign.
func parsePID(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > math.MaxInt32 || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("-pid %q: not the number of a process", s)
	}
	return n, nil
}

// compareProcess reads the process and compares it; without a result, the
// reason has been printed.
func (c *Command) compareProcess(pid int, p *policy.Profile, text []byte, from cred.Cred) (*compare.Verification, int) {
	proc, err := engine.ReadProcess(pid)
	if err != nil {
		return nil, c.trouble(err)
	}
	var user *engine.User
	if p.User != "" {
		if user, err = engine.LookupUser(p.User); err != nil {
			return nil, c.troubleAt(p, err)
		}
	}
	plan, findings := engine.CompileForProcess(proc, p, from, user)
	if plan == nil {
		return nil, c.noPlan(findings, text, exitTrouble)
	}
	v, err := compare.Verify(plan, proc)
	if err != nil {
		return nil, c.troubleAt(p, err)
	}
	return v, exitOK
}
