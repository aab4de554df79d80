package cap

import "fmt"

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
// SysProcAttr.Pdeathsig is killed at once.
//
// Steps that the kernel refuses return a *StepError. A Launcher with a setting
// that is for Exec only returns ErrExecOnly before any step.
func (attr *Launcher) Launch(data any) (int, error) {
	if attr == nil {
		return -1, ErrLaunchFailed
	}
	c := attr.config()
	if c.callback == nil && (c.path == "" || len(c.args) == 0) {
		return -1, ErrLaunchFailed
	}
	if c.cwd != "" || c.umask != nil || c.rlimits != nil || c.final != nil || c.descriptors || c.newSession || c.parent != 0 || c.deathSignal != 0 || c.beforeExec != nil {
		return -1, ErrExecOnly
	}
	steps, err := c.steps()
	if err != nil {
		return -1, err
	}
	if c.chroot != "" && c.mode != nil && *c.mode == ModeNoPriv {
		// The forked child changes root, when nothing is left to do it with.
		return -1, fmt.Errorf("%w: %v leaves nothing to change root with; Exec can do both", ErrBadMode, *c.mode)
	}
	return c.launch(steps, data)
}
