package cap

import "syscall"

// SetUID sets the real, effective, saved and file system user ID of every thread to
// uid, and keeps the permitted set: setresuid(2), prctl(2) PR_SET_KEEPCAPS. It raises
// CAP_SETUID, and leaves the effective set empty, even when it fails. A change from
// user ID 0 empties the ambient set: capabilities(7).
//
// The error is a syscall.Errno: EPERM without a permitted CAP_SETUID or if keep_caps is
// locked off, and EINVAL if uid is negative or above 4294967294.
func SetUID(uid int) error {
	return change(func(s scope) error { return s.applyUID(int64(uid)) })
}

func (s scope) applyUID(uid int64) error {
	return withEffective(s, SETUID, func() error {
		id, err := processID(uid)
		if err != nil {
			return err
		}
		if err := s.setKeepCaps(true); err != nil {
			return err
		}
		err = s.setuids(id)
		if offErr := s.setKeepCaps(false); err == nil {
			err = offErr
		}
		return err
	})
}

// SetGroups sets the real, effective, saved and file system group ID of every thread to
// gid, and its supplementary groups to suppl: setresgid(2), setgroups(2). It raises
// CAP_SETGID, and leaves the effective set empty, even when it fails. If setgroups(2)
// fails, the group ID has already changed.
//
// The error is a syscall.Errno: EPERM without a permitted CAP_SETGID, and EINVAL if a
// group is negative or above 4294967294. Then only the effective set has changed.
func SetGroups(gid int, suppl ...int) error {
	wide := widen(suppl)
	return change(func(s scope) error { return s.applyGroups(int64(gid), wide) })
}

func (s scope) applyGroups(gid int64, suppl []int64) error {
	return withEffective(s, SETGID, func() error {
		id, err := processID(gid)
		if err != nil {
			return err
		}
		groups := make([]uint32, len(suppl))
		for n, g := range suppl {
			if groups[n], err = processID(g); err != nil {
				return err
			}
		}
		if err := s.setgids(id); err != nil {
			return err
		}
		return s.setgroups(groups)
	})
}

// processID is like kernelID, but its error is EINVAL, which the kernel returns for -1.
func processID(id int64) (uint32, error) {
	n, err := kernelID(id)
	if err != nil {
		return 0, syscall.EINVAL
	}
	return n, nil
}
