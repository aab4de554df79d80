package optest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"caprun/seal/internal/interp"
	"caprun/seal/internal/op"
)

// Kernel has the system calls of [Runnable] programs. It implements [interp.Kernel].
type Kernel struct {
	Out   []byte // what was written
	umask uint64
}

// Syscall executes a system call.
func (k *Kernel) Syscall(nr op.Sys, args [6]uint64, mem *interp.Memory) (int64, error) {
	switch nr {
	case op.Write:
		out, err := mem.Read(args[1], int(args[2]))
		k.Out = append(k.Out, out...)
		return int64(len(out)), err
	case op.Umask:
		old := k.umask
		k.umask = args[0] & 0o777
		return int64(old), nil
	case op.Close:
		return -9, nil // EBADF
	case op.Getpgid:
		return -3, nil // ESRCH
	case op.Mmap:
		want := [6]uint64{args[0], 4096, 1, mapFixed, 1<<64 - 1, 0}
		if args != want {
			return 0, fmt.Errorf("mmap: %#x", args)
		}
		return int64(args[0]), nil
	case op.ExitGroup:
		return 0, interp.ErrExit
	}
	return 0, fmt.Errorf("unexpected call")
}

// Base is the address of the code in the file that [ELF] returns.
const Base = 0x400000 + headers

const headers = 64 + 2*56

// ELF returns a static executable with code for [Base]. machine is the field e_machine.
func ELF(machine uint16, code []byte) []byte {
	le := binary.LittleEndian
	size := uint64(headers + len(code))
	f := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	f = le.AppendUint16(f, 2) // ET_EXEC
	f = le.AppendUint16(f, machine)
	f = le.AppendUint32(f, 1)
	f = le.AppendUint64(f, Base) // entry
	f = le.AppendUint64(f, 64)   // program headers
	f = le.AppendUint64(f, 0)
	f = le.AppendUint32(f, 0)
	for _, v := range []uint16{64, 56, 2, 64, 0, 0} {
		f = le.AppendUint16(f, v)
	}
	f = le.AppendUint32(f, 1) // PT_LOAD
	f = le.AppendUint32(f, 5) // readable and executable
	for _, v := range []uint64{0, Base - headers, Base - headers, size, size, 4096} {
		f = le.AppendUint64(f, v)
	}
	f = le.AppendUint32(f, 0x6474e551) // PT_GNU_STACK
	f = le.AppendUint32(f, 6)
	for range 6 {
		f = le.AppendUint64(f, 0)
	}
	return append(f, code...)
}

// TestExecute compares random programs that a processor or an emulator executes with
// package interp. The commands in emulator precede the program. Code from which the
// operations cannot be read again is not executed: it could make any system call.
func (b *BackEnd) TestExecute(t *testing.T, emulator []string, programs int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	calls := b.calls(t)
	for seed := range uint64(programs) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := Runnable(r, 1+r.IntN(150))
		code, err := b.Assemble(p, Base)
		if err == nil {
			err = CompareCode(p, Base, code, b.Reader(p, calls))
		}
		if err == nil {
			err = execute(p, ELF(b.Machine, code), emulator, path)
		}
		if err != nil {
			t.Fatalf("program %d, %d operations: %v", seed, len(p.Ops), err)
		}
	}
}

// execute executes a program twice. path is for the file.
func execute(p *op.Program, file []byte, emulator []string, path string) error {
	kernel := &Kernel{}
	want, err := interp.Run(p, kernel, interp.Start{Args: []string{path}})
	if err != nil {
		return fmt.Errorf("interpreter: %w", err)
	}
	if err := os.WriteFile(path, file, 0o700); err != nil {
		return err
	}
	defer os.Remove(path)
	command := append(slices.Clone(emulator), path)
	run := exec.Command(command[0], command[1:]...)
	var out bytes.Buffer
	run.Stdout = &out
	err = run.Run()
	if run.ProcessState == nil || !run.ProcessState.Exited() {
		return fmt.Errorf("no exit: %w", err)
	}
	if status := run.ProcessState.ExitCode(); status != want.Status {
		return fmt.Errorf("exit status %d, want %d", status, want.Status)
	}
	if n := firstDifference(out.Bytes(), kernel.Out); n >= 0 {
		return fmt.Errorf("output of %d bytes, want %d; different from byte %d", out.Len(), len(kernel.Out), n)
	}
	return nil
}

// firstDifference returns the index of the first byte in which a and b differ, or -1.
func firstDifference(a, b []byte) int {
	for n := range max(len(a), len(b)) {
		if n >= len(a) || n >= len(b) || a[n] != b[n] {
			return n
		}
	}
	return -1
}
