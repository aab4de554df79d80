package render

import (
	"slices"
	"testing"

	"caprun/engine/cred"
)

// TestIdentityNotes: a plan says which of HOME, USER and LOGNAME follow a new user,
// and leaves out those that the profile names.
func TestIdentityNotes(t *testing.T) {
	loader := "no loader variables to remove"
	for _, c := range []struct {
		profile string
		want    []string
	}{
		{"umask: '0022'", nil},
		{"uid: 3\ngid: 3", []string{"sets HOME=/", "removes LOGNAME, USER", loader}},
		{"uid: 3\ngid: 3\nenv: {set: {USER: x}}", []string{"sets USER, HOME=/", "removes LOGNAME", loader}},
		{"uid: 3\ngid: 3\nenv: {keep: [USER]}", []string{"keeps USER", "sets HOME=/", loader}},
		{"uid: 3\ngid: 3\nenv: {keep: [HOME]}", []string{"keeps HOME", loader}},
		{"uid: 3\ngid: 3\nenv: {unset: [HOME, LOGNAME, TERM]}", []string{"removes HOME, LOGNAME, TERM, USER", loader}},
		{"user: nosuchuser", []string{"sets HOME, LOGNAME and USER to those of user nosuchuser", loader}},
		{"user: nosuchuser\nenv: {set: {HOME: /x, LOGNAME: x}}", []string{"sets HOME, LOGNAME", "sets USER to that of user nosuchuser", loader}},
		{"user: nosuchuser\nenv: {set: {HOME: /x, LOGNAME: x}, unset: [USER]}", []string{"sets HOME, LOGNAME", "removes USER", loader}},
	} {
		if got := environNotes(planOf(t, c.profile, cred.Root()), []string{"PATH=/bin"}); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.profile, got, c.want)
		}
	}
}
