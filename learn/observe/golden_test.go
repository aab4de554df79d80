package observe

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "record rings, and write the expected recordings")

// A rawRecording has what an Observer reads: testdata/*.raw.json. -update makes a new one,
// on a machine where checks can be recorded.
type rawRecording struct {
	Arch      string
	Namespace uint64
	Formats   map[string]string // texts of the files format: check, result, exit, exec
	Symbols   string            // of /proc/kallsyms, those that occur
	Rings     []rawRing
}

type rawRing struct {
	Tail, Head uint64
	Data       []byte
}

// noProcess has the answers about processes that have ended.
type noProcess struct{}

func (noProcess) read(int, uint64, []byte) bool       { return false }
func (noProcess) link(int, string) (string, bool)     { return "", false }
func (noProcess) ids(int, int) *IDs                   { return nil }
func (noProcess) program(_ int, p string) programFile { return programFile{path: p} }

func (r rawRecording) interpreter(t testing.TB) *interpreter {
	t.Helper()
	i := &interpreter{arch: r.Arch, registers: registersOf[r.Arch], namespace: r.Namespace}
	for name, f := range map[string]*format{"check": &i.check, "result": &i.result, "exit": &i.exit, "exec": &i.exec} {
		text, found := r.Formats[name]
		if !found {
			continue
		}
		var err error
		if *f, err = parseFormat(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var err error
	if i.symbols, err = readSymbols(strings.NewReader(r.Symbols)); err != nil {
		t.Fatal(err)
	}
	return i
}

// recording decodes the rings as Observer does.
func (r rawRecording) recording(t testing.TB, p inspector) *Recording {
	t.Helper()
	i := r.interpreter(t)
	c := newCollector(i, DefaultLimit)
	var o orderer
	var events []event
	lost := uint64(0)
	for n, ring := range r.Rings {
		_, err := readRing(ring.Data, ring.Tail, ring.Head, func(b []byte) {
			rec, ok := i.registers.decode(b)
			if !ok {
				t.Errorf("ring %d: invalid record % x", n, b)
			}
			lost += rec.lost
			if e, ok := i.interpret(rec, p); ok {
				events = append(events, e)
			}
		})
		if err != nil {
			t.Errorf("ring %d: %v", n, err)
		}
	}
	o.round(events, c.add)
	o.flush(c.add)
	return c.finish(lost)
}

func readRaw(t testing.TB, path string) (r rawRecording) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestGolden decodes rings of real runs.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.raw.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings in testdata: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			got, err := json.MarshalIndent(readRaw(t, path).recording(t, noProcess{}), "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(path, ".raw.json") + ".golden.json"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got)+"\n" != string(want) {
				t.Errorf("%s differs from\n%s", golden, got)
			}
		})
	}
}
