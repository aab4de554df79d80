package observe

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"testing"
)

// bytesOf returns numbers as the kernel writes them.
func bytesOf(values ...any) (b []byte) {
	for _, v := range values {
		switch v := v.(type) {
		case []byte:
			b = append(b, v...)
		case string:
			b = append(b, v...)
		default:
			var err error
			if b, err = binary.Append(b, binary.NativeEndian, v); err != nil {
				panic(err)
			}
		}
	}
	return b
}

// recordOf returns a record with its header.
func recordOf(kind uint32, misc uint16, values ...any) []byte {
	body := bytesOf(values...)
	return append(bytesOf(kind, misc, uint16(headerSize+len(body))), body...)
}

// sampleOf returns a sample.
func sampleOf(tid uint32, time uint64, stack []uint64, raw []byte, regs ...uint64) []byte {
	for (4+len(raw))%8 != 0 {
		raw = append(raw, 0)
	}
	abi := uint64(0)
	if regs != nil {
		abi = regsABI64
	}
	return recordOf(recordSample, 0, tid, tid, time, uint64(len(stack)), stack, uint32(len(raw)), raw, abi, regs)
}

var amd64 = registersOf["amd64"]

func TestDecode(t *testing.T) {
	trailer := bytesOf(uint32(7), uint32(8), uint64(99))
	for name, test := range map[string]struct {
		record []byte
		want   record
	}{
		"comm": {recordOf(recordComm, 0, uint32(7), uint32(8), "nginx\x00\x00\x00", trailer), record{kind: recordComm, pid: 7, tid: 8, name: "nginx", time: 99}},
		"exec": {recordOf(recordComm, miscCommExec, uint32(7), uint32(8), "sh\x00\x00\x00\x00\x00\x00", trailer), record{kind: recordComm, exec: true, pid: 7, tid: 8, name: "sh", time: 99}},
		"fork": {recordOf(recordFork, 0, uint32(7), uint32(1), uint32(8), uint32(2), uint64(99), trailer), record{kind: recordFork, pid: 7, tid: 8, parentPID: 1, parentTID: 2, time: 99}},
		"exit": {recordOf(recordExit, 0, uint32(7), uint32(1), uint32(8), uint32(2), uint64(99), trailer), record{kind: recordExit, pid: 7, tid: 8, parentPID: 1, parentTID: 2, time: 99}},
		"lost": {recordOf(recordLost, 0, uint64(1), uint64(55), trailer), record{kind: recordLost, lost: 55, time: 99}},
		"sample": {
			sampleOf(8, 99, []uint64{contextMark + 128, 0xffffffff81000010, 0xffffffff81000020}, []byte("rawdata!1234"), 1, 2, 3, 4, 5, 6, 7, 8),
			record{
				kind: recordSample, pid: 8, tid: 8, time: 99, stack: []uint64{0xffffffff81000010, 0xffffffff81000020}, raw: []byte("rawdata!1234"),
				regs: registers{valid: true, args: [6]uint64{3, 2, 1, 8, 6, 7}, sp: 4, ip: 5},
			},
		},
		"sample of the kernel": {sampleOf(8, 99, nil, []byte("raw!")), record{kind: recordSample, pid: 8, tid: 8, time: 99, raw: []byte("raw!")}},
	} {
		got, ok := amd64.decode(test.record)
		if !ok || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v %+v\nwant %+v", name, ok, got, test.want)
		}
		// Every shorter one is refused, except where only the end is missing that is not read.
		for n := range len(test.record) {
			if got, ok := amd64.decode(test.record[:n]); ok && test.want.kind == recordSample {
				t.Errorf("%s: %d bytes: %+v", name, n, got)
			}
		}
	}
}

