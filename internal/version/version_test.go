package version

import (
	"runtime/debug"
	"testing"
	"time"
)

// TestNumber: the number and the date have their forms.
func TestNumber(t *testing.T) {
	if !Valid(Number) {
		t.Errorf("Number is %q", Number)
	}
	if _, err := time.Parse(time.DateOnly, Date); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "1.2", "v1.2.3", "01.2.3", "1.2.3 ", "1.2.3\n", "1.2.x", "1.2.3_4"} {
		if Valid(text) {
			t.Errorf("%q is valid", text)
		}
	}
	for _, text := range []string{"0.1.0", "1.2.3-rc.1", "1.2.3-rc.1+build.5"} {
		if !Valid(text) {
			t.Errorf("%q is invalid", text)
		}
	}
}

// TestLinked: what the linker sets has priority.
func TestLinked(t *testing.T) {
	defer func(l, c string) { linked, commit = l, c }(linked, commit)
	linked, commit = "", ""
	if got := String(); got != Number {
		t.Errorf("String() = %q", got)
	}
	// A test is built without what git knows.
	if hash, modified := Commit(); hash != Unknown || modified {
		t.Errorf("Commit() = %q, %v", hash, modified)
	}
	linked, commit = "9.9.9", "abc"
	if got := String(); got != "9.9.9" {
		t.Errorf("String() = %q", got)
	}
	for _, text := range []string{"abc", "abc-modified"} {
		commit = text
		if hash, modified := Commit(); hash != "abc" || modified != (text != "abc") {
			t.Errorf("Commit() of %q = %q, %v", text, hash, modified)
		}
	}
}

// TestRecorded: the commit is that of the settings, if they have one.
func TestRecorded(t *testing.T) {
	for _, test := range []struct {
		settings []debug.BuildSetting
		hash     string
		modified bool
	}{
		{nil, Unknown, false},
		{[]debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}}, "abc", false},
		{[]debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}, "abc", true},
	} {
		if hash, modified := recorded(test.settings); hash != test.hash || modified != test.modified {
			t.Errorf("%v: %q, %v", test.settings, hash, modified)
		}
	}
}
