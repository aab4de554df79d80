package engine

import (
	"encoding/binary"
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
)

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
	if size == maxFileCaps && binary.LittleEndian.Uint32(data[20:]) != 0 {
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
