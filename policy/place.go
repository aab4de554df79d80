package policy

import "strconv"

// A place is where a value of the profile stands in its file. Lines and columns
// are counted when Position needs them. MaxSize bounds the offsets.
type place struct {
	key, value extent

	// Where the text of a string value begins in the file; -1 if the file has it
	// in another form, such as with escapes.
	text, length int32
}

// An extent is a range of bytes in a file. The zero value is no range.
type extent struct{ from, to int32 }

// position returns the position of an extent, or an unknown one for the zero
// value. No key or value of an accepted profile has the extent {0, 0}.
func (p *Profile) position(e extent) Position {
	if e == (extent{}) {
		return Position{}
	}
	return p.source.span(int(e.from), int(e.to))
}

// Has reports whether the file has a value at path, as Position takes it. It is
// false if Parse did not make the profile.
func (p *Profile) Has(path string) bool {
	_, ok := p.places[path]
	return ok
}

// Position returns the position of the value at path, for example "caps",
// "env.set.MODE", "groups[1]" or "rlimits.core.soft". If one value is both the
// soft and the hard limit, both have its position. The position is unknown if
// the file has no such value or Parse did not make the profile.
func (p *Profile) Position(path string) Position { return p.position(p.places[path].value) }

// KeyPosition returns the position of the key at path. It is unknown if the file
// has no such key: items of a list have none.
func (p *Profile) KeyPosition(path string) Position { return p.position(p.places[path].key) }

// TextPosition returns the position of a word of the string value at path: length
// bytes from the byte offset on, in the string as the Profile has it. It returns
// the position of the value if the word is outside of the string, or if the file
// has the string in another form, with escapes or on several lines.
func (p *Profile) TextPosition(path string, offset, length int) Position {
	at, ok := p.places[path]
	if !ok || at.text < 0 || offset < 0 || length < 0 || length > int(at.length)-offset {
		return p.position(at.value)
	}
	from := int(at.text) + offset
	return p.source.span(from, from+length)
}

// Source returns the file as it was given to Parse, or nil if Parse did not make
// the profile. The caller must not change the bytes.
func (p *Profile) Source() []byte {
	if p.source == nil {
		return nil
	}
	return p.source.text
}

// item returns the path of an item of the list at path.
func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
