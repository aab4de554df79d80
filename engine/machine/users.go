package machine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// User is an entry of the user database, passwd(5), with its groups.
type User struct {
	Name     string
	UID, GID uint32
	Groups   []uint32 // the groups of /etc/group that list the user, sorted, without GID
	Home     string
}

// userError returns the error for a user without a usable entry.
func userError(name string, err error, hint string) *Error {
	return &Error{Subject: "user " + name, Err: err, Hint: hint}
}

// findUser finds a user in the text of a passwd(5) and a group(5) file. The first
// matching entry applies. A number that is also the name of an entry with another uid
// is an error: some tools would use it as the name, others as the uid.
func findUser(name string, passwd, group []byte) (*User, *Error) {
	var user *User
	for pass := range 2 {
		for line := range bytes.Lines(passwd) {
			f := strings.Split(strings.TrimSuffix(string(line), "\n"), ":")
			if len(f) != 7 || pass == 0 && f[0] != name || pass == 1 && !sameNumber(f[2], name) {
				continue
			}
			uid, uidErr := ParseID(f[2])
			gid, gidErr := ParseID(f[3])
			if uidErr != nil || gidErr != nil {
				return nil, userError(name, errors.New("invalid uid or gid in /etc/passwd"), "correct the entry")
			}
			if number, err := ParseID(name); err == nil && number != uid {
				return nil, userError(name, fmt.Errorf("ambiguous: it is also the name of an entry in /etc/passwd with uid %d", uid), "write uid and gid")
			}
			user = &User{Name: f[0], UID: uid, GID: gid, Home: f[5]}
			break
		}
		if user != nil {
			break
		}
	}
	if user == nil {
		return nil, userError(name, errors.New("no entry in /etc/passwd"), "create the user, or write uid and gid")
	}
	for line := range bytes.Lines(group) {
		f := strings.Split(strings.TrimSuffix(string(line), "\n"), ":")
		if len(f) != 4 || !slices.Contains(strings.Split(f[3], ","), user.Name) {
			continue
		}
		gid, err := ParseID(f[2])
		if err != nil {
			return nil, userError(name, fmt.Errorf("invalid gid of group %q in /etc/group", f[0]), "correct the entry")
		}
		if gid != user.GID {
			user.Groups = append(user.Groups, gid)
		}
	}
	slices.Sort(user.Groups)
	user.Groups = slices.Compact(user.Groups)
	return user, nil
}

func sameNumber(field, name string) bool {
	a, err := ParseID(name)
	if err != nil {
		return false
	}
	b, err := ParseID(field)
	return err == nil && a == b
}

// ParseID parses a user or group ID: a decimal number from 0 to 4294967294 without
// sign, space and leading zero.
func ParseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > 1<<32-2 || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("invalid ID %q", s)
	}
	return uint32(n), nil
}
