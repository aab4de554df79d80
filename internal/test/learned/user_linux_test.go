package learned

import (
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// TestNamedUser: the profile of the user that -uid names is the result, although it cannot
// be compared with that of root, which can read its own file without a capability.
func TestNamedUser(t *testing.T) {
	requires.Root(t)
	const setup = "umask 077; echo x >secret"
	for _, test := range []struct {
		uid              string
		status           int
		profile, reports string
	}{
		{"nobody", 0, "version: 1\nuser: nobody\n#", "The profile of the start as uid 65534 follows on the standard output.\nTo get the profile of the start as uid 0, leave out -uid.\n"},
		{"33:34", 0, "version: 1\nuid: 33\ngid: 34\ngroups: [34]\n#", "The profile of the start as uid 33 follows on the standard output.\n"},
		{"nobody-has-this", 2, "", "caprun: -uid nobody-has-this: no entry in /etc/passwd; pass -uid UID:GID\n"},
	} {
		out, errs, status := box{Setup: setup, Argv: []string{caprun(t), "learn", "-no-trace", "-uid", test.uid, "--", "cat", "secret"}}.run(t)
		if status != test.status || !strings.HasPrefix(out, test.profile) || (out == "") != (test.profile == "") || !strings.Contains(errs, test.reports) {
			t.Errorf("%s: status %d\n%s%s", test.uid, status, errs, out)
		}
	}
	// The program does not work as this user: caprun writes no profile of another one instead.
	out, errs, status := box{Argv: []string{caprun(t), "learn", "-no-trace", "-o", "p.yaml", "-uid", "33", "--", "sh", "-c", "test $(id -u) = 0"}}.run(t)
	if status != 1 || out != "" || !strings.Contains(errs, "started as uid 33, does not work") || !strings.Contains(errs, "p.yaml is not written") {
		t.Errorf("status %d\n%s%s", status, errs, out)
	}
}
