package machine

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// format is an entry of binfmt_misc: a format of files, and the interpreter that the
// kernel executes for such a file.
type format struct {
	name        string
	interpreter string

	extension   string // of the file name; empty for a format with a magic
	offset      int    // of the magic in the file
	magic, mask []byte // an empty mask keeps every bit

	// credentials (flag C) reports that the kernel uses the set-id bits and file
	// capabilities of the file. Otherwise it uses those of the interpreter.
	credentials bool

	// fixed (flag F) reports that the kernel opened the interpreter when the entry
	// was registered.
	fixed bool
}

// parseFormat parses an entry of binfmt_misc. ok is false for a disabled entry.
//
// Kernel: entry_status (fs/binfmt_misc.c).
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
			err = fmt.Errorf("unknown field %.80q", word)
		}
		if err != nil {
			return f, false, fmt.Errorf("format %s of binfmt_misc: %w", name, err)
		}
	}
	whole := enabled && f.interpreter != "" && (f.extension != "" || len(f.magic) > 0) &&
		f.offset >= 0 && f.offset <= headSize-len(f.magic) && (len(f.mask) == 0 || len(f.mask) == len(f.magic))
	if !whole {
		return f, false, fmt.Errorf("format %s of binfmt_misc: invalid entry", name)
	}
	return f, true, nil
}

// matches reports whether a file has this format. head is the beginning of the file.
//
// Kernel: search_binfmt_handler (fs/binfmt_misc.c).
func (f *format) matches(path string, head []byte) bool {
	if f.extension != "" {
		dot := strings.LastIndexByte(path, '.')
		return dot >= 0 && path[dot+1:] == f.extension
	}
	var all [headSize]byte // the kernel pads a shorter file with zeros
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

// findFormat returns the format of a file; nil if it has none of them.
func findFormat(all []format, path string, head []byte) (*format, error) {
	var found *format
	for n := range all {
		f := &all[n]
		switch {
		case !f.matches(path, head):
		case found != nil:
			// The kernel uses the one registered last, and does not show the order.
			return nil, fmt.Errorf("formats %s and %s of binfmt_misc both match", found.name, f.name)
		default:
			found = f
		}
	}
	return found, nil
}
