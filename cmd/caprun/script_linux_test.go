package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/requires"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// scriptTimeout, in minutes, bounds a run of all scripts, which takes seconds. For an
// emulator, CAPRUN_TEST_SCRIPT_MINUTES raises it.
const scriptTimeout = 10

// TestScript runs the scripts in testdata/script. They run these programs: caprun; runas,
// which starts a program in a given state (see internal/test/runas); and creds, a target
// that reports its credentials. Commands, in addition to those of testscript:
//
//	requires WHAT...         skip the script if something is missing: root (uid 0),
//	                         userns (uid 0, or a user namespace in which runas can
//	                         be root), mounts, statmount, idmap, filecaps, pids (a
//	                         cgroup that limits threads), or a program such as sh
//	expand FILE...           replace $WORK and $BIN by their values
//	status N PROG ARG...     run a program, which must end with this status
//	refused N PROG ARG...    the same; it must print only a message of caprun to
//	                         the standard error
//	mistakes FILE            each line of FILE is a rule and the text of a profile
//	                         with \n for line breaks; "version: 1" is put before it
//	                         unless it begins with |. check must report that rule,
//	                         and a launch must be refused
//	matchschema NAME FILE    a file or stdout must match the JSON Schema of the output
//	                         of a command, without unknown properties
//
// Files of a script belong to the user of the tests, with mode 0644, and 0755 for
// directories. $BIN is the directory of the programs, $BOUNDING the bounding set of the
// tests as creds prints it.
func TestScript(t *testing.T) {
	// The modes of files must not depend on the environment of the tests.
	umask := syscall.Umask(0o022)
	t.Cleanup(func() { syscall.Umask(umask) })
	bin := filepath.Dir(caprun(t))
	for _, pkg := range []string{"internal/test/creds", "internal/test/runas"} {
		// For the test cache: go test notices a change of a directory that was read.
		if _, err := os.ReadDir(filepath.Join("..", "..", pkg)); err != nil {
			t.Fatal(err)
		}
		program(t, "caprun/"+pkg)
	}
	scripts := scriptRoot(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		WorkdirRoot:         scripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *updateScripts,
		Deadline:            time.Now().Add(time.Duration(testNumber(t, "CAPRUN_TEST_SCRIPT_MINUTES", scriptTimeout)) * time.Minute),
		Setup: func(env *testscript.Env) error {
			if tb, ok := env.T().(testing.TB); ok {
				env.Values[scriptKey{}] = tb
			}
			env.Setenv("BIN", bin)
			env.Setenv("PATH", bin+":"+env.Getenv("PATH"))
			env.Setenv("BOUNDING", bounding())
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"requires":    requiresCommand,
			"expand":      expandCommand,
			"status":      statusCommand,
			"refused":     refusedCommand,
			"mistakes":    mistakesCommand,
			"matchschema": matchSchemaCommand,
		},
	})
}

// scriptRoot creates a directory that every user can search, if possible on a file system
// that is not mounted nosuid or noexec.
func scriptRoot(t *testing.T) string {
	t.Helper()
	parent := searchable(os.TempDir())
	for _, dir := range []string{parent, "/tmp", "/var/tmp"} {
		var fs unix.Statfs_t
		if everyoneSearches(dir) && unix.Statfs(dir, &fs) == nil && fs.Flags&(unix.ST_NOSUID|unix.ST_NOEXEC) == 0 {
			parent = dir
			break
		}
	}
	root, err := os.MkdirTemp(parent, "caprun-scripts-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		t.Fatal(err)
	}
	return root
}

// bounding returns the bounding set in hexadecimal.
func bounding() string {
	var set uint64
	for n := range uintptr(64) {
		has, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_CAPBSET_READ, n, 0, 0, 0, 0)
		if errno != 0 {
			break
		}
		set |= uint64(has) << n
	}
	return fmt.Sprintf("%x", set)
}

// scriptKey is the key of the test of a script.
type scriptKey struct{}

