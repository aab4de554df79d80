package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckPipeCloses: check reports a reader that closes the pipe, as head does.
func TestCheckPipeCloses(t *testing.T) {
	// They have more output than a pipe can hold: 64 KiB.
	dir := checkedProfiles(t, 1200)
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	cmd := exec.CommandContext(ctx, caprun(t), "check", dir)
	var messages bytes.Buffer
	cmd.Stderr = &messages
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
		t.Error(err)
	}
	out.Close()
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitError || !strings.HasSuffix(messages.String(), "caprun: standard output: broken pipe\n") {
		t.Errorf("%v: %s", cmd.ProcessState, messages.String())
	}
}

// checkedProfiles writes profiles that each have a mistake, and returns the directory.
func checkedProfiles(t *testing.T, files int) string {
	t.Helper()
	dir := t.TempDir()
	for n := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", n)), []byte("version: 1\nno_new_privis: true\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
