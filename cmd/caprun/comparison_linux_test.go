package main

import (
	"regexp"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/requires"
)

// TestComparisonContainers holds the table about runc and crun in docs/comparison.md
// to what they do: each mistake in the configuration ends with status 0.
func TestComparisonContainers(t *testing.T) {
	requires.Heavy(t)
	umask := syscall.Umask(0o022)
	t.Cleanup(func() { syscall.Umask(umask) })
	const grant, misspelled = "NET_BIND_SERVICE", "NET_BIND_SERVCE"
	uninherited := asAmbient(grant)
	uninherited.Inheritable = nil
	for _, name := range []string{"runc", "crun"} {
		t.Run(name, func(t *testing.T) {
			dir := scriptRoot(t)
			r := newRuntime(t, name, dir)
			images := containerImages(t, dir, r)
			for _, c := range []struct {
				name    string
				caps    ociCaps
				nnp     bool
				want    string // a line of caprun show
				warning bool
			}{
				{"bounding alone", asOther(grant), false, "permitted none", false},
				{"not inheritable", uninherited, false, "ambient none", false},
				{"not inheritable", uninherited, false, "permitted none", false},
				{"misspelled capability", asAmbient(misspelled), false, "permitted none", name == "runc"},
				{"misspelled key", asOther(), true, "no_new_privs false", false},
			} {
				s := containerStart{user: ociUser{UID: 33, GID: 33}, caps: c.caps}
				config := s.config(r, dir, images)
				config.Process.Args = []string{"/caprun", "show"}
				config.Process.Misspelled = c.nnp
				got := r.run(t, config)
				line := regexp.MustCompile(`(?m)^ *` + strings.ReplaceAll(c.want, " ", " +") + `$`)
				if got.Status != 0 || !line.MatchString(got.Stdout) || (got.Stderr != "") != c.warning {
					t.Errorf("%s: status %d, want %q in\n%s%s", c.name, got.Status, c.want, got.Stdout, got.Stderr)
				}
			}
		})
	}
}
