package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/test/requires"
	"caprun/policy"
	"caprun/profiles"
	"caprun/seal"
)

// TestSealedARM64 runs the launchers of the built-in profiles for arm64 in an emulator, up to
// execve(2) of their target. What the kernel executes then has no emulator.
func TestSealedARM64(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	emulator := requires.Tool(t, "qemu-aarch64-static")
	dir := scriptRoot(t)
	write := func(name, text string) string {
		t.Helper()
		parsed, diagnostics := policy.Parse(name+".yaml", []byte(text))
		if parsed == nil {
			t.Fatal(diagnostics)
		}
		file, err := seal.Seal(parsed, seal.Options{Arch: seal.ARM64})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, file, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	target := write("target", "version: 1\n")
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		program := target
		const jail = "/srv/chroot"
		if strings.Contains(string(text), "chroot: "+jail) {
			text = []byte(strings.ReplaceAll(string(text), "chroot: "+jail, "chroot: "+dir))
			program = "/target"
		}
		out, _ := exec.Command(emulator, "-strace", write(name, string(text)), "--", program).CombinedOutput()
		lines := strings.Split(string(out), "\n")
		reached := false
		for _, line := range lines {
			reached = reached || strings.Contains(line, `execve("`+program+`"`)
		}
		if !reached {
			t.Errorf("%s does not reach execve: %s", name, strings.Join(lines[max(len(lines)-4, 0):], "\n"))
		}
	}
}
