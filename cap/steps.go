package cap

import (
	"fmt"
	"os"
	"slices"
)

// Steps returns the steps that Exec performs, in order. They depend only on the
// configuration: Steps reads nothing from the process or the kernel. Exec skips those
// that would change nothing.
//
// The error wraps ErrBadID, ErrBadLimit, ErrBadSet, ErrBadValue, or ErrBadMode, which is
// also the error for a mode that contradicts another setting. For a nil Launcher it is
// ErrLaunchFailed.
func (attr *Launcher) Steps() ([]Step, error) {
	if attr == nil {
		return nil, ErrLaunchFailed
	}
	c := attr.config()
	return c.steps()
}

func (c *launchConfig) steps() ([]Step, error) {
	v, err := c.sets()
	if err != nil {
		return nil, err
	}
	steps := make([]Step, 0, 16+len(c.rlimits))
	add := func(s Step) { steps = append(steps, s) }

	if c.descriptors {
		for _, fd := range c.keep {
			if fd < 0 {
				return nil, fmt.Errorf("descriptor %d: %w", fd, ErrBadLimit)
			}
		}
		add(Step{Kind: StepCloseOnExec, Keep: slices.Clone(c.keep)})
	}
	add(Step{Kind: StepRaise})
	if c.newSession {
		add(Step{Kind: StepNewSession})
	}
	if c.newKeyring {
		add(Step{Kind: StepKeyring})
	}
	if c.gid != nil {
		gid, err := kernelID(*c.gid)
		if err != nil {
			return nil, err
		}
		groups := make([]uint32, len(c.groups))
		for i, g := range c.groups {
			if groups[i], err = kernelID(g); err != nil {
				return nil, err
			}
		}
		add(Step{Kind: StepGroups, Groups: groups})
		add(Step{Kind: StepGID, ID: gid})
	}
	if c.chroot != "" {
		add(Step{Kind: StepChroot, Path: c.chroot})
	}
	if c.cwd != "" {
		add(Step{Kind: StepChdir, Path: c.cwd})
	}
	if v.inheritable != nil {
		add(Step{Kind: StepInheritable, Caps: *v.inheritable})
	}
	if v.dropped != 0 {
		add(Step{Kind: StepBound, Caps: v.dropped})
	}
	if c.uid != nil {
		uid, err := kernelID(*c.uid)
		if err != nil {
			return nil, err
		}
		add(Step{Kind: StepUID, ID: uid})
	}
	if v.ambient != nil {
		add(Step{Kind: StepAmbient, Caps: *v.ambient})
	}
	if v.secbits != nil {
		add(Step{Kind: StepSecbits, Secbits: *v.secbits})
	}
	if c.umask != nil {
		if *c.umask < 0 || *c.umask > 0o777 {
			return nil, fmt.Errorf("umask %#o: %w", *c.umask, ErrBadLimit)
		}
		add(Step{Kind: StepUmask, Umask: uint32(*c.umask)})
	}
	for _, r := range c.rlimits {
		if r.resource < 0 || r.soft > r.hard {
			return nil, fmt.Errorf("resource %d, soft limit %d, hard limit %d: %w", r.resource, r.soft, r.hard, ErrBadLimit)
		}
		add(Step{Kind: StepRlimit, Resource: r.resource, Soft: r.soft, Hard: r.hard})
	}
	if v.final != nil {
		add(Step{Kind: StepFinal, Caps: *v.final})
	}
	if v.noNewPrivs {
		add(Step{Kind: StepNoNewPrivs})
	}
	if c.deathSignal != 0 || c.parent != 0 {
		if c.deathSignal < 1 || c.deathSignal > maxSignal || c.parent < 0 {
			return nil, fmt.Errorf("parent-death signal %d, parent %d: %w", c.deathSignal, c.parent, ErrBadLimit)
		}
		add(Step{Kind: StepDeathSignal, Signal: c.deathSignal, Parent: c.parent})
	}
	if c.path != "" {
		add(Step{Kind: StepExec, Path: c.path, Args: slices.Clone(c.args), Env: slices.Clone(c.env)})
	}
	return steps, nil
}

// launchSets are the capability sets, securebits and no_new_privs that follow from the
// mode, the tuple and the other settings. The target inherits what is nil.
type launchSets struct {
	inheritable, ambient *Mask
	dropped              Mask
	secbits              *Secbits
	final                *Mask
	noNewPrivs           bool
}

func (c *launchConfig) sets() (launchSets, error) {
	v := launchSets{secbits: c.secbits, final: c.final, noNewPrivs: c.noNewPrivs}
	if c.finalErr != nil {
		return v, fmt.Errorf("final set: %w", c.finalErr)
	}
	if c.iab != nil {
		i, a, nb, err := c.iab.Masks()
		if err != nil {
			return v, fmt.Errorf("IAB tuple: %w", err)
		}
		v.inheritable, v.ambient, v.dropped = &i, &a, nb
	}
	if c.mode == nil {
		return v, nil
	}
	mode := *c.mode
	bits, err := mode.secbits()
	if err != nil {
		return v, fmt.Errorf("%w: %v cannot be set", err, mode)
	}
	if err := c.contradiction(); err != nil {
		return v, err
	}
	v.secbits = &bits
	none := Mask(0)
	if mode != ModeHybrid {
		v.ambient = &none
	}
	if mode == ModePure1EInit || mode == ModeNoPriv {
		v.inheritable = &none
	}
	if mode == ModeNoPriv {
		v.dropped, v.final, v.noNewPrivs = ^Mask(0), &none, true
	}
	return v, nil
}

// contradiction returns an error that wraps ErrBadMode if the mode and another setting
// cannot both be applied.
func (c *launchConfig) contradiction() error {
	if c.mode == nil {
		return nil
	}
	mode := *c.mode
	if c.secbits != nil {
		return fmt.Errorf("%w: %v sets the securebits, so no others can be set", ErrBadMode, mode)
	}
	if mode == ModeHybrid {
		return nil
	}
	if c.iab != nil {
		i, a, _, err := c.iab.Masks()
		if err != nil {
			return err
		}
		if a != 0 {
			return fmt.Errorf("%w: %v empties the ambient set, but the IAB tuple raises capabilities in it", ErrBadMode, mode)
		}
		if i != 0 && mode != ModePure1E {
			return fmt.Errorf("%w: %v empties the inheritable set, but the IAB tuple raises capabilities in it", ErrBadMode, mode)
		}
	}
	if mode == ModeNoPriv && c.final != nil && *c.final != 0 {
		return fmt.Errorf("%w: %v empties the permitted set, but the final set is not empty", ErrBadMode, mode)
	}
	return nil
}

// environ returns env, or the environment of the caller if env is nil.
func environ(env []string) []string {
	if env == nil {
		return os.Environ()
	}
	return env
}

// maxSignal is the largest signal on most architectures: signal(7).
const maxSignal = 64

// maxID is the largest user or group ID. 4294967295 is (uid_t)-1, which means "no
// change" in system calls.
const maxID = 1<<32 - 2

// kernelID converts id to 32 bits. The error wraps ErrBadID.
func kernelID[T int | int64](id T) (uint32, error) {
	if int64(id) < 0 || int64(id) > maxID {
		return 0, fmt.Errorf("%d: %w", id, ErrBadID)
	}
	return uint32(id), nil
}
