package platform

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// TestDropInDirectoriesReally: systemd reads the drop-ins of the directories in their order,
// and those of no other prefix.
func TestDropInDirectoriesReally(t *testing.T) {
	analyze := requires.Tool(t, "systemd-analyze")
	for _, unit := range []string{"a-b-c@x-y.service", "a--b-.service", "-a-b.service"} {
		dir := t.TempDir()
		write := func(name, text string) {
			t.Helper()
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(unit, "[Service]\nExecStart=/bin/true\n")
		const unknown = "[Service]\nUnknownKey=1\n"
		names := DropInDirectories(unit)
		for _, name := range append(names, "-.service.d", "a@x-y.service.d", "a-b@x-y.service.d", "a-b-@x.service.d", "-@x-y.service.d", "b-.service.d") {
			write(name+"/u.conf", unknown)
		}
		// The file of one name that counts is that of the first directory.
		var got []string
		for range len(names) + 1 {
			verify := exec.Command(analyze, "verify", filepath.Join(dir, unit))
			verify.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir)
			output, _ := verify.CombinedOutput() // the unit can have other mistakes
			before, _, ok := strings.Cut(string(output), "/u.conf:2: Unknown key")
			if !ok {
				break
			}
			name := filepath.Base(before)
			got = append(got, name)
			if err := os.Remove(filepath.Join(dir, name, "u.conf")); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, names) {
			t.Errorf("%s: systemd reads %q, want %q", unit, got, names)
		}
	}
}
