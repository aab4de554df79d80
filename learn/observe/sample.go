package observe

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Types and flags of records: linux/perf_event.h.
const (
	recordLost        = 2
	recordComm        = 3
	recordExit        = 4
	recordFork        = 7
	recordSample      = 9
	recordLostSamples = 13

	miscCommExec = 1 << 13

	sampleTID       = 1 << 1
	sampleTime      = 1 << 2
	sampleCallchain = 1 << 5
	sampleRaw       = 1 << 10
	sampleRegsUser  = 1 << 12

	// sampleType is what the events of an Observer sample, in the order of the record.
	sampleType = sampleTID | sampleTime | sampleCallchain | sampleRaw | sampleRegsUser

	// trailerSize is the size of the end of a record that is not a sample: struct sample_id
	// with what sampleType names, TID and TIME.
	trailerSize = 16

	regsABI64 = 2 // PERF_SAMPLE_REGS_ABI_64

	// contextMark is the lowest of the values in a call chain that are no addresses, but
	// name the context of the next ones: PERF_CONTEXT_MAX.
	contextMark = ^uint64(4095) + 1

	// maxStack is the number of functions that are kept of a call chain. The kernel's
	// default is 127.
	maxStack = 64
)

// A record is a decoded record of a ring. Its kind decides which fields are set.
type record struct {
	kind     uint32
	exec     bool // recordComm: because of execve(2)
	pid, tid uint32
	time     uint64

	name      string // recordComm
	parentPID uint32 // recordFork
	parentTID uint32 // recordFork
	lost      uint64 // recordLost, recordLostSamples

	// Of a sample.
	stack []uint64 // addresses of kernel functions, innermost first
	raw   []byte   // the fields of the tracepoint
	regs  registers
}

// fieldReader takes numbers from the front of a slice. After a read beyond the end, ok is
// false and all further results are zero.
type fieldReader struct {
	rest []byte
	ok   bool
}

func (r *fieldReader) bytes(n int) []byte {
	if !r.ok || n < 0 || n > len(r.rest) {
		r.ok = false
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *fieldReader) u32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.NativeEndian.Uint32(b)
	}
	return 0
}

func (r *fieldReader) u64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.NativeEndian.Uint64(b)
	}
	return 0
}

// decode reads a record, header included. The result shares no memory with b. ok is false
// for a record that is too short or of another kind.
func (l *registerLayout) decode(b []byte) (rec record, ok bool) {
	if len(b) < headerSize {
		return rec, false
	}
	rec.kind = binary.NativeEndian.Uint32(b)
	misc := binary.NativeEndian.Uint16(b[4:])
	r := &fieldReader{b[headerSize:], true}
	switch rec.kind {
	case recordSample:
		l.decodeSample(r, &rec)
		return rec, r.ok
	case recordComm:
		rec.exec = misc&miscCommExec != 0
		rec.pid, rec.tid = r.u32(), r.u32()
		name, _, _ := bytes.Cut(r.bytes(len(r.rest)-trailerSize), []byte{0})
		rec.name = string(name)
		r.u64() // the thread again
		rec.time = r.u64()
	case recordFork, recordExit:
		rec.pid, rec.parentPID, rec.tid, rec.parentTID = r.u32(), r.u32(), r.u32(), r.u32()
		rec.time = r.u64()
	case recordLost:
		r.u64() // the event
		rec.lost = r.u64()
		r.u64()
		rec.time = r.u64()
	case recordLostSamples:
		rec.lost = r.u64()
		r.u64()
		rec.time = r.u64()
	default:
		return rec, false
	}
	return rec, r.ok
}

// decodeSample reads what sampleType names: perf_output_sample (kernel/events/core.c).
func (l *registerLayout) decodeSample(r *fieldReader, rec *record) {
	rec.pid, rec.tid = r.u32(), r.u32()
	rec.time = r.u64()
	count := r.u64()
	if count > uint64(len(r.rest))/8 {
		r.ok = false
		return
	}
	for range count {
		if address := r.u64(); address < contextMark && len(rec.stack) < maxStack {
			rec.stack = append(rec.stack, address)
		}
	}
	size := r.u32()
	if uint64(size) > uint64(len(r.rest)) {
		r.ok = false
		return
	}
	rec.raw = bytes.Clone(r.bytes(int(size)))
	abi := r.u64()
	if abi == 0 {
		return // a kernel thread
	}
	var values [64]uint64
	for n := range bits.OnesCount64(l.mask) {
		values[n] = r.u64()
	}
	if r.ok && abi == regsABI64 {
		rec.regs = registers{valid: true, ip: values[l.ip], sp: values[l.sp]}
		for n, at := range l.args {
			rec.regs.args[n] = values[at]
		}
	}
}
