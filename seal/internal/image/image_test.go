package image

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"caprun/internal/test/requires"
)

// examples are images whose parts have lengths with and without padding.
func examples() []Image {
	var list []Image
	for n, machine := range []Machine{AMD64, ARM64, AMD64, ARM64, AMD64} {
		list = append(list, Image{
			Machine: machine,
			Code:    bytes.Repeat([]byte{0x90}, 4*n),
			Profile: []byte("version: 1\n")[:11-n],
			Facts:   []byte("generator 1\n")[:12-n],
		})
	}
	return append(list, Image{Machine: ARM64, Code: []byte{}, Profile: []byte{}, Facts: []byte{}})
}

func mustWrite(t testing.TB, m Image) []byte {
	t.Helper()
	file, err := Write(m)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func equal(a, b Image) bool {
	return a.Machine == b.Machine && bytes.Equal(a.Code, b.Code) && bytes.Equal(a.Profile, b.Profile) && bytes.Equal(a.Facts, b.Facts)
}

// TestRead: Read returns what Write wrote.
func TestRead(t *testing.T) {
	for _, m := range examples() {
		if got, err := Read(mustWrite(t, m)); err != nil || !equal(got, m) {
			t.Errorf("%+v: %+v, %v", m, got, err)
		}
	}
}

// TestReadModified: Read accepts no other file for an image: one with a byte that is
// changed, missing or added is refused, or has other content.
func TestReadModified(t *testing.T) {
	m := examples()[1]
	file := mustWrite(t, m)
	same := func(file []byte) bool {
		got, err := Read(file)
		if err != nil && !errors.Is(err, ErrForm) && !errors.Is(err, ErrNotSealed) {
			t.Errorf("%v", err)
		}
		return err == nil && equal(got, m)
	}
	for n := range file {
		for bit := range 8 {
			changed := bytes.Clone(file)
			changed[n] ^= 1 << bit
			if same(changed) {
				t.Errorf("byte %d, bit %d: not noticed", n, bit)
			}
		}
		if _, err := Read(file[:n]); err == nil {
			t.Errorf("%d bytes: not noticed", n)
		}
	}
	if _, err := Read(append(file, 0)); !errors.Is(err, ErrForm) {
		t.Errorf("a byte added: %v", err)
	}
	for _, other := range []string{"", "version: 1\n", "\x7fELF", string(make([]byte, 300)), "\x7fELF" + string(make([]byte, 300))} {
		if _, err := Read([]byte(other)); !errors.Is(err, ErrNotSealed) {
			t.Errorf("%.20q: %v", other, err)
		}
	}
}

// TestReadBounds: sizes in headers and notes that do not fit the file are refused.
func TestReadBounds(t *testing.T) {
	m := examples()[0]
	file := mustWrite(t, m)
	notes := bytes.Index(file, []byte("caprun\x00")) - 12
	for _, at := range []int{headerSize + 32, headerSize + 2*programHeaderSize + 8, notes + 4} {
		for _, size := range []uint64{0, 1, codeOffset - 1, uint64(len(file)), uint64(len(file)) + 1, MaxSize, 1<<31 - 1, 1<<32 - 1, 1 << 63, 1<<64 - 3, 1<<64 - 1} {
			changed := bytes.Clone(file)
			if at == notes+4 {
				binary.LittleEndian.PutUint32(changed[at:], uint32(size))
			} else {
				binary.LittleEndian.PutUint64(changed[at:], size)
			}
			if _, err := Read(changed); err == nil {
				t.Errorf("offset %d: the size %d is accepted", at, size)
			}
		}
	}
}

// TestWriteRefuses: a file larger than Read accepts is not written.
func TestWriteRefuses(t *testing.T) {
	largest := MaxSize - len(mustWrite(t, Image{Machine: AMD64}))
	for _, m := range []Image{
		{},
		{Machine: 3},
		{Machine: AMD64, Code: make([]byte, MaxSize+1)},
		{Machine: AMD64, Code: make([]byte, largest+8)},
		{Machine: AMD64, Profile: make([]byte, largest+8)},
		{Machine: AMD64, Facts: make([]byte, largest+8)},
	} {
		if file, err := Write(m); err == nil {
			t.Errorf("machine %d: %d bytes", m.Machine, len(file))
		}
	}
	m := Image{Machine: AMD64, Profile: make([]byte, largest)}
	if got, err := Read(mustWrite(t, m)); err != nil || !equal(got, m) {
		t.Errorf("the largest file: %v", err)
	}
}

// TestFormat: the standard library reads the file as a static executable. No segment may
// be written and executed, and no file is taken for a Go program.
func TestFormat(t *testing.T) {
	for _, m := range examples() {
		file := mustWrite(t, m)
		f, err := elf.NewFile(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if f.Type != elf.ET_EXEC || f.Entry != CodeAddress || f.Machine != map[Machine]elf.Machine{AMD64: elf.EM_X86_64, ARM64: elf.EM_AARCH64}[m.Machine] {
			t.Errorf("%+v", f.FileHeader)
		}
		types := ""
		for _, p := range f.Progs {
			types += p.Type.String() + " " + p.Flags.String() + "\n"
			if p.Type == elf.PT_LOAD && (p.Vaddr%p.Align != p.Off%p.Align || p.Memsz != p.Filesz || p.Filesz != uint64(codeOffset+len(m.Code))) {
				t.Errorf("%+v", p.ProgHeader)
			}
		}
		if want := "PT_LOAD PF_X+PF_R\nPT_GNU_STACK PF_W+PF_R\nPT_NOTE PF_R\n"; types != want {
			t.Errorf("the segments are\n%swant\n%s", types, want)
		}
		if code, err := f.Section(".text").Data(); err != nil || !bytes.Equal(code, m.Code) {
			t.Errorf("%v, %v", code, err)
		}
		if notes, err := f.Section(".note.caprun").Data(); err != nil || !bytes.Contains(notes, m.Profile) || !bytes.Contains(notes, m.Facts) {
			t.Errorf("%q, %v", notes, err)
		}
		if info, err := buildinfo.Read(bytes.NewReader(file)); err == nil {
			t.Errorf("taken for a Go program: %v", info)
		}
	}
}

// TestTools: the tools of binutils read the file without a warning, and strip does not
// change it.
func TestTools(t *testing.T) {
	readelf, strip := requires.Tool(t, "readelf"), requires.Tool(t, "strip")
	m := examples()[2]
	want := mustWrite(t, m)
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, want, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(readelf, "-W", "-a", file).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("arning")) || bytes.Contains(out, []byte("rror")) {
		t.Errorf("readelf: %v\n%s", err, out)
	}
	if out, err := exec.Command(readelf, "-p", ".note.caprun", file).CombinedOutput(); err != nil || !bytes.Contains(out, m.Profile) {
		t.Errorf("readelf -p: %v\n%s", err, out)
	}
	if out, err := exec.Command(strip, file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("strip: %v\n%s", err, out)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("strip changed the file: %v", err)
	}
}

// FuzzRead: Read does not panic, and what it accepts is exactly what Write writes.
func FuzzRead(f *testing.F) {
	for _, m := range examples() {
		f.Add(mustWrite(f, m))
	}
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Read(file)
		if err != nil {
			return
		}
		if again, err := Write(m); err != nil || !bytes.Equal(again, file) {
			t.Errorf("%+v: another file, %v", m, err)
		}
	})
}
