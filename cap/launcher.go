package cap

import (
	"slices"
	"sync"
	"syscall"
)

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

	uid, gid   *int64
	groups     []int64
	chroot     string
	mode       *Mode
	iab        *IAB
	secbits    *Secbits
	noNewPrivs bool

	// For Exec only.
	cwd         string
	umask       *int
	rlimits     []rlimit
	final       *Mask
	finalErr    error
	descriptors bool
	keep        []int
	deathSignal int
	parent      int
	newSession  bool
	newKeyring  bool
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
	wide := int64(uid)
	attr.set(func(c *launchConfig) { c.uid = &wide })
}

// SetGroups makes gid the real, effective, saved and file system gid of the
// target, and groups its supplementary groups: exactly these, none when empty.
func (attr *Launcher) SetGroups(gid int, groups []int) {
	wideGID, wide := int64(gid), widen(groups)
	attr.set(func(c *launchConfig) { c.gid, c.groups = &wideGID, wide })
}

// SetIDs does what SetUID and SetGroups do, for every id that the kernel has:
// an int of 32 bits does not hold all of them.
func (attr *Launcher) SetIDs(uid, gid uint32, groups []uint32) {
	wideUID, wideGID, wide := int64(uid), int64(gid), widen(groups)
	attr.set(func(c *launchConfig) { c.uid, c.gid, c.groups = &wideUID, &wideGID, wide })
}

func widen[T int | uint32](ids []T) []int64 {
	wide := make([]int64, len(ids))
	for n, id := range ids {
		wide[n] = int64(id)
	}
	return wide
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
		// An IAB that cannot be copied is kept, for the launch to refuse.
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
// a mode, Steps and Launch return ErrBadMode.
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
	_, p, _, err := c.Masks()
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

// SetDeathSignal makes the kernel send a signal, from 1 to 64, to the target
// when its parent ends: exactly, when the thread of the parent that forked ends.
// A parent other than the process parent stops the launch: that one has ended
// before. It is 0 where the parent is outside of the pid namespace, as getppid(2)
// returns it; the end of such a parent before this step is not noticed. Two zeros
// set no signal. The exec of a set-id program, or of one with file capabilities, takes
// the signal back: prctl(2) PR_SET_PDEATHSIG. For Exec only.
func (attr *Launcher) SetDeathSignal(signal, parent int) {
	attr.set(func(c *launchConfig) { c.deathSignal, c.parent = signal, parent })
}

// SetNewSession starts the target without a controlling terminal, in a session
// of its own unless the calling process leads a process group. For Exec only.
func (attr *Launcher) SetNewSession() {
	attr.set(func(c *launchConfig) { c.newSession = true })
}

// SetNewKeyring gives the target a new, empty session keyring instead of the
// caller's: keyrings(7). For Exec only.
func (attr *Launcher) SetNewKeyring() {
	attr.set(func(c *launchConfig) { c.newKeyring = true })
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
