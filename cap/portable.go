package cap

import "encoding/binary"

// ExtMagic begins every exported set, as four bytes in little-endian order.
// One byte follows that says how many groups there are, and then that many
// groups of three bytes: eight capabilities of the effective, the permitted
// and the inheritable flag, lowest numbers first.
const ExtMagic = uint32(0x5101c290)

// MinExtFlagSize is the least number of groups that Export writes, at most
// 255. It is 8 because libcap writes 8; 0 gives the shortest form. Import reads
// up to 8. Set it before the first Export, not while one may run.
var MinExtFlagSize = uint(8)

const (
	extHeader  = 5 // bytes of magic and count
	extGroup   = 3 // bytes of a group: one for each flag
	extMaximum = 8 // groups in a flag of 64 bits
)

// Export returns c in a form that Import and the cap_copy_int function of
// libcap read on any system. The namespace owner is left out. The error is
// ErrBadSet, or ErrOutOfRange for a MinExtFlagSize above 255.
func (c *Set) Export() ([]byte, error) {
	e, p, i, err := c.Masks()
	if err != nil {
		return nil, err
	}
	if MinExtFlagSize > 255 {
		return nil, ErrOutOfRange
	}
	groups := int(MinExtFlagSize)
	for groups < extMaximum && (e|p|i)>>(8*groups) != 0 {
		groups++
	}
	d := make([]byte, extHeader, extHeader+extGroup*groups)
	binary.LittleEndian.PutUint32(d, ExtMagic)
	d[extHeader-1] = byte(groups)
	for k := range groups {
		d = append(d, byte(e>>(8*k)), byte(p>>(8*k)), byte(i>>(8*k)))
	}
	return d, nil
}

// Import returns the set that Export, or the cap_copy_ext function of libcap,
// has written to d. Bytes after its end are ignored. The error is ErrBadMagic,
// or ErrBadSize for a d that is cut short or has more than 8 groups.
func Import(d []byte) (*Set, error) {
	if len(d) < extHeader-1 {
		return nil, ErrBadSize
	}
	if binary.LittleEndian.Uint32(d) != ExtMagic {
		return nil, ErrBadMagic
	}
	if len(d) < extHeader {
		return nil, ErrBadSize
	}
	groups, d := int(d[extHeader-1]), d[extHeader:]
	if groups > extMaximum || len(d) < extGroup*groups {
		return nil, ErrBadSize
	}
	var e, p, i Mask
	for k := range groups {
		e |= Mask(d[extGroup*k]) << (8 * k)
		p |= Mask(d[extGroup*k+1]) << (8 * k)
		i |= Mask(d[extGroup*k+2]) << (8 * k)
	}
	return SetOf(e, p, i), nil
}
