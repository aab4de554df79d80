package machine

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// format is an entry of binfmt_misc: a kind of file, and the program that the kernel
// runs instead of such a file.
type format struct {
	name        string
	interpreter string

	extension   string // what follows the last dot of the path; empty for a magic
	offset      int
	magic, mask []byte // mask is empty for one that keeps every bit

	// credentials tells that set-id bits and file capabilities are those of the
	// file; otherwise they are those of the interpreter.
	credentials bool

	// fixed tells that the interpreter was opened when the entry was made, in
	// the root directory of that time.
	fixed bool
}

// parseFormat reads an entry as entry_status of fs/binfmt_misc.c writes it. ok
// is false for one that is disabled.
func parseFormat(name string, text []byte) (f format, ok bool, err error) {
	f.name = name
	enabled := false
	for line := range strings.Lines(string(text)) {
		word, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "enabled":
			enabled = true
		case "disabled":
			return f, false, nil
		case "interpreter":
			f.interpreter = value
		case "flags:":
			f.credentials = strings.Contains(value, "C")
			f.fixed = strings.Contains(value, "F")
		case "extension":
			f.extension = strings.TrimPrefix(value, ".")
		case "offset":
			f.offset, err = strconv.Atoi(value)
		case "magic":
			f.magic, err = hex.DecodeString(value)
		case "mask":
			f.mask, err = hex.DecodeString(value)
		default:
			err = fmt.Errorf("%.80q is not known", word)
		}
		if err != nil {
			return f, false, fmt.Errorf("format %s of binfmt_misc: %w", name, err)
		}
	}
	whole := enabled && f.interpreter != "" && (f.extension != "" || len(f.magic) > 0) &&
		f.offset >= 0 && f.offset <= headSize-len(f.magic) && (len(f.mask) == 0 || len(f.mask) == len(f.magic))
	if !whole {
		return f, false, fmt.Errorf("format %s of binfmt_misc cannot be understood", name)
	}
	return f, true, nil
}

// matches reports whether the kernel takes a file for one of this format:
// search_binfmt_handler of fs/binfmt_misc.c. head is what the file begins with.
func (f *format) matches(path string, head []byte) bool {
	if f.extension != "" {
		dot := strings.LastIndexByte(path, '.')
		return dot >= 0 && path[dot+1:] == f.extension
	}
	var all [headSize]byte // the kernel fills up with zeros
	copy(all[:], head)
	part := all[f.offset : f.offset+len(f.magic)]
	if len(f.mask) == 0 {
		return bytes.Equal(part, f.magic)
	}
	for n, mask := range f.mask {
		if (part[n]^f.magic[n])&mask != 0 {
			return false
		}
	}
	return true
}

// findFormat returns the format that the kernel takes a file for; nil for none.
func findFormat(all []format, path string, head []byte) (*format, error) {
	var found *format
	for n := range all {
		f := &all[n]
		switch {
		case !f.matches(path, head):
		case found != nil:
			// The kernel takes the one made last, and does not tell which it is.
			return nil, fmt.Errorf("formats %s and %s of binfmt_misc are both for it", found.name, f.name)
		default:
			found = f
		}
	}
	return found, nil
}
