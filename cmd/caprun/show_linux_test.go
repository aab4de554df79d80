package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/render"
	"caprun/internal/test/requires"
)

// TestShowHostileNames: a process, which can choose its name, cannot make a terminal or a
// CI runner execute it.
func TestShowHostileNames(t *testing.T) {
	sleep := requires.Tool(t, "sleep")
	dir := t.TempDir()
	for _, name := range []string{"##[error]evil", "::error::evil", "a\n::error::b", "\x1b[2J\x1b[31mx", "a\u202eb\u200bc", "\xff\x9b2J", "##vso[task.x]", "a) S 1 (b"} {
		path := filepath.Join(dir, name)
		if err := os.Symlink(sleep, path); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{}, {"-format", "json"}} {
			var out, messages bytes.Buffer
			c := &Command{Env: render.Env{Stdout: &out, Stderr: &messages}}
			args = append([]string{"show", "-pid", fmt.Sprint(cmd.Process.Pid)}, args...)
			if status := c.Main(args); status != exitOK || messages.Len() != 0 {
				t.Errorf("%q: status %d, %s", name, status, messages.String())
			}
			if fault := findCommand(out.String()); fault != "" {
				t.Errorf("%q, %q: the output has %s", name, args, fault)
			}
			if strings.Count(out.String(), "\n") < 10 {
				t.Errorf("%q: %s", name, out.String())
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}
