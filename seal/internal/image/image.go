// Package image writes and reads the ELF file of a sealed launcher, see elf(5).
//
// The file is a static executable:
//
//	offset 0   ELF header, three program headers
//	           code, followed by its constants
//	           notes: the text of the profile, and facts about the file
//	           names of the sections, section headers
//
// One segment is loaded: the headers and the code, which may be read and executed, and
// not written. The stack may not be executed. There is no interpreter, no dynamic section
// and no writable data. The notes are not loaded. The sections are for objdump(1) and
// readelf(1): the kernel does not read them.
package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Machine is the machine of a file, as elf(5) numbers it.
type Machine uint16

// The machines.
const (
	AMD64 Machine = 62  // EM_X86_64
	ARM64 Machine = 183 // EM_AARCH64
)

// pageSize returns the largest page of a machine. The kernel maps a segment only at a
// multiple of its page size.
func (m Machine) pageSize() uint64 {
	if m == ARM64 {
		return 1 << 16
	}
	return 1 << 12
}

// Image is the content of a file.
type Image struct {
	Machine Machine
	Code    []byte // loaded at CodeAddress, where it starts
	Profile []byte // the text of the profile
	Facts   []byte // lines about the file
}

const (
	// MaxSize is the largest size of a file in bytes: code and constants of the largest
	// profile, and its text.
	MaxSize = 256 << 10

	// Base is the address of the first byte of the file in memory.
	Base = 0x400000

	// CodeAddress is the address of the first byte of the code.
	CodeAddress = Base + codeOffset

	headerSize        = 64
	programHeaderSize = 56
	sectionHeaderSize = 64
	segments          = 3
	codeOffset        = headerSize + segments*programHeaderSize
)

// The notes.
const (
	owner       = "caprun\x00\x00" // ended by a zero byte, aligned to 4 bytes
	ownerSize   = 7
	noteHeader  = 12 + len(owner)
	noteProfile = 1
	noteFacts   = 2
)

// The names of the sections, and where each begins. They have the order in which GNU
// strip(1) writes them, so that it does not change the file.
const (
	sectionNames = "\x00.shstrtab\x00.text\x00.note.caprun\x00"
	namesName    = 1
	textName     = namesName + 10
	noteName     = textName + 6
	sections     = 4
)

// Numbers of elf(5).
const (
	ptLoad, ptNote, ptGNUStack            = 1, 4, 0x6474e551
	flagExecute, flagWrite, flagRead      = 1, 2, 4
	sectionBits, sectionText, sectionNote = 1, 3, 7
	sectionAllocated, sectionExecutable   = 2, 4
)

var (
	// ErrNotSealed is the error for a file that is not a sealed launcher.
	ErrNotSealed = errors.New("not a sealed launcher")

	// ErrForm is the error for a sealed launcher that Write does not write, for its
	// headers or its notes.
	ErrForm = errors.New("a sealed launcher in another form than this caprun writes: it was modified, or sealed by another version")
)

// layout is where the parts of a file are.
type layout struct {
	codeEnd, notes, notesEnd, names, sections, end uint64
}

func newLayout(code, profile, facts int) layout {
	var l layout
	l.codeEnd = codeOffset + uint64(code)
	l.notes = align(l.codeEnd, 4)
	l.notesEnd = l.notes + noteSize(profile) + noteSize(facts)
	l.names = l.notesEnd
	l.sections = align(l.names+uint64(len(sectionNames)), 8)
	l.end = l.sections + sections*sectionHeaderSize
	return l
}

func align(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }

func noteSize(description int) uint64 { return uint64(noteHeader) + align(uint64(description), 4) }

// Write returns the file of an image: the same bytes on every system. The error says that
// the file would be larger than MaxSize, or that the machine is unknown.
func Write(m Image) ([]byte, error) {
	if m.Machine != AMD64 && m.Machine != ARM64 {
		return nil, fmt.Errorf("unknown machine %d", m.Machine)
	}
	// Before the sum, which could overflow.
	for _, part := range [][]byte{m.Code, m.Profile, m.Facts} {
		if len(part) > MaxSize {
			return nil, errTooLarge(len(part))
		}
	}
	l := newLayout(len(m.Code), len(m.Profile), len(m.Facts))
	if l.end > MaxSize {
		return nil, errTooLarge(int(l.end))
	}
	w := &writer{b: make([]byte, 0, l.end)}
	w.header(m.Machine, l)
	w.segment(ptLoad, flagRead|flagExecute, 0, Base, l.codeEnd, l.codeEnd, m.Machine.pageSize())
	w.segment(ptGNUStack, flagRead|flagWrite, 0, 0, 0, 0, 16)
	w.segment(ptNote, flagRead, l.notes, 0, l.notesEnd-l.notes, 0, 4)
	w.bytes(m.Code)
	w.padTo(l.notes)
	w.note(noteProfile, m.Profile)
	w.note(noteFacts, m.Facts)
	w.bytes([]byte(sectionNames))
	w.padTo(l.sections)
	w.section(0, 0, 0, 0, 0, 0, 0)
	w.section(textName, sectionBits, sectionAllocated|sectionExecutable, CodeAddress, codeOffset, l.codeEnd-codeOffset, 4)
	w.section(noteName, sectionNote, 0, 0, l.notes, l.notesEnd-l.notes, 4)
	w.section(namesName, sectionText, 0, 0, l.names, uint64(len(sectionNames)), 1)
	return w.b, nil
}

