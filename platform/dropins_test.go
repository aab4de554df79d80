package platform

import (
	"slices"
	"testing"

	"caprun/platform/declared"
)

func TestDropInDirectories(t *testing.T) {
	for unit, want := range map[string][]string{
		"web.service":                   {"web.service.d", "service.d"},
		"/etc/systemd/system/a.service": {"a.service.d", "service.d"},
		"foo-bar-baz.service":           {"foo-bar-baz.service.d", "foo-bar-.service.d", "foo-.service.d", "service.d"},
		"getty@tty1.service":            {"getty@tty1.service.d", "getty@.service.d", "service.d"},
		"a-b@.service":                  {"a-b@.service.d", "a-.service.d", "service.d"},
		"a-b-c@x.service": {
			"a-b-c@x.service.d", "a-b-c@.service.d", "a-b-.service.d", "a-.service.d",
			"a-b-@x.service.d", "a-b-@.service.d", "a-@x.service.d", "a-@.service.d", "service.d",
		},
		"a-b@x-y@z.service": {"a-b@x-y@z.service.d", "a-b@.service.d", "a-.service.d", "a-@x-y@z.service.d", "a-@.service.d", "service.d"},
		"a--b-.service":     {"a--b-.service.d", "a--.service.d", "a-.service.d", "service.d"},
		"-a-b.service":      {"-a-b.service.d", "-a-.service.d", "service.d"},
		"-a.service":        {"-a.service.d", "service.d"},
	} {
		if got := DropInDirectories(unit); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", unit, got, want)
		}
	}
}

// TestDropInPrecedence: the order of DropInDirectories is the one in which systemd.Read
// chooses among drop-ins with one name.
func TestDropInPrecedence(t *testing.T) {
	const unit = "/etc/systemd/system/a-b-c@x.service"
	dirs := DropInDirectories(unit)
	for n := range dirs[1:] {
		var dropIns []declared.File
		for _, dir := range dirs[n:] {
			name := "/etc/systemd/system/" + dir + "/u.conf"
			dropIns = append([]declared.File{{Name: name, Text: []byte("[Service]\nWorkingDirectory=/" + dir + "\n")}}, dropIns...)
		}
		in := Input{Kind: Systemd, File: declared.File{Name: unit, Text: []byte("[Service]\nExecStart=/bin/x\n")}, DropIns: dropIns}
		if r := in.Read(); len(r.Processes) != 1 || r.Processes[0].Profile.Cwd != "/"+dirs[n] {
			t.Errorf("%+v, want %s", r, dirs[n])
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
