package machine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/policy"
)

// User is an entry of the user database with the groups that name it.
type User struct {
	Name     string
	UID, GID uint32
	Groups   []uint32 // of /etc/group, sorted, without GID
	Home     string
}

// maxUserFile bounds /etc/passwd and /etc/group: some ten thousand users.
const maxUserFile = 16 << 20

// userError says that a user of a profile has no entry that can be used.
func userError(name string, err error, hint string) *Error {
	return &Error{Subject: "user " + name, Err: err, Hint: hint}
}

// readUser reads the entry of a user, by name or number, from /etc/passwd
// and the groups of it from /etc/group. It asks no other database, so that
// the result is the same in every build. The error is an *Error.
func readUser(name string) (*User, error) {
	passwd, err := readFile("/etc/passwd", maxUserFile)
	if err != nil {
		return nil, userError(name, fmt.Errorf("read /etc/passwd: %w", err), "write uid and gid instead of user")
	}
	group, err := readFile("/etc/group", maxUserFile)
	if err != nil {
		return nil, userError(name, fmt.Errorf("read /etc/group: %w", err), "write uid and gid instead of user, or add groups")
	}
	return findUser(name, passwd, group)
}

// LookupUser returns the entry of the user that a profile names; nil for a profile
// that names none. The error is an *Error.
func LookupUser(p *policy.Profile) (*User, error) {
	if p.User == "" {
		return nil, nil
	}
	user, err := readUser(p.User)
	var failed *Error
	if errors.As(err, &failed) {
		failed.Profile, failed.Key = p, "user"
	}
	return user, err
}

// findUser finds a user in the text of a passwd(5) and a group(5) file. The
// first entry counts. A number that is also the name of an entry with another uid
// is refused: other tools take it for the name, and a reader for the uid.
func findUser(name string, passwd, group []byte) (*User, error) {
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
				return nil, userError(name, errors.New("its entry in /etc/passwd has no valid uid and gid"), "correct the entry")
			}
			if number, err := ParseID(name); err == nil && number != uid {
				return nil, userError(name, fmt.Errorf("it is the name of an entry in /etc/passwd with uid %d", uid), "write uid and gid")
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
			return nil, userError(name, fmt.Errorf("its group %q in /etc/group has no valid gid", f[0]), "correct the entry")
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

// ParseID reads an id as the profile does: decimal digits below 4294967295,
// no sign, no space, no leading zero.
func ParseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > 1<<32-2 || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%q is not an id", s)
	}
	return uint32(n), nil
}