// requiresCommand skips a script that the machine cannot run.
func requiresCommand(ts *testscript.TestScript, neg bool, args []string) {
	script, ok := ts.Value(scriptKey{}).(testing.TB)
	if neg || len(args) == 0 || !ok {
		ts.Fatalf("usage: requires WHAT...")
	}
	for _, what := range args {
		var probe []string
		switch what {
		case "root":
			requires.Root(script)
			continue
		case "sh", "git", "sudo", "su", "nohup", "setsid", "env", "cat":
			requires.Tool(script, what)
			continue
		case "pids":
			if err := pidsCgroup(); err != nil {
				requires.Skip(script, err.Error())
			}
			continue
		case "userns":
			probe = []string{"root"}
		case "mounts":
			probe = []string{"root", "mounts", "tmpfs=" + ts.MkAbs(".tmp")}
		case "statmount":
			if _, _, errno := unix.Syscall(unix.SYS_STATMOUNT, 0, 0, 0); errno == unix.ENOSYS {
				requires.Skip(script, "needs statmount(2), Linux 6.8")
			}
			continue
		case "idmap":
			probe = []string{"root", "mounts", "idmap=0:0:1000:" + ts.MkAbs(".tmp")}
		case "filecaps":
			file := ts.MkAbs(".tmp/probe")
			probe = []string{"root", "copy=" + ts.Getenv("BIN") + "/creds:" + file, "filecaps=0,0:" + file}
		default:
			ts.Fatalf("requires %s: want root, userns, mounts, statmount, idmap, filecaps, pids or a program such as sh", what)
		}
		if out, err := exec.Command(filepath.Join(ts.Getenv("BIN"), "runas"), probe...).CombinedOutput(); err != nil {
			requires.Skip(script, fmt.Sprintf("%s: %s", what, out))
		}
	}
}

// pidsCgroup returns why no cgroup can be created that limits threads.
func pidsCgroup() error {
	var failed error
	for _, parent := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		dir, err := os.MkdirTemp(parent, "caprun-test-")
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "pids.max"), []byte("4"), 0o644)
			err = errors.Join(err, os.Remove(dir))
		}
		if err == nil {
			return nil
		}
		failed = errors.Join(failed, err)
	}
	return fmt.Errorf("requires a pids cgroup: %w", failed)
}

// expandCommand puts absolute paths into files.
func expandCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
	values := strings.NewReplacer("$WORK", ts.Getenv("WORK"), "$BIN", ts.Getenv("BIN"))
	// A script cannot be executed while a child that is being started has it open for
	// writing.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for _, file := range args {
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(values.Replace(ts.ReadFile(file))), 0o644))
	}
}

// statusCommand runs a program, and checks its status.
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROG ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := runStatus(ts, args[1:]); got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}

// runStatus runs a program and returns its status: 128+n for a signal.
func runStatus(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if exit == nil {
		return 0
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return exit.ExitCode()
}

// refusedCommand runs a caprun that must not start its target.
func refusedCommand(ts *testscript.TestScript, neg bool, args []string) {
	statusCommand(ts, neg, args)
	if fault := checkRefusal(ts); fault != "" {
		ts.Fatalf("%s", fault)
	}
}

// checkRefusal returns what is wrong with the output of a refused launch, or "". The
// target must not run, and caprun must print a message.
func checkRefusal(ts *testscript.TestScript) string {
	messages := ts.ReadFile("stderr")
	switch {
	case ts.ReadFile("stdout") != "":
		return "there is output, so the target ran"
	case !strings.HasPrefix(messages, "caprun: "):
		return "the message does not begin with the name of the command"
	case strings.Contains(messages, "goroutine "):
		return "caprun panicked"
	}
	return ""
}

// mistakesCommand checks and launches one profile for each line of a file.
func mistakesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mistakes FILE")
	}
	escapes := strings.NewReplacer(
		`\n`, "\n", `\t`, "\t", `\r`, "\r", `\0`, "\x00",
		`\BOM`, "\ufeff", `\RLO`, "\u202e", `\NEL`, "\u0085", `\BAD`, "\xff",
	)
	lines := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		rule, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !ok || strings.HasPrefix(rule, "#") {
			continue
		}
		text = strings.TrimLeft(text, " ")
		whole, isWhole := strings.CutPrefix(text, "|")
		if !isWhole {
			whole = "version: 1\n" + text
		}
		file := ts.MkAbs("mistake.yaml")
		ts.Check(os.WriteFile(file, []byte(escapes.Replace(whole)), 0o644))
		ts.Logf("%s", line)
		if got := runStatus(ts, []string{"caprun", "check", "-format", "oneline", "mistake.yaml"}); got != exitFindings {
			ts.Fatalf("check: status %d", got)
		}
		if !strings.Contains(ts.ReadFile("stdout"), "["+rule+"]") || !strings.Contains(ts.ReadFile("stdout"), " error: ") {
			ts.Fatalf("check does not report %s", rule)
		}
		if got := runStatus(ts, []string{"caprun", "-profile", "mistake.yaml", "--", "creds"}); got != exitRefused {
			ts.Fatalf("launch: status %d", got)
		}
		if fault := checkRefusal(ts); fault != "" {
			ts.Fatalf("launch: %s", fault)
		}
		if !strings.HasPrefix(ts.ReadFile("stderr"), "caprun: mistake.yaml:") {
			ts.Fatalf("launch: the message has no place")
		}
		lines++
	}
	if lines == 0 {
		ts.Fatalf("%s: no lines", args[0])
	}
}
