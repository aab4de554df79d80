package cap

import "encoding/binary"

// ExtMagic is at the start of every exported set, as four bytes in little-endian order.
// The next byte is the number of groups that follow. A group has three bytes: eight
// capabilities of the effective, the permitted and the inheritable flag. The first
// group has the lowest capabilities.
const ExtMagic = uint32(0x5101c290)

// MinExtFlagSize is the minimal number of groups that Export writes, at most 255. The
// default is that of libcap. With 0, Export writes the shortest form. Import reads up
// to 8 groups. Do not change MinExtFlagSize while Export may run.
var MinExtFlagSize = uint(8)

const (
	extHeader  = 5 // bytes of magic and count
	extGroup   = 3 // bytes of a group: one for each flag
	extMaximum = 8 // groups in a flag of 64 bits
)

// Export returns the flags of c in a form that Import and cap_copy_int(3) of libcap
// read on any system. It does not contain the namespace owner. The error is ErrBadSet
// for a nil or zero Set, or ErrOutOfRange if MinExtFlagSize is above 255.
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

// Import returns the set that Export, or cap_copy_ext(3) of libcap, has written to d.
// It ignores additional bytes. The error is ErrBadMagic, or ErrBadSize if d is too
// short or has more than 8 groups.
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
