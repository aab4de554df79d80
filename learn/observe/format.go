package observe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A field is the place of a value in the raw data of a tracepoint.
type field struct {
	offset, size int
	signed       bool
	indirect     bool // __data_loc: the value is the place of the text
}

// A format describes the raw data of a tracepoint, as its file "format" in tracefs does:
// Documentation/trace/events.rst. Places differ between kernels.
type format struct {
	id     uint16 // common_type of the raw data
	fields map[string]field
}

// maxFields is the number of fields that parseFormat accepts. No tracepoint has as many.
const maxFields = 256

// parseFormat reads the text of a file "format". It ignores lines that it does not know.
func parseFormat(text string) (format, error) {
	f := format{fields: map[string]field{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if id, found := strings.CutPrefix(line, "ID: "); found {
			n, err := strconv.ParseUint(id, 10, 16)
			if err != nil || n == 0 {
				return format{}, fmt.Errorf("format of a tracepoint: invalid ID %q", id)
			}
			f.id = uint16(n)
		}
		if !strings.HasPrefix(line, "field:") {
			continue
		}
		name, at, err := parseField(line)
		if err != nil {
			return format{}, err
		}
		if len(f.fields) == maxFields {
			return format{}, fmt.Errorf("format of a tracepoint: more than %d fields", maxFields)
		}
		f.fields[name] = at
	}
	if f.id == 0 {
		return format{}, fmt.Errorf("format of a tracepoint: missing ID")
	}
	return f, nil
}

// parseField reads a line such as
// "field:const struct cred * cred; offset:8; size:8; signed:0;".
func parseField(line string) (name string, f field, err error) {
	sizes := map[string]int{"offset": -1, "size": -1, "signed": 0}
	for part := range strings.SplitSeq(line, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), ":")
		switch key {
		case "field":
			f.indirect = strings.HasPrefix(value, "__data_loc ")
			name, _, _ = strings.Cut(value[strings.LastIndexAny(value, " *")+1:], "[")
		case "offset", "size", "signed":
			n, err := strconv.ParseUint(value, 10, 15)
			if err != nil {
				return "", field{}, fmt.Errorf("format of a tracepoint: invalid %s in %q", key, line)
			}
			sizes[key] = int(n)
		}
	}
	f.offset, f.size, f.signed = sizes["offset"], sizes["size"], sizes["signed"] != 0
	if name == "" || f.offset < 0 || f.size < 0 {
		return "", field{}, fmt.Errorf("format of a tracepoint: incomplete field %q", line)
	}
	return name, f, nil
}

// has returns an error if the tracepoint lacks a field.
func (f format) has(names ...string) error {
	for _, name := range names {
		if _, found := f.fields[name]; !found {
			return fmt.Errorf("tracepoint without the field %q", name)
		}
	}
	return nil
}

// number returns the value of a field, and 0 if the raw data lacks it.
func (f format) number(raw []byte, name string) int64 {
	at, found := f.fields[name]
	if !found || at.offset+at.size > len(raw) {
		return 0
	}
	b := raw[at.offset : at.offset+at.size]
	switch at.size {
	case 1:
		if at.signed {
			return int64(int8(b[0]))
		}
		return int64(b[0])
	case 2:
		n := binary.NativeEndian.Uint16(b)
		if at.signed {
			return int64(int16(n))
		}
		return int64(n)
	case 4:
		n := binary.NativeEndian.Uint32(b)
		if at.signed {
			return int64(int32(n))
		}
		return int64(n)
	case 8:
		return int64(binary.NativeEndian.Uint64(b))
	}
	return 0
}

// text returns the text of an indirect field, and "" if the raw data lacks it. The field
// has the length of the text in its upper half, and the offset in its lower half.
func (f format) text(raw []byte, name string) string {
	if at := f.fields[name]; !at.indirect || at.size != 4 {
		return ""
	}
	n := uint32(f.number(raw, name))
	offset, size := int(n&0xffff), int(n>>16)
	if offset+size > len(raw) {
		return ""
	}
	text, _, _ := bytes.Cut(raw[offset:offset+size], []byte{0})
	return string(text)
}

// typeOf returns the ID of the tracepoint that raw data belongs to, or 0.
func typeOf(raw []byte) uint16 {
	if len(raw) < 2 {
		return 0
	}
	return binary.NativeEndian.Uint16(raw) // common_type is the first field of each
}
