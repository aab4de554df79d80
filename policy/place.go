package policy

import "strconv"

// A place says where a value of the profile stands in its file. Most are never
// asked for: lines and columns are counted when one is. MaxSize bounds them.
type place struct {
	key, value extent

	// Where the text of a string value begins in the file, if it stands there
	// character by character, and -1 if not, as with escapes.
	text, length int32
}

// An extent is the bytes between which something stands in a file. The zero
// value is nowhere.
type extent struct{ from, to int32 }

// position returns the position of an extent; unknown for nowhere. No key or
// value of an accepted profile has no length and stands at its beginning.
func (p *Profile) position(e extent) Position {
	if e == (extent{}) {
		return Position{}
	}
	return p.source.span(int(e.from), int(e.to))
}

// Has reports whether the file has a value at path, as Position takes it. It
// is false if the profile was filled by hand.
func (p *Profile) Has(path string) bool {
	_, ok := p.places[path]
	return ok
}

// Position returns where the value at path stands, such as "caps",
// "env.set.MODE", "groups[1]" or "rlimits.core.soft". A limit that is given as
// one value has its soft and hard limit there. The position is unknown if the
// file has no such value or the profile was filled by hand.
func (p *Profile) Position(path string) Position { return p.position(p.places[path].value) }

// KeyPosition returns where the key at path stands. The position is unknown if
// the file has no such key, as for the items of a list.
func (p *Profile) KeyPosition(path string) Position { return p.position(p.places[path].key) }

// TextPosition returns where a word of the string value at path stands: length
// bytes from the byte offset on, in the string as the Profile holds it. It
// falls back to the position of the value where the file spells the string
// in another way, with escapes or over several lines, and where the word is
// outside of the string.
func (p *Profile) TextPosition(path string, offset, length int) Position {
	at, ok := p.places[path]
	if !ok || at.text < 0 || offset < 0 || length < 0 || length > int(at.length)-offset {
		return p.position(at.value)
	}
	from := int(at.text) + offset
	return p.source.span(from, from+length)
}

// Source returns the file as it was given to Parse, or nil if the profile was
// filled by hand. The caller must not change the bytes.
func (p *Profile) Source() []byte {
	if p.source == nil {
		return nil
	}
	return p.source.text
}

// item is the path of an item of the list at path.
func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
