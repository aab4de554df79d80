package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCheck finds an error in a file for one system, and in a test, and none elsewhere.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module m\n\ngo 1.26\n"}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		files[name+"/"+name+".go"] = "package " + name + "\n"
	}
	files["a/a_linux.go"] = "package a\n\nconst size = uint32(1 << 40)\n"
	files["b/b_s390x_test.go"] = "package b\n\nvar _ = missing\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for target, ok := range map[string]bool{"linux/arm": false, "darwin/arm64": true, "aix/ppc64": true, "linux": false} {
		if err := check(dir, target); (err == nil) != ok {
			t.Errorf("%s: %v", target, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "a/a_linux.go")); err != nil {
		t.Fatal(err)
	}
	for target, ok := range map[string]bool{"linux/s390x": false, "linux/arm": true} {
		if err := check(dir, target); (err == nil) != ok {
			t.Errorf("%s: %v", target, err)
		}
	}
}
