package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// root is the module's directory, relative to this one, in which go run -C and go
// test start the program.
const root = "../../.."

// kernelTest is the test of engine/cred that compares the model with the kernel.
const kernelTest = "^TestKernel$"

// tooLong is far above the duration of a test. A mutant that reaches it is an error
// of the table, not a failed test.
const tooLong = 10 * time.Minute

// A verdict is the result for a mutant.
type verdict string

const (
	byKernel verdict = "kernel" // the comparison with the kernel failed
	byUnit   verdict = "unit"   // only the other tests failed
	survived verdict = "SURVIVED"
	broken   verdict = "ERROR" // no result: the mutant does not compile, for example
)

// A lab runs the tests of mutants.
type lab struct {
	temp      string // a directory for copies and test binaries
	source    string // the directory of the module
	sequences int    // number of sequences in the comparison with the kernel
}

// newLab makes the directory for all files of the lab; close removes it.
func newLab(ctx context.Context, sequences int) (lab, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return lab{}, fmt.Errorf("find the module: %w%s", err, stderrOf(err))
	}
	temp, err := os.MkdirTemp("", "caprun-mutate-")
	if err != nil {
		return lab{}, err
	}
	l := lab{temp: temp, source: strings.TrimSpace(string(out)), sequences: sequences}
	if err := searchable(temp); err != nil {
		l.close()
		return lab{}, err
	}
	return l, nil
}

func (l lab) close() { os.RemoveAll(l.temp) }

// searchable lets other users, to whom the comparison with the kernel changes, reach
// the files in dir.
func searchable(dir string) error { return os.Chmod(dir, 0o755) }

// try builds the tests with the change of m and runs them, the comparison with the
// kernel first. It returns the output of the last run.
func (l lab) try(ctx context.Context, m mutant) (verdict, string, error) {
	dir, err := os.MkdirTemp(l.temp, "")
	if err != nil {
		return broken, "", err
	}
	defer os.RemoveAll(dir)
	if err := searchable(dir); err != nil {
		return broken, "", err
	}
	binary, err := l.build(ctx, dir, m.pkg(), m)
	if err != nil {
		return broken, "", err
	}

	// Most mutants fail early: short runs first save most of the time.
	for _, part := range []int{30, 5, 1} {
		red, out, err := l.run(ctx, m.pkg(), binary, max(1, l.sequences/part), "-test.run="+kernelTest)
		if err != nil {
			return broken, out, err
		}
		if red {
			return byKernel, out, nil
		}
	}
	red, out, err := l.run(ctx, m.pkg(), binary, 1, "-test.skip="+kernelTest)
	if err != nil {
		return broken, out, err
	}
	if red {
		return byUnit, out, nil
	}
	return survived, out, nil
}

// build compiles the test binary of a package. The overlay makes the go command read
// the changed copy instead of the file, so the repository does not change. A mutant
// without a file is the unchanged package.
func (l lab) build(ctx context.Context, dir, pkg string, m mutant) (string, error) {
	binary := filepath.Join(dir, path.Base(pkg)+".test")
	// Without cgo the binary is static, and runs in a chroot. The flags compile and
	// link fastest.
	args := []string{"test", "-c", "-gcflags=-N -l", "-ldflags=-s -w", "-o", binary}
	if m.file != "" {
		overlay, err := l.overlay(dir, m)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "TMPDIR="+dir)
	if _, err := cmd.Output(); err != nil {
		return "", fmt.Errorf("compile: %w%s", err, stderrOf(err))
	}
	return binary, nil
}

// overlay writes the changed copy, and the JSON file for go's -overlay.
func (l lab) overlay(dir string, m mutant) (string, error) {
	original := filepath.Join(l.source, filepath.FromSlash(m.file))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	changed, err := m.apply(source)
	if err != nil {
		return "", err
	}
	replacement := filepath.Join(dir, path.Base(m.file))
	if err := os.WriteFile(replacement, changed, 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// run reports whether a test failed. An exit without a failed test, as by a signal,
// is an error.
func (l lab) run(ctx context.Context, pkg, binary string, sequences int, args ...string) (red bool, out string, err error) {
	args = append(args, "-test.v", "-test.timeout="+tooLong.String())
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = filepath.Join(l.source, filepath.FromSlash(pkg))
	// In the lab too, so that a killed test leaves nothing behind.
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Dir(binary), "CAPRUN_TEST_SEQUENCES="+strconv.Itoa(sequences))
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	// Workers of the test have its output open, and may outlive it briefly.
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	out = text.String()
	switch {
	case err == nil:
		return false, out, nil
	case strings.Contains(out, "panic: test timed out"):
		return false, out, fmt.Errorf("the tests took longer than %v", tooLong)
	case strings.Contains(out, "--- FAIL: "):
		return true, out, nil
	}
	return false, out, fmt.Errorf("no test failed, but the run ended with an error: %w\n%s", err, out)
}

// stderrOf returns the standard error of the failed command in err.
func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "\n" + strings.TrimRight(string(exit.Stderr), "\n")
	}
	return ""
}
