package cap

import "encoding/binary"

// The versions of the security.capability attribute: capabilities(7), "File
// capability extended attribute versioning". An attribute begins with a word that has
// the version and the effective bit. One or two pairs of words follow, with the
// permitted and the inheritable set, and in version 3 the user ID that is root in the
// user namespace for which the capabilities are valid.
const (
	fileVersionMask = 0xff000000
	fileVersion1    = 0x01000000
	fileVersion2    = 0x02000000
	fileVersion3    = 0x03000000
	fileEffective   = 0x000001

	fileSize1 = 12
	fileSize2 = 20
	fileSize3 = 24
)

// encodeFile returns the attribute for a set. Its effective bit is set if e has a
// capability that p or i also has.
func encodeFile(e, p, i Mask, owner uint32) []byte {
	head := uint32(fileVersion2)
	if owner != 0 {
		head = fileVersion3
	}
	if e&(p|i) != 0 {
		head |= fileEffective
	}
	data := make([]byte, 0, fileSize3)
	for _, word := range [...]uint32{head, uint32(p), uint32(i), uint32(p >> 32), uint32(i >> 32)} {
		data = binary.LittleEndian.AppendUint32(data, word)
	}
	if owner != 0 {
		data = binary.LittleEndian.AppendUint32(data, owner)
	}
	return data
}

// decodeFile returns the set of an attribute of any version. The error is ErrBadSize
// or ErrBadMagic.
func decodeFile(data []byte) (*Set, error) {
	if len(data) < fileSize1 || len(data) > fileSize3 {
		return nil, ErrBadSize
	}
	head := binary.LittleEndian.Uint32(data)
	var words, size int
	switch head & fileVersionMask {
	case fileVersion1:
		words, size = 1, fileSize1
	case fileVersion2:
		words, size = 2, fileSize2
	case fileVersion3:
		words, size = 2, fileSize3
	default:
		return nil, ErrBadMagic
	}
	if len(data) != size {
		return nil, ErrBadSize
	}
	var e, p, i Mask
	for w := range words {
		p |= Mask(binary.LittleEndian.Uint32(data[4+8*w:])) << (32 * w)
		i |= Mask(binary.LittleEndian.Uint32(data[8+8*w:])) << (32 * w)
	}
	if head&^fileVersionMask == fileEffective {
		e = p | i
	}
	c := SetOf(e, p, i)
	if size == fileSize3 {
		c.nsRoot = int(binary.LittleEndian.Uint32(data[20:]))
	}
	return c, nil
}
