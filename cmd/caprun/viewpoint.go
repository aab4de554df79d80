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

// viewpoint is where a review looks from: the state of who starts the program,
// and the kernel whose rules hold.
type viewpoint struct {
	as     string
	kernel *engine.Kernel // nil for the newest, or with "current" the running one
	from   cred.Cred
}

// asFlag is the flag -as. It sets *as to the default.
func asFlag(as *string) *formFlag {
	*as = "root"
	v := anyText(as)
	v.takes, v.words, v.def = usually, []string{"root", "current"}, *as
	return &formFlag{name: "as", metavar: "CALLER", about: "credentials of the caller that starts the program",
		more:  `root is user 0 with every capability, current is the caller of caprun. Others are words such as "uid=1000 gid=1000 cap_net_raw=eip".`,
		value: v}
}

// kernelFlag is the flag -kernel. It leaves *k nil when the flag is absent.
func kernelFlag(k **engine.Kernel) *formFlag {
	return &formFlag{name: "kernel", metavar: "VERSION", about: "kernel version to model",
		more: "The default is the newest known version, and with -as current that of the running kernel.",
		value: value{takes: usually, words: []string{"5.10", "5.15", "6.1", "6.6", "6.12", "6.18"}, store: func(text string) error {
			kernel, err := engine.ParseKernel(text)
			if err != nil {
				return err
			}
			*k = &kernel
			return nil
		}}}
}

// viewpoint returns what the flags -as and -kernel ask for. ok is false when the
// command is done, with status.
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
	status, ok = c.startError(v.as, err)
	return v, status, ok
}

// startError prints what is wrong with the flag -as.
func (c *Command) startError(as string, err error) (status int, ok bool) {
	var start *machine.Error
	switch {
	case errors.As(err, &start):
		return c.usageError("-as: " + err.Error()), false
	case err != nil:
		return c.fail(fmt.Errorf("-as %s: %w", as, err)), false
	}
	return exitOK, true
}

// startHere returns the state that as says on this machine, with the
// capabilities of its kernel.
func startHere(as string) (cred.Cred, error) {
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

// target returns an ordinary program under the rules that hold.
func (v viewpoint) target() engine.Target {
	target := engine.OrdinaryTarget()
	target.KernelRules = v.rules()
	return target
}

func (v viewpoint) rules() cred.Rules {
	switch {
	case v.kernel != nil:
		return v.kernel.Rules()
	case v.as == "current":
		return machine.KernelRules()
	}
	return engine.LatestKernel().Rules()
}

// render returns how a plan from this viewpoint is printed.
func (v viewpoint) render(colour bool) render.PlanView {
	return render.PlanView{As: v.as, Kernel: v.kernel, Colour: colour}
}
