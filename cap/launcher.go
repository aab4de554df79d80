package cap

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
)

// The errors of a launch.
var (
	// ErrLaunchFailed is returned when there is nothing to launch, or when a
	// callback ended its goroutine.
	ErrLaunchFailed = errors.New("launch failed")

	// ErrNoLaunch is returned where launching is not supported.
	ErrNoLaunch = errors.New("launch not supported")

	// ErrAmbiguousChroot is returned when a callback sets
	// SysProcAttr.Chroot: SetChroot is the one place for it.
	ErrAmbiguousChroot = errors.New("use Launcher for chroot")

	// ErrAmbiguousIDs is returned when a callback sets
	// SysProcAttr.Credential: SetUID and SetGroups are the place for it.
	ErrAmbiguousIDs = errors.New("use Launcher for uids and gids")

	// ErrAmbiguousAmbient is returned when a callback sets
	// SysProcAttr.AmbientCaps: SetIAB is the one place for it.
	ErrAmbiguousAmbient = errors.New("use Launcher for ambient caps")

	// ErrExecOnly is returned by Launch for a Launcher with a setting that
	// belongs to a whole process: working directory, umask, limits,
	// descriptors, a final set, or a function to call before exec.
	ErrExecOnly = errors.New("only Exec can do this: it would change the calling process")

	// ErrLaunchOnly is returned by Exec for a Launcher with a callback.
	ErrLaunchOnly = errors.New("a callback is for Launch; use SetBeforeExec")

	// ErrBadID is returned for a uid or gid that no kernel id can be:
	// negative, or 4294967295 and more.
	ErrBadID = errors.New("not a user or group id")

	// ErrNotLinux is returned by every call to the system on another one.
	ErrNotLinux = errors.New("capabilities are a feature of Linux")

	// ErrBadLimit is returned for a umask or a resource limit out of range.
	ErrBadLimit = errors.New("limit out of range")
)

// maxID is the largest id. 4294967295 is (uid_t)-1, which the system calls
// read as "no change".
const maxID = 1<<32 - 2

// Launcher holds the configuration of a launch: what to run, and with which
// privilege. [Launcher.Launch] runs it as a child process, [Launcher.Exec] in
// place of the calling process.
//
// A Launcher may be used by several goroutines. A launch works on a copy of
// the configuration, so a callback may change its own Launcher: the change
// counts from the next launch on.
type Launcher struct {
	mu sync.Mutex
	launchConfig
}

type launchConfig struct {
	path string
	args []string
	env  []string // nil: the environment of the caller

	callback   func(*syscall.ProcAttr, any) error
	beforeExec func() error

	uid, gid   *int
	groups     []int
	chroot     string
	mode       *Mode
	iab        *IAB
	secbits    *Secbits
	noNewPrivs bool

	// For Exec only.
	cwd         string
	umask       *int
	rlimits     []rlimit
	final       *uint64
	finalErr    error
	descriptors bool
	keep        []int
}

type rlimit struct {
	resource   int
	soft, hard uint64
}

// NewLauncher returns a Launcher for the program at path, which is not
// searched in PATH. args includes the name of the program as its first
// element. A nil env stands for the environment of the caller, as in os/exec;
// an empty one that is not nil stays empty.
func NewLauncher(path string, args []string, env []string) *Launcher {
	l := &Launcher{}
	l.path, l.args, l.env = path, slices.Clone(args), slices.Clone(env)
	return l
}

// FuncLauncher returns a Launcher whose Launch calls fn on a thread with a
// privilege state of its own, which is discarded afterwards. The settings of
// the Launcher are not used: fn changes the state itself, through this
// package. Other system calls that change the state of a thread may confuse
// the Go runtime.
//
// A nil fn makes Launch return ErrLaunchFailed.
func FuncLauncher(fn func(any) error) *Launcher {
	l := &Launcher{}
	if fn != nil {
		l.callback = func(_ *syscall.ProcAttr, data any) error { return fn(data) }
	}
	return l
}

// SetEnv makes env the environment of the target, as NewLauncher does.
func (attr *Launcher) SetEnv(env []string) {
	env = slices.Clone(env)
	attr.set(func(c *launchConfig) { c.env = env })
}

