//go:build linux

package platforms

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/requires"
)

// TestBoot: a unit runs under a systemd of its own, and a unit that never ends is killed.
func TestBoot(t *testing.T) {
	requires.Root(t)
	requires.Tool(t, Manager)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run, err := Boot(ctx, System{
		Units: map[string]string{
			"a.service": "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/cat /etc/a /proc/self/comm /proc/1/comm\n" +
				"StandardOutput=truncate:" + Output + "/a\n",
			"a.service.d/user.conf": "[Service]\nUser=nobody\n",
		},
		Files: map[string]File{"/etc/a": {[]byte("text\n"), 0o644}},
		Start: []string{"a.service"},
	})
	if err != nil || run.Files["a"] != "text\ncat\nsystemd\n" {
		t.Fatalf("%v %q\n%s", err, run.Files, run.Log)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	run, err = Boot(ctx, System{
		Units: map[string]string{"a.service": "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sleep 600\n"},
		Start: []string{"a.service"},
	})
	if err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	for _, pattern := range []string{"/sys/fs/cgroup/platform-test-*", "/sys/fs/cgroup/unified/platform-test-*", filepath.Join(os.TempDir(), "platform-test-*")} {
		if left, _ := filepath.Glob(pattern); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
	if mounts := readText("/proc/self/mountinfo"); strings.Contains(mounts, "platform-test-") {
		t.Errorf("left: %s", mounts)
	}
}
