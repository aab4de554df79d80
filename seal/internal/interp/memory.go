package interp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// Memory is the memory of a [Machine]: the data, the stack with the frame, and what Reserve
// and mmap added. Addresses are 64 bits wide; no segment is at a small one.
type Memory struct {
	segments []segment

	// Garbage makes every byte that nothing has written a byte of this value, instead
	// of an error, if it is not nil.
	Garbage *byte
}

// segment is a range of addresses. Nothing is between two segments.
type segment struct {
	name     string
	base     uint64
	bytes    []byte
	written  []bool // whether each byte has a defined value; nil if all have
	readOnly bool
}

const (
	dataBase  = 0x0000_0040_0000
	codeBase  = 0x0000_1000_0000
	mmapBase  = 0x7000_0000_0000
	stackTop  = 0x7fff_ffff_f000
	pageSize  = 4096
	stackSize = 8 << 20 // the most that Enter may reserve
)

// clone returns a copy that shares no memory that can be written.
func (m *Memory) clone() Memory {
	c := Memory{slices.Clone(m.segments), m.Garbage}
	for n := range c.segments {
		if s := &c.segments[n]; !s.readOnly {
			s.bytes, s.written = slices.Clone(s.bytes), slices.Clone(s.written)
		}
	}
	return c
}

// at returns the segment that contains size bytes at addr, and the index of the first.
func (m *Memory) at(addr uint64, size int) (*segment, int, error) {
	for n := range m.segments {
		s := &m.segments[n]
		if at := addr - s.base; addr >= s.base && at <= uint64(len(s.bytes)) && uint64(size) <= uint64(len(s.bytes))-at {
			return s, int(at), nil
		}
	}
	return nil, 0, fmt.Errorf("%d bytes at %#x are outside the memory", size, addr)
}

// requireWritten returns an error for a byte without a defined value.
func (m *Memory) requireWritten(s *segment, at, size int) error {
	if s.written == nil || !slices.Contains(s.written[at:at+size], false) {
		return nil
	}
	if m.Garbage == nil {
		return fmt.Errorf("the %d bytes at %#x (%s+%d) were not all written", size, s.base+uint64(at), s.name, at)
	}
	for n := at; n < at+size; n++ {
		if !s.written[n] {
			s.bytes[n] = *m.Garbage
		}
	}
	return nil
}

// Read returns a copy of size bytes. It returns an error if one is outside the memory, or
// has no defined value.
func (m *Memory) Read(addr uint64, size int) ([]byte, error) {
	s, at, err := m.at(addr, size)
	if err != nil {
		return nil, err
	}
	if err := m.requireWritten(s, at, size); err != nil {
		return nil, err
	}
	return slices.Clone(s.bytes[at : at+size]), nil
}

// Write stores data. It returns an error, and stores nothing, if a byte of it is outside the
// memory that can be written.
func (m *Memory) Write(addr uint64, data []byte) error {
	s, at, err := m.at(addr, len(data))
	if err != nil {
		return err
	}
	if s.readOnly {
		return fmt.Errorf("write to %s at %#x", s.name, addr)
	}
	copy(s.bytes[at:], data)
	if s.written != nil {
		for n := at; n < at+len(data); n++ {
			s.written[n] = true
		}
	}
	return nil
}

// Text returns the string at addr, which a zero byte ends.
func (m *Memory) Text(addr uint64) (string, error) {
	s, at, err := m.at(addr, 1)
	if err != nil {
		return "", err
	}
	end := bytes.IndexByte(s.bytes[at:], 0)
	if end < 0 {
		return "", fmt.Errorf("the string at %#x (%s+%d) has no end", addr, s.name, at)
	}
	text, err := m.Read(addr, end+1)
	if err != nil {
		return "", err
	}
	return string(text[:end]), nil
}

// Uint returns size bytes, at most 8, as a number.
func (m *Memory) Uint(addr uint64, size int) (uint64, error) {
	s, at, err := m.at(addr, size)
	if err != nil {
		return 0, err
	}
	if err := m.requireWritten(s, at, size); err != nil {
		return 0, err
	}
	var b [8]byte
	copy(b[:], s.bytes[at:at+size])
	return binary.LittleEndian.Uint64(b[:]), nil
}

// Put stores the low size bytes of a number, at most 8.
func (m *Memory) Put(addr uint64, size int, value uint64) error {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], value)
	return m.Write(addr, b[:size])
}

// Strings returns the list of strings at addr, an array of addresses that 0 ends.
func (m *Memory) Strings(addr uint64) ([]string, error) {
	list := []string{}
	for ; ; addr += 8 {
		at, err := m.Uint(addr, 8)
		if err != nil || at == 0 {
			return list, err
		}
		text, err := m.Text(at)
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
}

// Map adds a segment of zero bytes, as mmap does for MAP_ANONYMOUS, and returns its address.
// Pages that are not mapped lie before and after it.
func (m *Memory) Map(size int) uint64 {
	base := uint64(mmapBase)
	for _, s := range m.segments {
		if s.base >= mmapBase && s.base < stackTop-stackSize {
			base = max(base, (s.base+uint64(len(s.bytes))+2*pageSize-1)&^(pageSize-1))
		}
	}
	size = (size + pageSize - 1) &^ (pageSize - 1)
	m.segments = append(m.segments, segment{name: "mmap", base: base, bytes: make([]byte, size)})
	return base
}