// Callback makes Launch call fn before it changes any privilege, on the
// thread that will fork. Calls of this package that fn makes change that
// thread only. fn may change the ProcAttr; it is nil for a FuncLauncher. An
// error from fn ends the launch. A nil fn removes the callback.
//
// fn must not wait for another goroutine that changes the privilege of the
// process: that change waits for the launch.
func (attr *Launcher) Callback(fn func(*syscall.ProcAttr, any) error) {
	attr.set(func(c *launchConfig) { c.callback = fn })
}

// SetUID makes uid the real, effective, saved and file system uid of the target.
func (attr *Launcher) SetUID(uid int) {
	attr.set(func(c *launchConfig) { c.uid = &uid })
}

// SetGroups makes gid the real, effective, saved and file system gid of the
// target, and groups its supplementary groups: exactly these, none when empty.
func (attr *Launcher) SetGroups(gid int, groups []int) {
	groups = slices.Clone(groups)
	attr.set(func(c *launchConfig) { c.gid, c.groups = &gid, groups })
}

// SetMode makes the target run in a libcap mode.
func (attr *Launcher) SetMode(mode Mode) {
	attr.set(func(c *launchConfig) { c.mode = &mode })
}

// SetIAB makes a copy of iab the inheritable, ambient and bounding vectors of
// the target. With nil, those of the caller stay.
func (attr *Launcher) SetIAB(iab *IAB) {
	var own *IAB
	if iab != nil {
		// An IAB that cannot be copied is kept, for Steps to refuse.
		if own, _ = iab.Dup(); own == nil {
			own = &IAB{}
		}
	}
	attr.set(func(c *launchConfig) { c.iab = own })
}

// SetChroot makes root the root directory of the target, and its working
// directory. The empty string stands for the root of the caller.
func (attr *Launcher) SetChroot(root string) {
	attr.set(func(c *launchConfig) { c.chroot = root })
}

// SetSecbits makes bits the exact securebits of the target. Set together with
// a mode, Steps returns ErrBadMode.
func (attr *Launcher) SetSecbits(bits Secbits) {
	attr.set(func(c *launchConfig) { c.secbits = &bits })
}

// SetNoNewPrivs sets no_new_privs in the target. It cannot be unset.
func (attr *Launcher) SetNoNewPrivs() {
	attr.set(func(c *launchConfig) { c.noNewPrivs = true })
}

// SetFinal makes the permitted flag of c the permitted and effective sets
// just before exec: what file capabilities can still give to the target under
// no_new_privs. For Exec only.
func (attr *Launcher) SetFinal(c *Set) {
	_, p, _, err := c.vectors()
	attr.set(func(c *launchConfig) { c.final, c.finalErr = &p, err })
}

// SetCwd makes path the working directory of the target, as seen from its
// root directory. For Exec only.
func (attr *Launcher) SetCwd(path string) {
	attr.set(func(c *launchConfig) { c.cwd = path })
}

// SetUmask makes mask, from 0 to 0777, the file mode creation mask of the
// target. For Exec only.
func (attr *Launcher) SetUmask(mask int) {
	attr.set(func(c *launchConfig) { c.umask = &mask })
}

// SetRlimit sets the limits of a resource, an RLIMIT_ number of setrlimit(2).
// 1<<64-1 is no limit. A later call for the same resource replaces an earlier
// one. For Exec only.
func (attr *Launcher) SetRlimit(resource int, soft, hard uint64) {
	attr.set(func(c *launchConfig) {
		c.rlimits = slices.DeleteFunc(slices.Clone(c.rlimits), func(r rlimit) bool { return r.resource == resource })
		c.rlimits = append(c.rlimits, rlimit{resource, soft, hard})
	})
}

// SetDescriptors keeps every descriptor above 2 from the target but those
// listed, which are passed as they are. For Exec only; without it, the
// close-on-exec flag of each descriptor decides.
func (attr *Launcher) SetDescriptors(keep []int) {
	keep = slices.Clone(keep)
	attr.set(func(c *launchConfig) { c.descriptors, c.keep = true, keep })
}

// SetBeforeExec makes Exec call fn after the last step and before execve, on
// the thread that will become the target. An error from fn ends the launch.
func (attr *Launcher) SetBeforeExec(fn func() error) {
	attr.set(func(c *launchConfig) { c.beforeExec = fn })
}

func (attr *Launcher) set(change func(*launchConfig)) {
	if attr == nil {
		return
	}
	attr.mu.Lock()
	defer attr.mu.Unlock()
	change(&attr.launchConfig)
}

func (attr *Launcher) config() launchConfig {
	attr.mu.Lock()
	defer attr.mu.Unlock()
	return attr.launchConfig
}

