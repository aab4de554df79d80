package main

import (
	"errors"
	"fmt"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/internal/supervise"
)

// verifyOptions are the flags of verify.
type verifyOptions struct {
	pid              int
	as, process      string
	exact, all, json bool
}

// verifyForm is the form that compares a running process with a profile.
func verifyForm() *form {
	var o verifyOptions
	return &form{
		name: "verify", about: "compare a running process with a profile",
		help: `caprun compares user and group IDs, groups, capability sets, no_new_privs, root directory and user namespace of every thread. ` +
			`The process matches if it has no more privilege than the profile declares. ` +
			`It can still change after the comparison.`,
		flags: []*formFlag{
			{name: "pid", metavar: "PID", about: "process to compare", required: true, value: processID(&o.pid)},
			asFlag(&o.as),
			{name: "exact", about: "match only a process with exactly the declared privileges", value: isSet(&o.exact),
				more: "A profile that sets securebits then matches no process: caprun cannot read the securebits of another process."},
			{name: "v", about: "print values that match, too", value: isSet(&o.all)},
			processFlag(&o.process),
			formatFlag(&o.json),
		},
		operands: []operand{{metavar: "PROFILE", takes: aProfile, about: "profile"}},
		status:   "Exit status: 0 match, 1 no match, 2 usage error, unreadable file or process, or a profile without a plan.",
		run:      func(c *Command, profiles []string) int { return c.verify(o, profiles[0]) },
	}
}

// verify compares a running process with a profile.
func (c *Command) verify(o verifyOptions, profile string) int {
	from, err := callerHere(o.as)
	if status, ok := c.reportCaller(o.as, err); !ok {
		return status
	}
	p, status := c.readReviewed(profile, o.process, exitError)
	switch {
	case p == nil:
		return status
	case p.document != nil && p.document.Sets.UnknownUID:
		return c.fail(fmt.Errorf("%s: the file does not declare the user; write a profile with uid, or pass a unit or a manifest that has it", p.File))
	case p.document != nil && p.document.Launches != "":
		return c.fail(fmt.Errorf("%s: the process is caprun, which starts the program with profile %s; pass that profile to verify", p.File, p.document.Launches))
	case p.unverified != nil:
		return c.fail(fmt.Errorf("%s: %w", p.File, p.unverified))
	}
	v, status := c.compareProcess(o.pid, p, from)
	if v == nil {
		return status
	}
	if o.json {
		err = render.VerificationJSON(c.Stdout, v, o.exact)
	} else {
		err = render.Verification(c.Stdout, v, o.exact, o.all, c.Colour)
	}
	switch {
	case err != nil:
		return c.fail(err)
	case !v.Matches(o.exact):
		return exitFindings
	}
	return exitOK
}

// compareProcess compares a process with the plan of a profile. If it returns no
// result, it has reported why.
func (c *Command) compareProcess(pid int, p *reviewed, from cred.Cred) (*compare.Verification, int) {
	proc, err := machine.ReadProcess(pid)
	if err != nil {
		return nil, c.fail(err)
	}
	if advice := supervise.Advice(proc, selectsInit); advice != "" {
		c.Report(advice)
	}
	var v *compare.Verification
	if p.sealed != nil {
		v, err = compare.VerifyAccounts(p.Profile, p.sealed.Accounts, from, proc)
	} else {
		v, err = compare.Verify(p.Profile, from, proc)
	}
	var none *engine.NoPlanError
	switch {
	case errors.As(err, &none):
		return nil, c.reportFindings(none.Diagnostics, p.text, exitError)
	case err != nil:
		return nil, c.fail(err)
	}
	return v, exitOK
}