func TestDecode32(t *testing.T) {
	b := sampleOf(8, 99, nil, []byte("raw!"), 1, 2, 3, 4, 5, 6, 7, 8)
	binary.NativeEndian.PutUint64(b[len(b)-9*8:], 1) // PERF_SAMPLE_REGS_ABI_32
	if got, ok := amd64.decode(b); !ok || got.regs.valid {
		t.Errorf("%v %+v", ok, got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(sampleOf(8, 99, []uint64{1, 2}, []byte("raw!"), 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add(recordOf(recordComm, 0, uint32(7), uint32(8), "nginx\x00\x00\x00", uint32(7), uint32(8), uint64(99)))
	f.Add(recordOf(recordLost, 0, uint64(1), uint64(55)))
	check := format{id: 5, fields: map[string]field{"cap": {8, 4, true, false}, "ret": {12, 4, true, false}, "target_ns": {16, 8, false, false}}}
	exec := format{id: 6, fields: map[string]field{"filename": {8, 4, false, true}}}
	exit := format{id: 7, fields: map[string]field{"id": {8, 8, true, false}, "ret": {16, 8, true, false}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		for arch, layout := range registersOf {
			rec, ok := layout.decode(b)
			if !ok {
				continue
			}
			if len(rec.stack) > maxStack || len(rec.raw) > len(b) || len(rec.name) > len(b) {
				t.Errorf("%+v", rec)
			}
			i := &interpreter{arch: arch, registers: layout, namespace: 1, check: check, exit: exit, exec: exec}
			if e, ok := i.interpret(rec, noProcess{}); ok {
				c := newCollector(i, 2)
				c.add(e)
				c.add(e)
				c.finish(0)
			}
		}
	})
}

// TestRing reads records at every place of a ring.
func TestRing(t *testing.T) {
	const size = 128
	var want [][]byte
	for n := range 5 {
		want = append(want, recordOf(uint32(n), 0, bytes.Repeat([]byte{byte(n)}, 8*n)))
	}
	stream := slices.Concat(want...)
	for start := uint64(0); start < 2*size; start += 8 {
		data := make([]byte, size)
		for n, b := range stream {
			data[(start+uint64(n))%size] = b
		}
		var got [][]byte
		head := start + uint64(len(stream))
		tail, err := readRing(data, start, head, func(b []byte) { got = append(got, bytes.Clone(b)) })
		if err != nil || tail != head || !reflect.DeepEqual(got, want) {
			t.Fatalf("from %d: %v, tail %d, want %d: %x", start, err, tail, head, got)
		}
	}
}

func TestRingInvalid(t *testing.T) {
	for name, test := range map[string]struct {
		data       []byte
		tail, head uint64
	}{
		"no memory":          {nil, 0, 8},
		"no power of two":    {make([]byte, 24), 0, 8},
		"more than the ring": {make([]byte, 16), 0, 24},
		"tail after head":    {make([]byte, 16), 8, 0},
		"size 0":             {make([]byte, 16), 0, 8},
		"size beyond head":   {recordOf(1, 0, uint64(0)), 0, 8},
		"half a header":      {recordOf(1, 0, uint64(0)), 0, 4},
		"odd place":          {recordOf(1, 0, uint64(0)), 12, 28},
	} {
		tail, err := readRing(test.data, test.tail, test.head, func([]byte) { t.Errorf("%s: a record", name) })
		if err == nil || tail != test.head {
			t.Errorf("%s: %v, tail %d", name, err, tail)
		}
	}
}

func FuzzRing(f *testing.F) {
	f.Add(recordOf(1, 0, uint64(0)), uint64(0), uint64(16))
	f.Fuzz(func(t *testing.T, data []byte, tail, head uint64) {
		read := uint64(0)
		end, err := readRing(data, tail, head, func(b []byte) { read += uint64(len(b)) })
		if end != head || read > uint64(len(data)) || err == nil && read != head-tail {
			t.Errorf("tail %d after %d bytes: %v", end, read, err)
		}
	})
}

// TestOrder: events are in the order of time, though a ring that was read early in a round
// later gets an older event than one that was read late.
func TestOrder(t *testing.T) {
	var got []uint64
	visit := func(e event) { got = append(got, e.time) }
	at := func(times ...uint64) (events []event) {
		for _, n := range times {
			events = append(events, event{record: record{time: n}})
		}
		return events
	}
	var o orderer
	o.round(at(10, 30, 20), visit)
	o.round(at(25, 40, 5), visit)
	o.round(nil, visit)
	o.round(at(50), visit)
	o.flush(visit)
	if want := []uint64{5, 10, 20, 25, 30, 40, 50}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
