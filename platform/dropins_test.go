package platform

import (
	"slices"
	"testing"
)

func TestDropInDirectories(t *testing.T) {
	for unit, want := range map[string][]string{
		"web.service":                   {"web.service.d", "service.d"},
		"/etc/systemd/system/a.service": {"a.service.d", "service.d"},
		"foo-bar-baz.service":           {"foo-bar-baz.service.d", "foo-bar-.service.d", "foo-.service.d", "service.d"},
		"getty@tty1.service":            {"getty@tty1.service.d", "getty@.service.d", "service.d"},
		"a-b@.service":                  {"a-b@.service.d", "a-.service.d", "service.d"},
	} {
		if got := DropInDirectories(unit); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", unit, got, want)
		}
	}
}

func TestSelectDropIns(t *testing.T) {
	got := SelectDropIns([]string{
		"/etc/u.service.d/50-b.conf", "/etc/u.service.d/10-z.conf", "/etc/u.service.d/README", "/etc/u.service.d/.x.conf",
		"/run/u.service.d/50-b.conf", "/run/u.service.d/20-a.conf", "/etc/service.d/10-z.conf", "/etc/service.d/00-all.conf",
	})
	want := []string{"/etc/service.d/00-all.conf", "/etc/u.service.d/10-z.conf", "/run/u.service.d/20-a.conf", "/etc/u.service.d/50-b.conf"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestUnitDirectories(t *testing.T) {
	if got := UnitDirectories("deploy"); !slices.Equal(got, []string{"deploy"}) {
		t.Errorf("%q", got)
	}
	if got := UnitDirectories("/usr/lib/systemd/system"); !slices.Contains(got, "/etc/systemd/system") {
		t.Errorf("%q", got)
	}
}
