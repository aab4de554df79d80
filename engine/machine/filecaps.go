package machine

import (
	"encoding/binary"
	"errors"
	"fmt"

	"caprun/engine/cred"
)

// The formats of the security.capability attribute: capabilities(7).
const (
	maxFileCaps    = 24
	fileCapsV1     = 0x01000000
	fileCapsV2     = 0x02000000
	fileCapsV3     = 0x03000000
	fileCapsEffect = 1

	// rootOffset is where version 3 has the root user of its user namespace.
	rootOffset = 20
)

// fileCapsRoot returns the root user of the user namespace that the attribute
// belongs to, as seen in the present one: 0 for this namespace, and for one
// that it is inside of.
func fileCapsRoot(data []byte) uint32 {
	if len(data) != maxFileCaps {
		return 0
	}
	return binary.LittleEndian.Uint32(data[rootOffset:])
}

// ownsFileCaps reports whether the attribute of a root user other than 0 counts
// in the user namespace ns. It does if that user is uid 0 in a namespace further
// out, as the root of the machine is who has another number inside.
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
	return false, fmt.Errorf("%w: its root is uid %d here", errForeignCaps, root)
}

var errForeignCaps = errors.New("whether its file capabilities count cannot be seen: they belong to another user namespace")

// decodeFileCaps reads the attribute as get_vfs_caps_from_disk does.
func decodeFileCaps(data []byte, file *cred.File) error {
	bad := fmt.Errorf("file capabilities of %d bytes cannot be read", len(data))
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
		// Of a user namespace whose root is another id: the kernel ignores them.
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
