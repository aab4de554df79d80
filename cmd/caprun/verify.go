package main

import (
	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/internal/supervise"
	"caprun/policy"
	"errors"
)

// verifyOptions are the flags of verify.
type verifyOptions struct {
	pid              int
	as               string
	exact, all, json bool
}

// verifyForm is the form that compares a running process with a profile.
func verifyForm() *form {
	var o verifyOptions
	return &form{
		name: "verify", about: "compare a running process with a profile",
		help: `caprun compares every thread: IDs, groups, capability sets, no_new_privs, root directory and user namespace. ` +
			`A process matches if it has no more privilege than the profile leads to. ` +
			`A match describes one moment: the process can change later.`,
		flags: []*formFlag{
			{name: "pid", metavar: "N", about: "process to compare", required: true, value: processID(&o.pid)},
			asFlag(&o.as),
			{name: "exact", about: "match only a process that has given nothing up", value: isSet(&o.exact),
				more: "A profile that sets securebits then matches no process: caprun cannot read those of another process."},
			{name: "v", about: "print what is the same, too", value: isSet(&o.all)},
			formatFlag(&o.json),
		},
		operands: []operand{{metavar: "PROFILE", takes: aProfile, about: "profile"}},
		status:   "Exit status: 0 a match, 1 no match, 2 trouble.",
		run:      func(c *Command, profiles []string) int { return c.verify(o, profiles[0]) },
	}
}

// verify compares a running process with a profile.
func (c *Command) verify(o verifyOptions, profile string) int {
	from, err := startHere(o.as)
	if status, ok := c.startError(o.as, err); !ok {
		return status
	}
	p, text, status := c.readToReview(profile, exitTrouble)
	if p == nil {
		return status
	}
	v, status := c.compareProcess(o.pid, p, text, from)
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

// compareProcess reads the process and compares it; without a result, the
// reason has been printed.
func (c *Command) compareProcess(pid int, p *policy.Profile, text []byte, from cred.Cred) (*compare.Verification, int) {
	proc, err := machine.ReadProcess(pid)
	if err != nil {
		return nil, c.fail(err)
	}
	if advice := supervise.Advice(proc, selectsInit); advice != "" {
		c.Report(advice)
	}
	v, err := compare.Verify(p, from, proc)
	var none *engine.NoPlanError
	switch {
	case errors.As(err, &none):
		return nil, c.reportFindings(none.Diagnostics, text, exitTrouble)
	case err != nil:
		return nil, c.fail(err)
	}
	return v, exitOK
}
