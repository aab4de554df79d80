package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// oldLauncher returns a launcher.
func oldLauncher(t *testing.T) string {
	data, err := os.ReadFile(sealedFile(t, func(file []byte) []byte { return file }))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestWriteExecutable: the mode of the file does not depend on the umask or on the file
// that it replaces. Links are replaced, and what they lead to is not.
func TestWriteExecutable(t *testing.T) {
	launcher := oldLauncher(t)
	defer syscall.Umask(syscall.Umask(0))
	for _, umask := range []int{0, 0o22, 0o777} {
		for name, prepare := range map[string]func(path string) error{
			"new":       func(string) error { return nil },
			"old":       func(path string) error { return os.WriteFile(path, []byte(launcher), 0o777) },
			"unwritten": func(path string) error { return os.WriteFile(path, []byte(launcher), 0o400) },
			"empty":     func(path string) error { return os.WriteFile(path, nil, 0o600) },
			"link":      func(path string) error { return os.Symlink("other", path) },
			"dangling":  func(path string) error { return os.Symlink("nowhere", path) },
			"to a directory": func(path string) error {
				return errors.Join(os.Symlink("directory", path), os.Mkdir(filepath.Join(filepath.Dir(path), "directory"), 0o755))
			},
			"hard link": func(path string) error { return os.Link(filepath.Join(filepath.Dir(path), "other"), path) },
		} {
			syscall.Umask(0)
			dir := t.TempDir()
			other, path := filepath.Join(dir, "other"), filepath.Join(dir, "web")
			if err := errors.Join(os.WriteFile(other, []byte(launcher), 0o600), prepare(path)); err != nil {
				t.Fatal(err)
			}
			syscall.Umask(umask)
			err := writeExecutable(path, []byte("new"))
			syscall.Umask(0)
			info, statErr := os.Lstat(path)
			if err != nil || statErr != nil || info.Mode() != 0o755 {
				t.Errorf("umask %03o, %s: %v, %v", umask, name, info, errors.Join(err, statErr))
			}
			if text, err := os.ReadFile(path); string(text) != "new" {
				t.Errorf("umask %03o, %s: %q, %v", umask, name, text, err)
			}
			if text, err := os.ReadFile(other); string(text) != launcher {
				t.Errorf("umask %03o, %s: the other file is %q, %v", umask, name, text, err)
			}
			checkNoTemporary(t, dir)
		}
	}
}

// TestWriteExecutableRefuses: what is not a launcher is not replaced, and nothing is left.
func TestWriteExecutableRefuses(t *testing.T) {
	for name, prepare := range map[string]func(path string) error{
		"directory": func(path string) error { return os.Mkdir(path, 0o755) },
		"fifo":      func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"socket":    func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o644, 0) },
		"profile":   func(path string) error { return os.WriteFile(path, []byte(sealedProfile), 0o644) },
		"program":   func(path string) error { return os.WriteFile(path, []byte("\x7fELF of a program"), 0o700) },
		"short":     func(path string) error { return os.WriteFile(path, []byte("\x7fEL"), 0o644) },
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "web")
		if err := prepare(path); err != nil {
			t.Fatal(err)
		}
		err := writeExecutable(path, []byte("new"))
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode().Perm() == 0o755 && !info.IsDir() {
			t.Errorf("%s: replaced: %v, %v", name, info, err)
		}
		checkNoTemporary(t, dir)
	}
}

// checkNoTemporary checks that a directory has no hidden file.
func checkNoTemporary(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is left", e.Name())
		}
	}
}
