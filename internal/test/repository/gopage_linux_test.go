package repository

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/test/markdown"
	"caprun/internal/test/requires"
)

// TestGoPage follows docs/go.md in a new module: its commands, with the program
// that it shows, and this checkout. The modules come from the cache.
func TestGoPage(t *testing.T) {
	goTool := requires.Tool(t, "go")
	page, err := os.ReadFile(filepath.Join(root, "docs/go.md"))
	if err != nil {
		t.Fatal(err)
	}
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	// Where the network is missing too, go mod tidy cannot read the tests of yaml.v3.
	download := exec.Command(goTool, "mod", "download", "gopkg.in/check.v1")
	download.Dir = root
	if out, err := download.CombinedOutput(); err != nil {
		requires.Skip(t, fmt.Sprintf("needs the module gopkg.in/check.v1: %s", out))
	}
	dir := t.TempDir()
	run := func(command string) string {
		t.Helper()
		cmd := exec.Command("/bin/sh", "-ec", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOSUMDB=off", "GOFLAGS=-buildvcs=false", "GOTOOLCHAIN=local", "PATH="+filepath.Dir(goTool)+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		return string(out)
	}
	run("go mod init example.org/launch")
	last, blocks := "", 0
	for _, part := range markdown.Split(string(page)) {
		switch part.Kind {
		case "go":
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(part.Text), 0o644); err != nil {
				t.Fatal(err)
			}
		case markdown.Indented:
			last = run(strings.ReplaceAll(part.Text, "/srv/src/caprun", checkout))
			blocks++
		}
	}
	if !strings.HasPrefix(last, "before: ") || !strings.HasSuffix(last, "NoNewPrivs:\t1\n") || blocks != 2 {
		t.Errorf("%d blocks, and the program prints %q", blocks, last)
	}
}
