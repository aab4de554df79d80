package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// lowProfile drops everything, so the report of the target shows whether it was applied.
const lowProfile = "version: 1\nuid: 65534\ngid: 65534\ncaps: \"=\"\nno_new_privs: true\n"

// isLowProfile reports whether a report of creds has the state that lowProfile declares.
func isLowProfile(report string) bool {
	return strings.HasPrefix(report, "uids: 65534 65534 65534 65534\ngids: 65534 65534 65534 65534\ngroups: 65534\ninheritable: 0\npermitted: 0\neffective: 0\nbounding: 0\nambient: 0\n") &&
		strings.Contains(report, "\nno_new_privs: 1\n")
}

// TestHostileEnvironment launches with variables that change the Go runtime, the loader
// or a reader of the environment. The target always has the declared state.
func TestHostileEnvironment(t *testing.T) {
	requires.Root(t)
	creds, profile := program(t, "caprun/internal/test/creds"), profileFile(t, lowProfile)
	for name, env := range map[string][]string{
		"runtime":      {"GODEBUG=inittrace=0,asyncpreemptoff=1,cpu.all=off,netdns=go", "GOTRACEBACK=crash", "GOMAXPROCS=1000", "GOGC=off", "GOMEMLIMIT=1000000", "GOCOVERDIR=/etc"},
		"nonsense":     {"GOMAXPROCS=-1", "GODEBUG=" + strings.Repeat("a=b,", 10000), "GOGC=x"},
		"loader":       {"LD_PRELOAD=/tmp/x.so", "LD_LIBRARY_PATH=/tmp", "LD_AUDIT=/tmp/x.so", "GLIBC_TUNABLES=glibc.malloc.check=3", "GCONV_PATH=/tmp"},
		"no separator": {"PATH", "", "=", "=x", "LD_PRELOAD", "A=B=C", "\x01\x1b[2J=\xff"},
		"twice":        {"PATH=/tmp", "PATH=/bin", "SUDO_UID=0", "SUDO_UID=65534", "HOME=/root", "HOME=/"},
		"large":        {"A=" + strings.Repeat("a", 120<<10), "B=" + strings.Repeat("b", 120<<10), "C=" + strings.Repeat("c", 120<<10)},
		"many":         strings.Split(strings.Repeat("N=1 ", 40000)+"N=1", " "),
		"none":         {},
	} {
		cmd := exec.Command(caprun(t), "-profile", profile, "--", creds)
		cmd.Env = env
		out, errs, status := outcome(t, cmd)
		if status != 0 || !isLowProfile(out) || errs != "" {
			t.Errorf("%s: status %d\n%.400s\n%.400s", name, status, out, errs)
		}
		if strings.Contains(out, "env: LD_") || strings.Contains(out, "env: GLIBC_TUNABLES") || strings.Contains(out, "env: GCONV_PATH") {
			t.Errorf("%s: the target has a loader variable", name)
		}
	}
}

// TestEmptyArguments executes caprun with an empty argv, without its name.
func TestEmptyArguments(t *testing.T) {
	cmd := exec.Command(program(t, "caprun/internal/test/runas"), "noargs", "--", caprun(t))
	out, errs, status := outcome(t, cmd)
	if status != exitRefused || out != "" || !strings.HasPrefix(errs, "caprun: no arguments\n") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// TestEndlessProfile reads a profile without end.
func TestEndlessProfile(t *testing.T) {
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	cmd := exec.Command(caprun(t), "-profile", "-", "--", "/bin/true")
	cmd.Stdin = zero
	if out, errs, status := outcome(t, cmd); status != exitRefused || out != "" || !strings.Contains(errs, "65536") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// replaceableTarget makes two copies of the program creds, the other one set-user-ID root.
func replaceableTarget(t *testing.T) (target, other string) {
	t.Helper()
	dir := scriptRoot(t)
	target, other = filepath.Join(dir, "target"), filepath.Join(dir, "other")
	creds := program(t, "caprun/internal/test/creds")
	if _, errs, status := outcome(t, exec.Command(program(t, "caprun/internal/test/runas"), "copy="+creds+":"+target, "copy="+creds+":"+other, "mode=4755:"+other)); status != 0 {
		t.Fatal(errs)
	}
	return target, other
}

// TestReplacedTarget stops a launch at any moment, replaces the program by one that is
// set-user-ID root, and continues the launch. It is refused, or starts one of the two
// with the declared privileges: between the last check and the exec, no_new_privs
// makes the replacement harmless.
func TestReplacedTarget(t *testing.T) {
	requires.Root(t)
	profile := profileFile(t, lowProfile)
	target, other := replaceableTarget(t)
	ran, refused := 0, 0
	rounds := requires.Rounds(20, 120)
	for n := range rounds {
		var out, errs strings.Builder
		cmd := exec.Command(caprun(t), "-profile", profile, "--", target)
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(hangs, func() { cmd.Process.Kill() })
		const last = 6 * time.Millisecond // after the exec on most machines
		time.Sleep(last * time.Duration(n) / time.Duration(rounds))
		err := errors.Join(cmd.Process.Signal(syscall.SIGSTOP),
			unix.Renameat2(unix.AT_FDCWD, target, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE),
			cmd.Process.Signal(syscall.SIGCONT))
		if err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		timer.Stop()
		switch status := cmd.ProcessState.ExitCode(); {
		case status == 0 && isLowProfile(out.String()):
			ran++
		case status == exitNoExec && out.Len() == 0 && strings.Contains(errs.String(), "check who can write the file"):
			refused++
		default:
			t.Fatalf("status %d\n%s%s", status, out.String(), errs.String())
		}
	}
	t.Logf("ran %d times, refused %d times", ran, refused)
	if ran == 0 {
		t.Error("the target never ran")
	}
}

// TestSwappedTarget launches while the program is replaced without pause.
func TestSwappedTarget(t *testing.T) {
	requires.Root(t)
	profile := profileFile(t, lowProfile)
	target, other := replaceableTarget(t)
	stop := exec.Command(program(t, "caprun/internal/test/runas"), "swap="+target+":"+other)
	if err := stop.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop.Process.Kill(); _ = stop.Wait() })
	counts := map[int]int{}
	// On one processor, replacements may happen only between launches.
	for n := 0; n < requires.Rounds(50, 200) || n < 5000 && counts[exitNoExec] == 0; n++ {
		out, errs, status := outcome(t, exec.Command(caprun(t), "-profile", profile, "--", target))
		counts[status]++
		if status == 0 && isLowProfile(out) || status == exitNoExec && out == "" && strings.HasPrefix(errs, "caprun: ") {
			continue
		}
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	t.Logf("by status: %v", counts)
	if counts[exitNoExec] == 0 {
		t.Error("no launch noticed a replacement")
	}
}

// TestTracedLaunch traces a launch; the outcome does not change.
func TestTracedLaunch(t *testing.T) {
	requires.Root(t)
	strace := requires.Tool(t, "strace")
	out, errs, status := outcome(t, exec.Command(strace, "-f", "-o", os.DevNull, caprun(t), "-profile", profileFile(t, lowProfile), "--", program(t, "caprun/internal/test/creds")))
	if status != 0 || !isLowProfile(out) {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}
