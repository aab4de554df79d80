package observe

import (
	"encoding/binary"
	"errors"
)

// headerSize is the size of struct perf_event_header.
const headerSize = 8

var errRing = errors.New("invalid ring of perf events")

// readRing calls visit with each record between tail and head of a ring, without its
// header's size being trusted, and returns the new tail. The positions count bytes from
// the start of the recording; data, whose length is a power of two, has the last ones.
// visit must not keep the record.
//
// The kernel writes whole records, so an error means that this code or the memory is
// wrong: then the rest is skipped.
func readRing(data []byte, tail, head uint64, visit func(record []byte)) (uint64, error) {
	size := uint64(len(data))
	if size == 0 || size&(size-1) != 0 || head-tail > size {
		return head, errRing
	}
	var joined []byte // a record that continues at the start of the ring
	for tail != head {
		left := head - tail
		if left < headerSize {
			return head, errRing
		}
		// Records are multiples of 8 bytes, and so is the ring: a header does not wrap.
		at := tail & (size - 1)
		if at+headerSize > size {
			return head, errRing
		}
		length := uint64(binary.NativeEndian.Uint16(data[at+6:]))
		if length < headerSize || length > left {
			return head, errRing
		}
		record := data[at:min(at+length, size)]
		if rest := length - uint64(len(record)); rest > 0 {
			joined = append(append(joined[:0], record...), data[:rest]...)
			record = joined
		}
		visit(record)
		tail += length
	}
	return tail, nil
}
