package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"caprun/internal/test/requires"
)

var updateScripts = flag.Bool("update", false, "rewrite the expected output in the scripts, and the synopsis of caprun(1)")

// The tests of the command run it as it is delivered: a static program, in
// processes of its own, for a launch replaces the process.

func TestMain(m *testing.M) {
	offFirstThread = countOffFirstThread()
	ignoreNothing()
	status := m.Run()
	built.Lock()
	if built.dir != "" {
		if err := os.RemoveAll(built.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

// ignoreNothing has the programs that tests start obey SIGHUP and SIGINT, also
// where whoever starts the tests has them ignored, as nohup and the & of a
// script do: what this process catches is not ignored by its children.
func ignoreNothing() {
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}

// built is where the programs of the tests lie, by name.
var built struct {
	sync.Mutex
	dir  string
	have map[string]bool
}

const command = "caprun/cmd/caprun"

// caprun returns the path of the command, which is built once.
func caprun(t testing.TB) string { return program(t, command) }

// program returns the path of a main package of this module, which is built once.
// It lies in a directory that every user can search, together with the others.
func program(t testing.TB, pkg string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if built.dir == "" {
		dir, err := os.MkdirTemp(searchable(os.TempDir()), "caprun-test-")
		if err == nil {
			err = os.Chmod(dir, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		built.dir, built.have = dir, map[string]bool{}
	}
	name := filepath.Base(pkg)
	path := filepath.Join(built.dir, name)
	if !built.have[name] {
		cmd := exec.Command(requires.Tool(t, "go"), "build", "-buildvcs=false", "-o", path, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build %s: %v\n%s", pkg, err, out)
		}
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		built.have[name] = true
	}
	return path
}

// searchable returns dir if every user can reach what is in it, and the first
// of the usual directories for that otherwise.
func searchable(dir string) string {
	for _, dir := range []string{dir, "/tmp", "/var/tmp"} {
		if everyoneSearches(dir) {
			return dir
		}
	}
	return dir
}

func everyoneSearches(dir string) bool {
	for {
		st, err := os.Stat(dir)
		if err != nil || st.Mode()&0o001 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}
