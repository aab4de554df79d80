package engine

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// maxACL bounds the attribute of an access control list: some thousand entries.
const maxACL = 64 << 10

// checkACL refuses what an access control list lets somebody else write:
// acl(5). The mode shows the mask of the list as the rights of the group, so
// only what its group may write can have such a list. fd is open for reading.
func (t *trust) checkACL(fd int, path string) error {
	const attribute = "system.posix_acl_access"
	const header, size = 4, 8
	const tagUser, tagGroup, write = 0x02, 0x08, 2
	list := make([]byte, maxACL)
	n, err := unix.Fgetxattr(fd, attribute, list)
	switch {
	case err == unix.ENODATA || err == unix.ENOTSUP:
		return nil
	case err != nil:
		return fmt.Errorf("access control list of %s: %w", path, err)
	}
	for e := header; e+size <= n; e += size {
		tag, rights := binary.LittleEndian.Uint16(list[e:]), binary.LittleEndian.Uint16(list[e+2:])
		id := binary.LittleEndian.Uint32(list[e+4:])
		if rights&write == 0 {
			continue
		}
		switch {
		case tag == tagUser && !t.owner(id):
			return &TrustError{path, fmt.Sprintf("is writable by uid %d (an access control list)", id), "setfacl -b " + quote(path)}
		case tag == tagGroup && id != 0:
			return &TrustError{path, fmt.Sprintf("is writable by group %d (an access control list)", id), "setfacl -b " + quote(path)}
		}
	}
	return nil
}
