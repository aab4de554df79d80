package learned

import (
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// TestDoubtfulTests: a test that succeeds without the program, or although the program has
// failed, proves nothing.
func TestDoubtfulTests(t *testing.T) {
	requires.Root(t)
	for _, test := range []struct {
		name   string
		setup  string
		flags  []string
		argv   []string
		status int
		want   string // on the standard error, which is one line there
		stdout string // the begin of a line
	}{
		{
			name: "always true", flags: []string{"-test", "true"}, argv: sh("touch ran"),
			status: 1, want: "caprun: learn: the test succeeds without the program; stop what answers it,",
		},
		{
			name: "left by an earlier run", setup: "mkdir d", flags: []string{"-test", "test -d d"}, argv: []string{"mkdir", "d"},
			status: 1, want: "if an earlier run left what it checks, remove that with -reset",
		},
		{
			name: "left by the first run", flags: []string{"-test", "test -d d"}, argv: []string{"mkdir", "d"},
			status: 1, want: "test without the program: succeeds", stdout: "# UNCONFIRMED",
		},
		{
			name: "removed by the reset command", flags: []string{"-test", "test -d d", "-reset", "rm -rf d"}, argv: []string{"mkdir", "d"},
			want: "run 1, every allowed capability: works; the program ended by itself with exit status 0", stdout: "# Without capabilities the program worked",
		},
		{
			name: "fails", flags: []string{"-test", "test -e ready", "-reset", "rm -f ready"}, argv: sh("touch ready; echo Address in use; exit 3"),
			status: 1, want: "run 1, every allowed capability: works; the program ended by itself with exit status 3: Address in use", stdout: "# UNCONFIRMED",
		},
		{
			name: "fails and is a daemon", flags: []string{"-test", "test -e ready", "-reset", "rm -f ready"}, argv: sh("(touch ready; exec sleep 1000) & exit 3"),
			want: "run 1, every allowed capability: works (", stdout: "# Without capabilities the program worked",
		},
	} {
		argv := append([]string{caprun(t), "learn", "-no-trace"}, test.flags...)
		out, errs, status := box{Setup: test.setup, Argv: append(append(argv, "--"), test.argv...)}.run(t)
		if status != test.status || !strings.Contains(errs, test.want) || (out == "") != (test.stdout == "") || !strings.Contains(out, "\n"+test.stdout) && out != "" {
			t.Errorf("%s: status %d\n%s%s", test.name, status, errs, out)
		}
	}
}
