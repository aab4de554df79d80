// Package command builds and runs caprun, and other programs of this module, for
// tests: static programs, as released, each in a new process, because a launch
// replaces the process.
package command

import (
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

// Main runs the tests of a package and removes the programs that they built. It
// returns the status for os.Exit.
func Main(m *testing.M) int {
	ignoreNothing()
	status := m.Run()
	built.Lock()
	if built.dir != "" {
		if err := os.RemoveAll(built.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	return status
}

// ignoreNothing makes the programs that tests start obey SIGHUP and SIGINT, also if
// the tests were started with them ignored, as by nohup and the & of a script: the
// children of a process do not ignore a signal that it catches.
func ignoreNothing() {
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}

// built are the paths of the built programs, by name.
var built struct {
	sync.Mutex
	dir  string
	have map[string]bool
}

// Caprun returns the path of caprun, built once for each test binary.
func Caprun(t testing.TB) string {
	t.Helper()
	return Program(t, "caprun/cmd/caprun")
}

// Program returns the path of a main package of this module, built once for each test
// binary. Every user can search its directory, which contains the others too.
func Program(t testing.TB, pkg string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if built.dir == "" {
		dir, err := os.MkdirTemp(Searchable(os.TempDir()), "caprun-test-")
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

// Searchable returns dir if every user can reach files in it, or else the first of
// the usual directories for which this is true.
func Searchable(dir string) string {
	for _, dir := range []string{dir, "/tmp", "/var/tmp"} {
		if EveryoneSearches(dir) {
			return dir
		}
	}
	return dir
}

// EveryoneSearches reports whether every user can search dir and the directories above.
func EveryoneSearches(dir string) bool {
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
