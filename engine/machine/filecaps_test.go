package machine

import (
	"testing"

	"caprun/engine/cred"
)

// TestOwnsFileCaps checks the attribute of a root user with another number inside a user
// namespace: it applies, does not apply, or caprun cannot determine which.
func TestOwnsFileCaps(t *testing.T) {
	mapped := func(inside, outside, count uint32) cred.UserNS {
		return cred.UserNS{Nested: true, UIDs: []cred.Extent{{Inside: inside, Outside: outside, Count: count}}}
	}
	for _, test := range []struct {
		name  string
		root  uint32
		ns    cred.UserNS
		known bool
		owned bool
		fails bool
	}{
		{"initial namespace", 1000, cred.UserNS{}, true, false, false},
		{"root of the machine is 1000 here", 1000, mapped(1000, 0, 1), true, true, false},
		{"root of the machine in an extent", 1000, mapped(1000, 0, 9), true, true, false},
		{"another user further out", 1001, mapped(1000, 0, 9), true, false, true},
		{"no proc file system", 1000, cred.UserNS{}, false, false, true},
	} {
		owned, err := ownsFileCaps(test.root, test.ns, test.known)
		if owned != test.owned || (err != nil) != test.fails {
			t.Errorf("%s: %v, %v", test.name, owned, err)
		}
	}
}
