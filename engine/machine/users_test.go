package machine

import (
	"slices"
	"testing"
)

const (
	testPasswd = `root:x:0:0:root:/root:/bin/sh
www:x:33:34::/srv:/bin/false
www:x:0:0::/:/bin/sh
5:x:77:77::/five:/bin/sh
6:x:0:0::/six:/bin/sh
7:x:7:7::/seven:/bin/sh
78:x:6:6::/:/bin/sh
short:x:1:1
negative:x:-1:1::/:/bin/sh
large:x:4294967295:1::/:/bin/sh
octal:x:010:1::/:/bin/sh
empty:x:::::
`
	testGroup = `root:x:0:
www:x:34:www
extra:x:50:other,www
same:x:50:www
foreign:x:51:wwww
bad:x:-1:five,5
`
)

func TestFindUser(t *testing.T) {
	for name, want := range map[string]*User{
		"www": {"www", 33, 34, []uint32{50}, "/srv"},
		"33":  {"www", 33, 34, []uint32{50}, "/srv"},
		"0":   {"root", 0, 0, nil, "/root"},
		"77":  nil, // a group has an invalid gid
		"5":   nil,
		"6":   nil, // also the name of uid 0
		"7":   {"7", 7, 7, nil, "/seven"},
	} {
		got, err := findUser(name, []byte(testPasswd), []byte(testGroup))
		if want == nil {
			if err == nil {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if err != nil || got.Name != want.Name || got.UID != want.UID || got.GID != want.GID || got.Home != want.Home || !slices.Equal(got.Groups, want.Groups) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "nobody", "short", "negative", "large", "octal", "empty", "-1", "4294967295", "4294967296",
		"033", "+33", " 33", ":33", "33:33", "1", "010", "8"} {
		if got, err := findUser(name, []byte(testPasswd), []byte(testGroup)); err == nil {
			t.Errorf("%q is %+v", name, got)
		}
	}
}
