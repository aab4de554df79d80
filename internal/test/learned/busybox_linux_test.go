package learned

import (
	"testing"

	"caprun/internal/test/requires"
)

// busybox are programs that a machine without Debian's packages has, too: make
// test-kernels learns about them on other kernels.
var busybox = []program{
	{
		name:  "httpd",
		setup: "mkdir www; echo hello >www/index.html",
		flags: []string{"-timeout", "1m", "-test", "busybox wget -q -O /dev/null http://127.0.0.1/index.html"},
		argv:  []string{"busybox", "httpd", "-f", "-p", "127.0.0.1:80", "-h", "www"},
		want:  []string{"net_bind_service"},
	},
	{
		name:  "chown",
		flags: []string{"-timeout", "1m", "-reset", "busybox rm -f file; busybox touch file"},
		argv:  []string{"busybox", "chown", "33", "file"},
		want:  []string{"chown"},
	},
	{
		name:  "su",
		setup: "mkdir home",
		flags: []string{"-timeout", "1m"},
		argv:  []string{"busybox", "su", "-s", "/bin/sh", "www-data", "-c", "test $(busybox id -u) = 33"},
		want:  []string{"setgid", "setuid"},
	},
}

// TestBusybox learns what programs of busybox need.
func TestBusybox(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	requires.Tool(t, "busybox")
	for _, p := range busybox {
		t.Run(p.name, func(t *testing.T) {
			r := learn(t, p)
			compareWith(t, p.want, r.First)
			checkProof(t, r.First)
			for _, c := range r.First.Verdicts {
				if c.Verdict == "needed" && c.Checks == 0 {
					t.Errorf("%s: no check was recorded", c.Capability)
				}
			}
		})
	}
}
