package cap

// LaunchSupported tells that Launch works: it does on Linux.
const LaunchSupported = true

// Launch runs the target as a child process with the privilege that the
// Launcher sets, or calls the function of a FuncLauncher. It returns the pid
// of the child, which the caller must wait for, or 0 for a FuncLauncher; -1
// and an error when it fails. data is passed to the callback.
//
// Each launch happens on a thread of its own, which ends with it. Launches run
// side by side; calls of this package that change the privilege of the process
// wait until none is in flight. A launch that changes ids makes the process
// not dumpable (prctl(2) PR_GET_DUMPABLE), since its threads share one
// address space. The thread that forks ends, so a child with
// SysProcAttr.Pdeathsig is killed at once. A program on a file system that does
// not answer delays its own launch, and calls that change the privilege of the
// process, but no other launch. The exception is a file system that answers
// stat(2) and not execve(2), as where only the interpreter of a script is out of
// reach: such an exec occupies a processor of the Go runtime (GOMAXPROCS), as it
// does in os/exec.
//
// After the callback, the settings are applied in this order, each as the call
// of the same name does it: SetUID, SetGroups, Mode.Set, IAB.SetProc,
// Secbits.Set, no_new_privs, and for SetChroot CAP_SYS_CHROOT is raised. So each
// raises the capability that it needs from the permitted set and lowers it
// again, and nothing is effective during exec beyond what the callback left
// and CAP_SYS_CHROOT. The errors are those of these calls and of
// syscall.ForkExec; ErrBadMode, before any setting is applied, for a mode that
// contradicts another setting; and ErrExecOnly, before the callback runs, for a
// setting that is for Exec only.
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

// execOnly reports whether a setting is for Exec only.
func (c *launchConfig) execOnly() bool {
	return c.cwd != "" || c.umask != nil || c.rlimits != nil || c.final != nil || c.descriptors ||
		c.newSession || c.parent != 0 || c.deathSignal != 0 || c.beforeExec != nil
}

// applyTo makes the settings those of s. No step raises more than it needs.
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
		// The forked child changes its root directory: a thread shares it with
		// the process.
		return s.raise(SYS_CHROOT)
	}
	return nil
}