// Steps returns the steps of a launch in their order, each with its
// arguments. They depend on the configuration alone: nothing is read from the
// process or the kernel. Exec performs exactly these, but for those whose
// result already holds.
//
// It returns an error that wraps ErrBadID, ErrBadLimit, ErrBadMode (a mode
// that contradicts the IAB tuple or the securebits), ErrBadSet or ErrBadValue.
func (attr *Launcher) Steps() ([]Step, error) {
	if attr == nil {
		return nil, ErrLaunchFailed
	}
	c := attr.config()
	return c.steps()
}

func (c *launchConfig) steps() ([]Step, error) {
	v, err := c.vectors()
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
	if c.uid != nil {
		uid, err := kernelID(*c.uid)
		if err != nil {
			return nil, err
		}
		add(Step{Kind: StepUID, ID: uid})
	}
	if v.inheritable != nil {
		add(Step{Kind: StepInheritable, Caps: *v.inheritable})
	} else if c.uid != nil {
		// The change of uid may have emptied the effective set.
		add(Step{Kind: StepRaise})
	}
	if v.ambient != nil {
		add(Step{Kind: StepAmbient, Caps: *v.ambient})
	}
	if v.dropped != 0 {
		add(Step{Kind: StepBound, Caps: v.dropped})
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
			return nil, fmt.Errorf("resource %d: %d over %d: %w", r.resource, r.soft, r.hard, ErrBadLimit)
		}
		add(Step{Kind: StepRlimit, Resource: r.resource, Soft: r.soft, Hard: r.hard})
	}
	if v.final != nil {
		add(Step{Kind: StepFinal, Caps: *v.final})
	}
	if v.noNewPrivs {
		add(Step{Kind: StepNoNewPrivs})
	}
	if c.path != "" {
		add(Step{Kind: StepExec, Path: c.path, Args: slices.Clone(c.args), Env: slices.Clone(c.env)})
	}
	return steps, nil
}

// launchVectors is what the mode, the tuple and the other settings of a
// launch amount to. A nil pointer leaves what the caller has.
type launchVectors struct {
	inheritable, ambient *uint64
	dropped              uint64
	secbits              *Secbits
	final                *uint64
	noNewPrivs           bool
}

func (c *launchConfig) vectors() (launchVectors, error) {
	v := launchVectors{secbits: c.secbits, final: c.final, noNewPrivs: c.noNewPrivs}
	if c.finalErr != nil {
		return v, fmt.Errorf("final set: %w", c.finalErr)
	}
	if c.iab != nil {
		i, a, nb, err := c.iab.vectors()
		if err != nil {
			return v, fmt.Errorf("IAB tuple: %w", err)
		}
		v.inheritable, v.ambient, v.dropped = &i, &a, nb
	}
	if c.mode == nil {
		return v, nil
	}
	mode := *c.mode
	if c.secbits != nil {
		return v, fmt.Errorf("%w: %v sets the securebits itself", ErrBadMode, mode)
	}
	bits, err := mode.secbits()
	if err != nil {
		return v, err
	}
	v.secbits = &bits
	if mode == ModeHybrid {
		return v, nil
	}
	none := uint64(0)
	if v.ambient != nil && *v.ambient != 0 {
		return v, fmt.Errorf("%w: %v empties the ambient set, and the tuple raises it", ErrBadMode, mode)
	}
	v.ambient = &none
	if mode == ModePure1E {
		return v, nil
	}
	if v.inheritable != nil && *v.inheritable != 0 {
		return v, fmt.Errorf("%w: %v empties the inheritable set, and the tuple raises it", ErrBadMode, mode)
	}
	v.inheritable = &none
	if mode == ModePure1EInit {
		return v, nil
	}
	v.dropped = ^uint64(0)
	if v.final != nil && *v.final != 0 {
		return v, fmt.Errorf("%w: %v empties the permitted set, and the final set does not", ErrBadMode, mode)
	}
	v.final = &none
	v.noNewPrivs = true
	return v, nil
}

// environ returns the environment of the target.
func (s *Step) environ() []string {
	if s.Env == nil {
		return os.Environ()
	}
	return s.Env
}

func kernelID(id int) (uint32, error) {
	if id < 0 || uint64(id) > maxID {
		return 0, fmt.Errorf("%d: %w", id, ErrBadID)
	}
	return uint32(id), nil
}
