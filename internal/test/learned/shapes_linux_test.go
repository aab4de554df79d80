package learned

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// changed is a test that succeeds if the file has changed its owner.
const changed = "test $(stat -c %u file) = 33"

// fresh is a reset command: a file of root, and nothing else.
var fresh = []string{"-reset", "rm -f file ready; touch file"}

// shapes are programs whose processes do unusual things.
var shapes = []program{
	{
		name: "double fork", needs: []string{"setsid"},
		flags: append(fresh, "-test", changed),
		argv:  sh("(setsid sh -c 'sleep 0.1; chown 33 file' &); exit 0"),
		want:  []string{"chown"},
	},
	{
		name: "daemon", needs: []string{"setsid"},
		flags: append(fresh, "-test", "test -e ready && "+changed),
		argv:  sh("(setsid sh -c 'chown 33 file; touch ready; exec sleep 1000' >/dev/null 2>&1 &); exit 0"),
		want:  []string{"chown"},
	},
	{
		name: "threads", needs: []string{"python3"}, packages: "python3",
		flags: fresh,
		argv: []string{"python3", "-c", `import os, threading
failed = []
def change(n):
    try: os.chown("file", 33 + n, -1)
    except OSError as e: failed.append(e)
for n in range(50):
    t = threading.Thread(target=change, args=(n,)); t.start(); t.join()
raise SystemExit(len(failed))`},
		want: []string{"chown"},
	},
	{
		name: "exec after dropping", needs: []string{"setpriv"},
		flags: []string{"-uid", "auto"},
		argv:  []string{"setpriv", "--reuid", "33", "--regid", "33", "--init-groups", "sh", "-c", "exec sh -c 'test $(id -u) = 33; sleep 0.1'"},
		want:  []string{"setgid", "setuid"},
	},
	{
		name: "user namespace", needs: []string{"unshare", "setpriv"},
		setup: "printf 'version: 1\\nuid: 65534\\ngid: 65534\\n' >base.yaml",
		flags: []string{"-profile", "base.yaml"},
		argv:  []string{"unshare", "-Urn", "sh", "-c", "setpriv --inh-caps=-all true"},
		want:  none,
	},
	{
		name:  "ignores SIGTERM",
		flags: append(fresh, "-test", "test -e ready && "+changed),
		argv:  sh("trap '' TERM; chown 33 file; touch ready; while :; do sleep 1000; done"),
		want:  []string{"chown"},
	},
	{
		name:  "a test that does not notice what is missing",
		flags: append(fresh, "-test", "test -e ready"),
		argv:  sh("touch ready; chown 33 file"),
		want:  none,
	},
	{
		name:  "needs the second of two",
		flags: fresh,
		argv:  sh("chown 33 file && chroot / true"),
		want:  []string{"chown", "sys_chroot"},
	},
}

func sh(script string) []string { return []string{"sh", "-c", script} }

// TestShapes learns what they need.
func TestShapes(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	for _, p := range shapes {
		t.Run(p.name, func(t *testing.T) {
			for _, name := range p.needs {
				requires.Tool(t, name)
			}
			r := learn(t, p)
			compareWith(t, p.want, r.First)
			checkProof(t, r.First)
		})
	}
}

// TestNeverReady: a program whose test never succeeds has no profile.
func TestNeverReady(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	out, errs, status := box{Argv: []string{caprun(t), "learn", "-timeout", "500ms", "-test", "echo not yet; false", "--", "sleep", "1000"}}.run(t)
	if status != 1 || out != "" || !strings.Contains(errs, "the program does not work even with every allowed capability: the test did not succeed within 500ms") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// TestUserNamespace: an unprivileged user learns in a user namespace of its own.
func TestUserNamespace(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	requires.Tool(t, "setpriv")
	argv := slices.Concat([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "-Uru", caprun(t)},
		[]string{"learn", "-no-trace", "-format", "json", "--", "hostname", "other"})
	out, errs, status := box{Argv: argv}.run(t)
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 {
		t.Fatalf("status %d: %v\n%s", status, err, errs)
	}
	compareWith(t, []string{"sys_admin"}, r.First)
	checkProof(t, r.First)
}

// TestRefusedLaunch: a launch that fails is an error with its message, and not a program
// that does not work.
func TestRefusedLaunch(t *testing.T) {
	requires.Root(t)
	for _, test := range []struct{ setup, base, program, want string }{
		{"", "", "/nonexistent", "no such file or directory"},
		{"printf 'version: 1\\nrlimits: {nofile: {hard: 5000000000}}\\n' >base.yaml", "base.yaml", "/bin/true", "limit"},
		{"printf 'version: 1\\ncaps: nothing\\n' >base.yaml", "base.yaml", "/bin/true", "base.yaml:2"},
		{"printf 'version: 1\\n' >base.yaml; chmod 666 base.yaml", "base.yaml", "/bin/true", "base.yaml"},
	} {
		argv := []string{caprun(t), "learn", "-no-trace"}
		if test.base != "" {
			argv = append(argv, "-profile", test.base)
		}
		out, errs, status := box{Setup: test.setup, Argv: append(argv, "--", test.program)}.run(t)
		if status == 0 || out != "" || !strings.Contains(errs, test.want) || strings.Contains(errs, "does not work") {
			t.Errorf("%s %s: status %d\n%s%s", test.setup, test.program, status, out, errs)
		}
	}
}
