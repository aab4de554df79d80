package systemd

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caprun/platform/declared"
)

var update = flag.Bool("update", false, "write the golden files")

// TestPublic: what the units of well-known projects declare, as a reviewer would say it.
// The files in testdata/public have the lines that matter, and say where they come from.
func TestPublic(t *testing.T) {
	files, err := filepath.Glob("testdata/public/*.service")
	const least = 12
	if err != nil || len(files) < least {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# Facts of ") || !strings.Contains(string(text), "https://") {
			t.Errorf("%s: the first line does not name the origin", path)
		}
		var sockets []declared.File
		socket := strings.TrimSuffix(path, ".service") + ".socket"
		if text, err := os.ReadFile(socket); err == nil {
			sockets = append(sockets, declared.File{Name: filepath.Base(socket), Text: text})
		}
		r := Read(declared.File{Name: filepath.Base(path), Text: text}, nil, sockets)
		checkResult(t, r)
		got := describe(t, r)
		golden := strings.TrimSuffix(path, ".service") + ".out"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs: %v\n%s", golden, err, got)
		}
	}
}

// describe writes the findings and losses of a result, and the profile of the first process.
func describe(t *testing.T, r declared.Result) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, d := range r.Findings {
		fmt.Fprintln(&b, d)
	}
	for n, p := range r.Processes {
		for _, d := range p.Findings {
			fmt.Fprintln(&b, d)
		}
		for _, l := range p.Losses {
			fmt.Fprintf(&b, "%s:%d: lost: %s\n", l.At.File, l.At.Line, l.What)
		}
		document, err := p.Document()
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			b.Write(document.Text)
		} else {
			fmt.Fprintf(&b, "also %s: %q\n", p.Name, p.Profile.Command)
		}
	}
	return b.Bytes()
}
