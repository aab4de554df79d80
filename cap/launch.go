package cap

// LaunchSupported says whether Launch is supported. It is true on every system, but
// Launch returns ErrNotLinux on systems other than Linux.
const LaunchSupported = true

// Launch runs the target as a child process with the privilege that the Launcher
// sets, or calls the function of a FuncLauncher. It returns the process ID of the
// child, for which the caller must wait, or 0 for a FuncLauncher. After an error it
// returns -1. data is passed to the callback.
//
// Each launch uses a new thread, which ends with the launch. Several launches can run
// at the same time; functions of this package that change the privilege of the process
// wait until none is running. A launch that changes IDs makes the process not dumpable
// (prctl(2) PR_GET_DUMPABLE), because all threads share one address space. The thread
// that forks ends, so a child with SysProcAttr.Pdeathsig is killed at once.
//
// A program on a file system that does not respond delays its own launch, and functions
// that change the privilege of the process, but no other launch. If stat(2) of the
// program returns and execve(2) does not, for example because only the interpreter of a
// script is on such a file system, that also blocks one of the GOMAXPROCS processors of
// the Go runtime, as in os/exec.
//
// After the callback, Launch applies the settings in this order, in the same way as the
// functions: SetUID, SetGroups, Mode.Set, IAB.SetProc, Secbits.Set, no_new_privs. For
// SetChroot it then raises CAP_SYS_CHROOT. Each function raises the capability that it
// needs from the permitted set, and lowers it again. So during exec no capability is
// effective except CAP_SYS_CHROOT and those that the callback has left.
//
// The errors are those of these functions and of syscall.ForkExec; ErrLaunchFailed;
// ErrBadMode, before any setting is applied, for a mode that contradicts another
// setting; and ErrExecOnly, before the callback runs, for a setting that only Exec
// supports.
func (attr *Launcher) Launch(data any) (int, error) {
	if attr == nil {
		return -1, ErrLaunchFailed
	}
	c := attr.config()
	if c.callback == nil && (c.path == "" || len(c.args) == 0) {
		return -1, ErrLaunchFailed
	}
	if c.path != "" && c.execOnly() {
		return -1, ErrExecOnly
	}
	return c.launch(data)
}

// execOnly reports whether there is a setting that only Exec supports.
func (c *launchConfig) execOnly() bool {
	return c.cwd != "" || c.umask != nil || c.rlimits != nil || c.final != nil || c.descriptors ||
		c.newSession || c.newKeyring || c.parent != 0 || c.deathSignal != 0 || c.beforeExec != nil
}

// applyTo applies the settings to the threads of s, as Launch documents it.
func (c *launchConfig) applyTo(s scope) error {
	if err := c.contradiction(); err != nil {
		return err
	}
	if c.uid != nil {
		if err := s.applyUID(*c.uid); err != nil {
			return err
		}
	}
	if c.gid != nil {
		if err := s.applyGroups(*c.gid, c.groups); err != nil {
			return err
		}
	}
	if c.mode != nil {
		if err := s.applyMode(*c.mode); err != nil {
			return err
		}
	}
	if c.iab != nil {
		i, a, nb, err := c.iab.Masks()
		if err != nil {
			return err
		}
		if err := s.applyIAB(i, a, nb); err != nil {
			return err
		}
	}
	if c.secbits != nil {
		if err := s.applySecbits(*c.secbits); err != nil {
			return err
		}
	}
	if c.noNewPrivs {
		if err := s.setNoNewPrivs(); err != nil {
			return err
		}
	}
	if c.chroot != "" {
		// Only the child changes its root directory, because the threads of a
		// process share one.
		return s.raise(SYS_CHROOT)
	}
	return nil
}
