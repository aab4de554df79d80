package cap

import (
	"slices"
	"sync"
	"syscall"
)

// A Launcher is the configuration of a launch: a program and its privilege.
// [Launcher.Launch] runs the program as a child process; [Launcher.Exec] replaces the
// calling process.
//
// Several goroutines may use a Launcher. A launch uses a copy of the configuration, so
// a callback may change its own Launcher: the change takes effect in the next launch.
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

	// Only Exec supports the following.
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

// NewLauncher returns a Launcher for the program at path, which is not searched for
// in PATH. The first element of args is the name of the program. If env is nil, the
// target gets the environment of the caller, as in os/exec; if env is empty but not
// nil, it gets an empty environment.
func NewLauncher(path string, args []string, env []string) *Launcher {
	l := &Launcher{}
	l.path, l.args, l.env = path, slices.Clone(args), slices.Clone(env)
	return l
}

// FuncLauncher returns a Launcher whose Launch method calls fn on a new thread, which
// ends afterwards. The settings of the Launcher are not applied: fn changes the
// privilege of the thread itself, by the functions of this package. Other system calls
// that change the state of a thread may confuse the Go runtime.
//
// If fn is nil, Launch returns ErrLaunchFailed.
func FuncLauncher(fn func(any) error) *Launcher {
	l := &Launcher{}
	if fn != nil {
		l.callback = func(_ *syscall.ProcAttr, data any) error { return fn(data) }
	}
	return l
}

// SetEnv sets the environment of the target, as NewLauncher does.
func (attr *Launcher) SetEnv(env []string) {
	env = slices.Clone(env)
	attr.set(func(c *launchConfig) { c.env = env })
}

// Callback makes Launch call fn before it changes any privilege, on the thread that
// forks. Functions of this package that fn calls change only that thread. fn may change
// the ProcAttr, which is nil for a FuncLauncher; the second argument is that of Launch.
// If fn returns an error, Launch returns it. A nil fn removes the callback.
//
// fn must not wait for another goroutine that changes the privilege of the process,
// because that change waits for the launch.
func (attr *Launcher) Callback(fn func(*syscall.ProcAttr, any) error) {
	attr.set(func(c *launchConfig) { c.callback = fn })
}

// SetUID sets the real, effective, saved and file system user ID of the target to uid.
func (attr *Launcher) SetUID(uid int) {
	wide := int64(uid)
	attr.set(func(c *launchConfig) { c.uid = &wide })
}

// SetGroups sets the real, effective, saved and file system group ID of the target to
// gid, and its supplementary groups to groups, which may be empty.
func (attr *Launcher) SetGroups(gid int, groups []int) {
	wideGID, wide := int64(gid), widen(groups)
	attr.set(func(c *launchConfig) { c.gid, c.groups = &wideGID, wide })
}

// SetIDs sets what SetUID and SetGroups set. It can set every ID of the kernel, also
// where an int has 32 bits.
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

// SetMode makes the target run in a mode of libcap.
func (attr *Launcher) SetMode(mode Mode) {
	attr.set(func(c *launchConfig) { c.mode = &mode })
}

// SetIAB sets the IAB tuple of the target to a copy of iab. If iab is nil, the target
// inherits that of the caller.
func (attr *Launcher) SetIAB(iab *IAB) {
	var own *IAB
	if iab != nil {
		// A zero IAB has no copy. It stays one, so that the launch rejects it.
		if own, _ = iab.Dup(); own == nil {
			own = &IAB{}
		}
	}
	attr.set(func(c *launchConfig) { c.iab = own })
}

// SetChroot sets the root directory of the target, and its working directory, to
// root. If root is empty, the target inherits the root directory of the caller.
func (attr *Launcher) SetChroot(root string) {
	attr.set(func(c *launchConfig) { c.chroot = root })
}

// SetSecbits sets the securebits of the target to exactly bits. Together with
// SetMode, this makes Exec, Steps and Launch return an error that wraps ErrBadMode.
func (attr *Launcher) SetSecbits(bits Secbits) {
	attr.set(func(c *launchConfig) { c.secbits = &bits })
}

// SetNoNewPrivs sets no_new_privs in the target. It cannot be unset.
func (attr *Launcher) SetNoNewPrivs() {
	attr.set(func(c *launchConfig) { c.noNewPrivs = true })
}

// SetFinal sets the permitted and effective sets before exec to the permitted flag of
// c. Under no_new_privs, file capabilities can give the target no others. Only Exec
// supports this setting.
func (attr *Launcher) SetFinal(c *Set) {
	_, p, _, err := c.Masks()
	attr.set(func(c *launchConfig) { c.final, c.finalErr = &p, err })
}

// SetCwd sets the working directory of the target to path, which is resolved in its
// root directory. Only Exec supports this setting.
func (attr *Launcher) SetCwd(path string) {
	attr.set(func(c *launchConfig) { c.cwd = path })
}

// SetUmask sets the file mode creation mask of the target to mask, from 0 to 0777.
// Only Exec supports this setting.
func (attr *Launcher) SetUmask(mask int) {
	attr.set(func(c *launchConfig) { c.umask = &mask })
}

// SetRlimit sets the limits of a resource, an RLIMIT_ number of setrlimit(2).
// 1<<64-1 means no limit. A later call for the same resource replaces an earlier one.
// Only Exec supports this setting.
func (attr *Launcher) SetRlimit(resource int, soft, hard uint64) {
	attr.set(func(c *launchConfig) {
		c.rlimits = slices.DeleteFunc(slices.Clone(c.rlimits), func(r rlimit) bool { return r.resource == resource })
		c.rlimits = append(c.rlimits, rlimit{resource, soft, hard})
	})
}

// SetDescriptors marks every descriptor above 2 close-on-exec, except those in keep,
// which it leaves unchanged. Without this setting, the target gets each descriptor that
// is not close-on-exec. Only Exec supports this setting.
func (attr *Launcher) SetDescriptors(keep []int) {
	keep = slices.Clone(keep)
	attr.set(func(c *launchConfig) { c.descriptors, c.keep = true, keep })
}

// SetDeathSignal makes the kernel send a signal, from 1 to 64, to the target when the
// thread that forked it ends: prctl(2) PR_SET_PDEATHSIG. parent is the process ID of
// the parent, or 0 if that is outside the PID namespace, as getppid(2) returns it. If
// the target has another parent by then, the parent has ended, and Exec returns an error.
// For parent 0 this cannot be detected. If signal and parent are 0, no signal is set.
// The kernel clears the signal if the target is set-user-ID or set-group-ID or has file
// capabilities. Only Exec supports this setting.
func (attr *Launcher) SetDeathSignal(signal, parent int) {
	attr.set(func(c *launchConfig) { c.deathSignal, c.parent = signal, parent })
}

// SetNewSession makes the target run without a controlling terminal: in a new session,
// unless the calling process leads a process group. Only Exec supports this setting.
func (attr *Launcher) SetNewSession() {
	attr.set(func(c *launchConfig) { c.newSession = true })
}

// SetNewKeyring makes the target run with a new, empty session keyring instead of that
// of the caller: keyrings(7). Only Exec supports this setting.
func (attr *Launcher) SetNewKeyring() {
	attr.set(func(c *launchConfig) { c.newKeyring = true })
}

// SetBeforeExec makes Exec call fn before the last step, execve(2), on the thread
// that becomes the target. If fn returns an error, Exec returns it.
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
