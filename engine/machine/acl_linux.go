package machine

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// maxACL is the maximum size of an access control list, in bytes.
const maxACL = 64 << 10

// checkACL refuses a file whose access control list lets an untrusted user or group write.
// fd is open for reading.
func (t *trust) checkACL(fd int, path string) error {
	users, groups, err := aclWriters(fd)
	if err != nil {
		return fmt.Errorf("access control list of %s: %w", path, err)
	}
	for _, uid := range users {
		// Here an unmapped user has the number cred.NoID.
		if !t.isTrusted(uid) {
			return &untrusted{path, fmt.Sprintf("is writable by uid %d (an access control list)", uid), "setfacl -b " + quote(path)}
		}
	}
	for _, gid := range groups {
		if gid != 0 {
			return &untrusted{path, fmt.Sprintf("is writable by group %d (an access control list)", gid), "setfacl -b " + quote(path)}
		}
	}
	return nil
}

// aclWriters returns the users and groups that the access control list of a file names and
// lets write, see acl(5). A file has such an entry only if its mode lets the group write:
// the mode shows the mask of the list as the permissions of the group. fd is open for
// reading.
func aclWriters(fd int) (users, groups []uint32, err error) {
	const attribute = "system.posix_acl_access"
	const header, size = 4, 8
	const tagUser, tagGroup, write = 0x02, 0x08, 2
	list := make([]byte, maxACL)
	n, err := unix.Fgetxattr(fd, attribute, list)
	switch {
	case err == unix.ENODATA || err == unix.ENOTSUP:
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	}
	for e := header; e+size <= n; e += size {
		tag, rights := binary.LittleEndian.Uint16(list[e:]), binary.LittleEndian.Uint16(list[e+2:])
		id := binary.LittleEndian.Uint32(list[e+4:])
		switch {
		case rights&write == 0:
		case tag == tagUser:
			users = append(users, id)
		case tag == tagGroup:
			groups = append(groups, id)
		}
	}
	return users, groups, nil
}
