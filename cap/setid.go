package cap

import (
	"fmt"
)

// SetUID makes uid the real, effective, saved and file system uid of every
// thread, and keeps the permitted set. It raises CAP_SETUID for the purpose
// and empties the effective set afterwards, also when it fails. Leaving uid 0
// empties the ambient set: capabilities(7). The error is EPERM without a
// permitted CAP_SETUID, and wraps ErrBadID for a uid that cannot be one.
func SetUID(uid int) error {
	id, idErr := kernelID(uid)
	return change(func(s scope) error {
		return withEffective(s, SETUID, func() error {
			if idErr != nil {
				return idErr
			}
			if err := s.setKeepCaps(true); err != nil {
				return fmt.Errorf("keep capabilities: %w", err)
			}
			err := s.setuids(id)
			if offErr := s.setKeepCaps(false); err == nil {
				err = offErr
			}
			return err
		})
	})
}

// SetGroups makes gid the real, effective, saved and file system gid of every
// thread, and suppl its supplementary groups. It raises CAP_SETGID for the
// purpose and empties the effective set afterwards, also when it fails. When
// the kernel refuses the supplementary groups, the gid is already changed. The
// error is EPERM without a permitted CAP_SETGID, and wraps ErrBadID, with
// nothing changed but the effective set, for a number that cannot be a gid.
func SetGroups(gid int, suppl ...int) error {
	id, idErr := kernelID(gid)
	groups := make([]uint32, len(suppl))
	for i, g := range suppl {
		var err error
		if groups[i], err = kernelID(g); idErr == nil {
			idErr = err
		}
	}
	return change(func(s scope) error {
		return withEffective(s, SETGID, func() error {
			if idErr != nil {
				return idErr
			}
			if err := s.setgids(id); err != nil {
				return err
			}
			return s.setgroups(groups)
		})
	})
}