func errTooLarge(size int) error {
	return fmt.Errorf("the file would have %d bytes: the maximum is %d", size, MaxSize)
}

// writer appends the parts of a file.
type writer struct{ b []byte }

func (w *writer) bytes(b []byte) { w.b = append(w.b, b...) }

func (w *writer) padTo(offset uint64) { w.b = append(w.b, make([]byte, offset-uint64(len(w.b)))...) }

func (w *writer) u16(list ...uint16) {
	for _, v := range list {
		w.b = binary.LittleEndian.AppendUint16(w.b, v)
	}
}

func (w *writer) u32(list ...uint32) {
	for _, v := range list {
		w.b = binary.LittleEndian.AppendUint32(w.b, v)
	}
}

func (w *writer) u64(list ...uint64) {
	for _, v := range list {
		w.b = binary.LittleEndian.AppendUint64(w.b, v)
	}
}

// header writes an Elf64_Ehdr.
func (w *writer) header(m Machine, l layout) {
	const class64, littleEndian, version, executable = 2, 1, 1, 2
	w.bytes([]byte{0x7f, 'E', 'L', 'F', class64, littleEndian, version, 15: 0})
	w.u16(executable, uint16(m))
	w.u32(version)
	w.u64(CodeAddress, headerSize, l.sections)
	w.u32(0) // flags
	w.u16(headerSize, programHeaderSize, segments, sectionHeaderSize, sections, sections-1)
}

// segment writes an Elf64_Phdr.
func (w *writer) segment(kind, flags uint32, offset, address, fileSize, memorySize, alignment uint64) {
	w.u32(kind, flags)
	w.u64(offset, address, address, fileSize, memorySize, alignment)
}

// section writes an Elf64_Shdr.
func (w *writer) section(name, kind uint32, flags, address, offset, size, alignment uint64) {
	w.u32(name, kind)
	w.u64(flags, address, offset, size)
	w.u32(0, 0) // link, info
	w.u64(alignment, 0)
}

func (w *writer) note(kind uint32, description []byte) {
	w.u32(ownerSize, uint32(len(description)), kind)
	w.bytes([]byte(owner))
	w.bytes(description)
	w.padTo(align(uint64(len(w.b)), 4))
}

// IsELF reports whether a file, or the beginning of a file, is in the format ELF. No
// profile is.
func IsELF(file []byte) bool { return bytes.HasPrefix(file, []byte("\x7fELF")) }

// Read returns the content of a file that Write returned. Its slices are parts of file.
// The error is ErrNotSealed or ErrForm: Read accepts a file only if Write returns the
// same bytes for its content.
func Read(file []byte) (Image, error) {
	if !IsELF(file) || len(file) < codeOffset || len(file) > MaxSize {
		return Image{}, ErrNotSealed
	}
	// Of the headers, only the machine and the places of the code and the notes matter:
	// the comparison below checks the others.
	const machineAt, loadAt, noteAt, offset, size = 18, headerSize, headerSize + 2*programHeaderSize, 8, 32
	m := Image{Machine: Machine(binary.LittleEndian.Uint16(file[machineAt:]))}
	codeEnd := binary.LittleEndian.Uint64(file[loadAt+size:])
	notes := binary.LittleEndian.Uint64(file[noteAt+offset:])
	if notes > uint64(len(file)) {
		return Image{}, ErrNotSealed
	}
	rest := file[notes:]
	var ok bool
	if m.Profile, rest, ok = readNote(rest, noteProfile); !ok {
		return Image{}, ErrNotSealed
	}
	if m.Facts, _, ok = readNote(rest, noteFacts); !ok || codeEnd < codeOffset || codeEnd > uint64(len(file)) {
		return Image{}, ErrForm
	}
	m.Code = file[codeOffset:codeEnd]
	if written, err := Write(m); err != nil || !bytes.Equal(written, file) {
		return Image{}, ErrForm
	}
	return m, nil
}

// readNote returns the description of the note at the beginning of b, and what follows.
func readNote(b []byte, kind uint32) (description, rest []byte, ok bool) {
	if len(b) < noteHeader {
		return nil, nil, false
	}
	size := uint64(binary.LittleEndian.Uint32(b[4:]))
	w := &writer{}
	w.u32(ownerSize, uint32(size), kind)
	w.bytes([]byte(owner))
	b, ok = bytes.CutPrefix(b, w.b)
	if !ok || align(size, 4) > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:size], b[align(size, 4):], true
}
