package command

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// PlainProfile sets no_new_privs and nothing else, so that every caller may launch it.
const PlainProfile = "version: 1\nno_new_privs: true\n"

// ProfileFile writes a profile to a file that only root and the caller can write, if
// the temporary directory is such a place. It returns the path.
func ProfileFile(t testing.TB, text string) string {
	t.Helper()
	dir := filepath.Dir(Caprun(t))
	f, err := os.CreateTemp(dir, "p-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(f.Name()) })
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// Hangs is the time after which a test treats a process as hung. A test takes seconds
// on an idle machine.
const Hangs = 2 * time.Minute

// Run runs a command to its end, or kills it after Hangs. A status above 128 can be
// 128 plus a signal, as in a shell.
func Run(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &errs
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(Hangs, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait()
	status = cmd.ProcessState.ExitCode()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		status = 128 + int(ws.Signal())
	}
	return out.String(), errs.String(), status
}

// Number returns the number in an environment variable, or otherwise if it is not
// set.
func Number(t testing.TB, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 0, 31)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
