package cap

import (
	"fmt"
	"slices"
)

// This file executes the steps that do not change credentials; exec.go executes
// those that do.

func executeCloseOnExec(s *Step, fail failFunc) error {
	return fail("close_range", markCloseOnExec(s.Keep))
}

// markCloseOnExec marks every descriptor above 2 close-on-exec, except those to keep.
func markCloseOnExec(keep []int) error {
	keep = slices.Clone(keep)
	slices.Sort(keep)
	first := 3
	for _, fd := range keep {
		if fd > first {
			if err := closeOnExecRange(first, fd-1); err != nil {
				return err
			}
		}
		first = max(first, fd+1)
	}
	if err := closeOnExecRange(first, maxDescriptor); err != nil {
		return err
	}
	return checkCloseOnExec(keep)
}

// executeChroot changes the root directory and verifies it, because no later step
// would fail if the call had no effect.
func executeChroot(s *Step, fail failFunc) error {
	readOverflowIDs() // while /proc is reachable; executeUID needs them
	return withDirectory(s.Path, fail, func(dir int) error {
		if err := chroot(s.Path); err != nil {
			return fail("chroot", err)
		}
		if err := fail("chroot", isDirectory("/", dir)); err != nil {
			return err
		}
		return enter("/", dir, fail)
	})
}

// executeChdir changes the working directory and verifies it.
func executeChdir(s *Step, fail failFunc) error {
	return withDirectory(s.Path, fail, func(dir int) error { return enter(s.Path, dir, fail) })
}

// enter changes the working directory to path, which must be the directory dir.
func enter(path string, dir int, fail failFunc) error {
	if err := chdir(path); err != nil {
		return fail("chdir", err)
	}
	return fail("chdir", isDirectory(".", dir))
}

// withDirectory calls use with an open descriptor of the directory at path.
func withDirectory(path string, fail failFunc, use func(dir int) error) error {
	dir, err := openDirectory(path)
	if err != nil {
		return fail("open", err)
	}
	defer closeDescriptor(dir)
	return use(dir)
}

func executeUmask(s *Step, fail failFunc) error {
	umask(s.Umask)
	if got := umask(s.Umask); got != s.Umask {
		return fail("umask", fmt.Errorf("it is %#o", got))
	}
	return nil
}

// executeRlimit sets a limit and verifies it, also where nothing had to change,
// because no later step would fail if a call had no effect.
func executeRlimit(s *Step, fail failFunc) error {
	soft, hard, err := getrlimit(s.Resource)
	if err != nil {
		return fail("getrlimit", err)
	}
	if soft != s.Soft || hard != s.Hard {
		if err := setrlimit(s.Resource, s.Soft, s.Hard); err != nil {
			return fail("setrlimit", err)
		}
	}
	soft, hard, err = getrlimit(s.Resource)
	if err == nil && !(sameLimit(soft, s.Soft) && sameLimit(hard, s.Hard)) {
		err = fmt.Errorf("the limits are now %d (soft) and %d (hard)", soft, hard)
	}
	return fail("getrlimit", err)
}

// sameLimit compares limits. Some kernels turn a limit of 0 seconds into 1.
func sameLimit(got, want uint64) bool { return got == want || want == 0 && got == 1 }

func executeDeathSignal(s *Step, fail failFunc) error {
	if err := setDeathSignal(s.Signal); err != nil {
		return fail("prctl PR_SET_PDEATHSIG", err)
	}
	got, err := getDeathSignal()
	if err == nil && got != s.Signal {
		err = fmt.Errorf("it is %d", got)
	}
	if err != nil {
		return fail("prctl PR_GET_PDEATHSIG", err)
	}
	// A parent that has ended before the call causes no signal.
	if parent := getppid(); parent != s.Parent {
		return fail("getppid", fmt.Errorf("the parent is process %d, no longer %d", parent, s.Parent))
	}
	return nil
}

func executeExec(s *Step, fail failFunc) error {
	return fail("execve", execve(s.Path, s.Args, environ(s.Env)))
}
