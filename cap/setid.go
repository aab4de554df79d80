package cap

import "syscall"

// SetUID makes uid the real, effective, saved and file system uid of every
// thread, and keeps the permitted set. It raises CAP_SETUID for the purpose
// and empties the effective set afterwards, also when it fails. Leaving uid 0
// empties the ambient set: capabilities(7). The error is a syscall.Errno: EPERM
// without a permitted CAP_SETUID or where keep-caps is locked off, and EINVAL
// for a uid that the kernel does not have: negative, or 4294967295 and more.
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

// SetGroups makes gid the real, effective, saved and file system gid of every
// thread, and suppl its supplementary groups. It raises CAP_SETGID for the
// purpose and empties the effective set afterwards, also when it fails. When
// the kernel refuses the supplementary groups, the gid is already changed. The
// error is a syscall.Errno: EPERM without a permitted CAP_SETGID, and EINVAL,
// with nothing changed but the effective set, for a gid that the kernel does
// not have: negative, or 4294967295 and more.
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

// processID is kernelID with the error that the kernel has for -1.
func processID(id int64) (uint32, error) {
	n, err := kernelID(id)
	if err != nil {
		return 0, syscall.EINVAL
	}
	return n, nil
}
