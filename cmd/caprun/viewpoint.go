package main

import (
	"errors"
	"fmt"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/render"
)

// viewpoint is what a review assumes: the state of the caller, and the kernel.
type viewpoint struct {
	as     string
	kernel *engine.Kernel // nil for the newest, or with "current" the running one
	from   cred.Cred
}

// asFlag is the flag -as. It sets *as to the default.
func asFlag(as *string) *formFlag {
	*as = "root"
	v := anyText(as)
	v.takes, v.words, v.def = aSuggestion, []string{"root", "current"}, *as
	return &formFlag{name: "as", metavar: "CALLER", about: "credentials of the caller",
		more:  `root is uid 0 with every capability; current is the caller of caprun; others are words in one argument, such as "uid=1000 gid=1000 cap_net_raw=eip".`,
		value: v}
}

// kernelFlag is the flag -kernel. It leaves *k nil when the flag is absent.
func kernelFlag(k **engine.Kernel) *formFlag {
	return &formFlag{name: "kernel", metavar: "VERSION", about: "kernel version to model",
		more: "The default is the newest known version, and with -as current that of the running kernel.",
		value: value{takes: aSuggestion, words: []string{"5.10", "5.15", "6.1", "6.6", "6.12", "6.18"}, store: func(text string) error {
			kernel, err := engine.ParseKernel(text)
			if err != nil {
				return err
			}
			*k = &kernel
			return nil
		}}}
}

// viewpoint returns the viewpoint of the flags -as and -kernel. If ok is false, it has
// reported an error, and status is the exit status.
func (c *Command) viewpoint(as string, k *engine.Kernel) (v viewpoint, status int, ok bool) {
	v.as, v.kernel = as, k
	kernel := engine.LatestKernel()
	if v.kernel != nil {
		kernel = *v.kernel
	}
	var err error
	if v.as == "current" {
		v.from, err = machine.CurrentCred()
		if err == nil && v.kernel != nil {
			v.from = kernel.Restrict(v.from)
		}
	} else {
		v.from, err = kernel.ParseCaller(v.as)
	}
	status, ok = c.reportCaller(v.as, err)
	return v, status, ok
}

// reportCaller reports an error about the flag -as. ok is false if there is one.
func (c *Command) reportCaller(as string, err error) (status int, ok bool) {
	var mistake *machine.Error
	switch {
	case errors.As(err, &mistake):
		return c.usageError("-as: " + err.Error()), false
	case err != nil:
		return c.fail(fmt.Errorf("-as %s: %w", as, err)), false
	}
	return exitOK, true
}

// callerHere returns the state of a caller on this machine, with the capabilities of
// its kernel.
func callerHere(as string) (cred.Cred, error) {
	if as == "current" {
		return machine.CurrentCred()
	}
	c, err := engine.ParseCaller(as)
	all := cred.FirstCaps(int(cap.MaxBits()))
	if as == "root" {
		c.Permitted, c.Effective, c.Bounding = all, all, all
	}
	c.All = all
	for _, set := range []*cred.Caps{&c.Effective, &c.Permitted, &c.Inheritable, &c.Bounding, &c.Ambient} {
		*set = set.Intersect(all)
	}
	return c, err
}

// target returns an ordinary program, for the kernel of the viewpoint.
func (v viewpoint) target() engine.Target {
	target := engine.OrdinaryTarget()
	target.KernelRules = v.rules()
	return target
}

// rules returns the rules of the kernel.
func (v viewpoint) rules() cred.Rules {
	switch {
	case v.kernel != nil:
		return v.kernel.Rules()
	case v.as == "current":
		return machine.KernelRules()
	}
	return engine.LatestKernel().Rules()
}

// render returns how to print a plan from this viewpoint.
func (v viewpoint) render(colour bool) render.PlanView {
	return render.PlanView{As: v.as, Kernel: v.kernel, Colour: colour}
}
