package machine

import (
	"encoding/binary"
	"errors"
	"fmt"

	"caprun/engine/cred"
)

// The format of the attribute security.capability: struct vfs_ns_cap_data
// (include/uapi/linux/capability.h), capabilities(7).
const (
	maxFileCaps    = 24
	fileCapsV1     = 0x01000000
	fileCapsV2     = 0x02000000
	fileCapsV3     = 0x03000000
	fileCapsEffect = 1

	// rootOffset is the offset of the namespace root user in version 3.
	rootOffset = 20
)

// fileCapsRoot returns the root user, as a uid of this user namespace, of the user
// namespace that the attribute belongs to. It is 0 for this namespace and its
// ancestors.
func fileCapsRoot(data []byte) uint32 {
	if len(data) != maxFileCaps {
		return 0
	}
	return binary.LittleEndian.Uint32(data[rootOffset:])
}

// ownsFileCaps reports whether an attribute with the root user root, not 0, applies in
// the user namespace ns. It does if that user is uid 0 in an ancestor of ns: root of
// the machine can have another number inside.
//
// Kernel: rootid_owns_currentns, cap_inode_getsecurity (security/commoncap.c).
func ownsFileCaps(root uint32, ns cred.UserNS, known bool) (bool, error) {
	if known && !ns.Nested {
		return false, nil
	}
	for _, x := range ns.UIDs {
		if root >= x.Inside && root-x.Inside < x.Count && root-x.Inside+x.Outside == 0 {
			return true, nil
		}
	}
	return false, fmt.Errorf("%w, whose root is uid %d here", errForeignCaps, root)
}

var errForeignCaps = errors.New("cannot determine whether its file capabilities apply: they belong to another user namespace")

// decodeFileCaps sets the capabilities of file from the attribute.
//
// Kernel: get_vfs_caps_from_disk (security/commoncap.c).
func decodeFileCaps(data []byte, file *cred.File) error {
	bad := fmt.Errorf("invalid file capabilities of %d bytes", len(data))
	if len(data) < 4 {
		return bad
	}
	magic := binary.LittleEndian.Uint32(data)
	var words, size int
	switch magic & 0xff000000 {
	case fileCapsV1:
		words, size = 1, 12
	case fileCapsV2:
		words, size = 2, 20
	case fileCapsV3:
		words, size = 2, maxFileCaps
	}
	if words == 0 || len(data) != size {
		return bad
	}
	if fileCapsRoot(data) != 0 {
		// They belong to another user namespace: the kernel ignores them.
		return nil
	}
	for w := range words {
		file.Permitted |= cred.Caps(binary.LittleEndian.Uint32(data[4+8*w:])) << (32 * w)
		file.Inheritable |= cred.Caps(binary.LittleEndian.Uint32(data[8+8*w:])) << (32 * w)
	}
	file.HasCaps = true
	file.Effective = magic&fileCapsEffect != 0
	return nil
}
