package cap

import (
	"fmt"
)

// SetUID makes uid the real, effective, saved and file system uid of every
// thread, and keeps the permitted set. It raises CAP_SETUID for the purpose
// and empties the effective set afterwards, also when it fails. Leaving uid 0
// empties the ambient set: capabilities(7).
func SetUID(uid int) error {
	id, err := kernelID(uid)
	if err != nil {
		return err
	}
	return change(func(s scope) error {
		return withEffective(s, SETUID, func() error {
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
// the supplementary groups cannot be set, the gid is already changed.
func SetGroups(gid int, suppl ...int) error {
	id, err := kernelID(gid)
	if err != nil {
		return err
	}
	groups := make([]uint32, len(suppl))
	for i, g := range suppl {
		if groups[i], err = kernelID(g); err != nil {
			return err
		}
	}
	return change(func(s scope) error {
		return withEffective(s, SETGID, func() error {
			if err := s.setgids(id); err != nil {
				return err
			}
			return s.setgroups(groups)
		})
	})
}
