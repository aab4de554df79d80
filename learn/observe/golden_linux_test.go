package observe

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRecordRaw compares what a recording of the rings gives with the program; with
// -update it keeps the rings of a denied chown as input of TestGolden.
func TestRecordRaw(t *testing.T) {
	requireRecording(t)
	target := start(t, role("drop", "FILE="+newFile(t)))
	points, cpus := openUnread(t, target.pid(), 64<<10)
	target.run(t)
	raw := rawRecording{Arch: points.arch, Namespace: points.namespace, Formats: readFormats(t, points)}
	symbols, err := loadSymbols()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, cpu := range cpus {
		ring := rawRing{Head: cpu.ring.page.Data_head, Data: slices.Clone(cpu.ring.data)}
		if ring.Head > uint64(len(ring.Data)) || cpu.lost() != 0 {
			t.Fatal("the ring is too small")
		}
		// Without the unused end.
		for size := uint64(len(ring.Data)) / 2; size >= ring.Head && size >= headerSize; size /= 2 {
			ring.Data = ring.Data[:size]
		}
		raw.Rings = append(raw.Rings, ring)
		_, err := readRing(ring.Data, ring.Tail, ring.Head, func(b []byte) {
			rec, _ := points.registers.decode(b)
			for n, address := range rec.stack {
				if n > 0 {
					address--
				}
				if at, found := symbols.find(address); found {
					used[fmt.Sprintf("%016x T %s\n", symbols.addresses[at], symbols.names[at])] = true
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	raw.Symbols = strings.Join(slices.Sorted(maps.Keys(used)), "")
	rec := raw.recording(t, noProcess{})
	if checks := chowns(rec); len(checks) == 0 || !checks[0].Denied || checks[0].Call.Name != "fchownat" || checks[0].Errno != errnoPerm {
		t.Errorf("checks %+v", checks)
	}
	if len(rec.Execs) != 2 || len(rec.IDChanges) != 3 || rec.Lost != 0 {
		t.Errorf("%+v", rec)
	}
	if *update {
		data, err := json.Marshal(raw)
		if err == nil {
			err = os.WriteFile(filepath.Join("testdata", "denied.raw.json"), append(data, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func readFormats(t *testing.T, points *tracepoints) map[string]string {
	t.Helper()
	trace, err := openTracefs()
	if err != nil {
		t.Fatal(err)
	}
	defer trace.close()
	names := map[string]string{"check": "capability/cap_capable", "exit": "raw_syscalls/sys_exit", "exec": "sched/sched_process_exec"}
	if points.probes.check != "" {
		names["check"], names["result"] = probeGroup+"/"+points.probes.check, probeGroup+"/"+points.probes.result
	}
	formats := map[string]string{}
	for key, name := range names {
		if formats[key], err = trace.read("events/" + name + "/format"); err != nil {
			t.Fatal(err)
		}
	}
	return formats
}
