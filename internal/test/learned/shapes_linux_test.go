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
		name:  "a test that is always true",
		flags: append(fresh, "-test", "true"),
		argv:  sh("chown 33 file"),
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

// leftovers starts learn, ends one of its processes when the test runs, and prints the
// processes and probes that are left. $HOW is how.
const leftovers = `
cat >daemon <<'END'
trap '' TERM INT HUP
(setsid sh -c "trap '' TERM INT HUP; while :; do sleep 1000; done" &)
while :; do sleep 1000; done
END
env --default-signal=INT "$CAPRUN" learn -timeout 1000s -test "touch ready; sleep 1000" $FLAGS -- sh daemon >out 2>err &
guard=$!
until test -e ready; do sleep 0.1; done
worker=$(cat /proc/$guard/task/*/children)
case $HOW in
guard) kill -KILL $guard;;
worker) kill -KILL $worker;;
*) kill -$HOW $guard;;
esac
wait $guard
echo "status $?"
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	left=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -o '[s]h daemon\|[s]leep 1000\|[-]learn-[a-z]*' | sort -u)
	test -n "$left" || break
	sleep 0.5
done
echo "left:" $left
echo "probes:" $(grep -s caprun /sys/kernel/tracing/kprobe_events)
cat out err
`

// TestLeavesNothing: whichever process of learn ends, by whichever signal, nothing is left.
func TestLeavesNothing(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	for _, flags := range []string{"", "-no-trace"} {
		for _, how := range []string{"INT", "TERM", "HUP", "guard", "worker"} {
			// The text of the script is not among the arguments of a process.
			b := box{Setup: "cat >script <<'EOF'\n" + leftovers + "\nEOF\n", Argv: []string{"env", "CAPRUN=" + caprun(t), "HOW=" + how, "FLAGS=" + flags, "sh", "script"}}
			out, errs, status := b.run(t)
			if status != 0 && status != 1 || !strings.Contains(out, "\nleft:\nprobes:\n") {
				t.Errorf("%s %s: status %d\n%s%s", how, flags, status, out, errs)
				continue
			}
			want := map[string]string{"guard": "status 137\n", "worker": "status 1\n"}[how]
			if want == "" {
				want = "status 1\n"
				if !strings.Contains(out, "caprun: learn: interrupted;") {
					t.Errorf("%s %s: no message\n%s", how, flags, out)
				}
			}
			if !strings.HasPrefix(out, want) {
				t.Errorf("%s %s: want %q\n%s", how, flags, want, out)
			}
		}
	}
}
