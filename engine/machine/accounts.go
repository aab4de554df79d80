package machine

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"

	"caprun/policy"
)

// Accounts are the entries that a profile names: of its user in passwd(5), and of its
// groups in group(5).
type Accounts struct {
	User   *User             // nil for a profile without user
	Groups map[string]uint32 // the gid of each group that the profile names
}

// maxAccountFile is the maximum size of /etc/passwd and /etc/group, in bytes: enough for
// ten thousand users.
const maxAccountFile = 16 << 20

// LookupAccounts looks up the user and the groups that p names in /etc/passwd and
// /etc/group. It reads no other database, so that every build returns the same result. It
// returns nil for a profile with numeric IDs only, and then reads no file. The error is an
// *Error at the key user, at gid or at an element of groups.
func LookupAccounts(p *policy.Profile) (*Accounts, error) {
	return FindAccounts(p, func(name string) ([]byte, error) { return readFile("/"+name, maxAccountFile) })
}

// FindAccounts is [LookupAccounts] for the files of another root directory: read returns the
// content of etc/passwd or etc/group.
func FindAccounts(p *policy.Profile, read func(name string) ([]byte, error)) (*Accounts, error) {
	if p.User == "" && !namesGroup(p) {
		return nil, nil
	}
	fail := func(err *Error, key string) (*Accounts, error) {
		err.Profile, err.Key = p, key
		return nil, err
	}
	a := &Accounts{}
	var group []byte
	var err error
	if p.User != "" {
		passwd, err := read("etc/passwd")
		if err != nil {
			return fail(userError(p.User, fmt.Errorf("read /etc/passwd: %w", err), "write uid and gid instead of user"), "user")
		}
		if group, err = read("etc/group"); err != nil {
			return fail(userError(p.User, fmt.Errorf("read /etc/group: %w", err), "write uid and gid instead of user, or add groups"), "user")
		}
		user, failed := findUser(p.User, passwd, group)
		if failed != nil {
			return fail(failed, "user")
		}
		a.User = user
	} else if group, err = read("etc/group"); err != nil {
		key, g := firstName(p)
		return fail(groupError(g, fmt.Errorf("read /etc/group: %w", err), "write the number of each group"), key)
	}
	entries := groupEntries(p, group)
	a.Groups = make(map[string]uint32, len(entries))
	for key, g := range groupsOf(p) {
		if failed := a.addGroup(g, entries); failed != nil {
			return fail(failed, key)
		}
	}
	return a, nil
}

// groupError returns the error for a group without a usable entry.
func groupError(g policy.Group, err error, hint string) *Error {
	return &Error{Subject: "group " + groupName(g), Err: err, Hint: hint}
}

// groupName returns the name of a group, or its ID in decimal digits.
func groupName(g policy.Group) string {
	if g.Name != "" {
		return g.Name
	}
	return fmt.Sprint(g.ID)
}

// groupsOf returns the gid and the groups that p declares, with their keys.
func groupsOf(p *policy.Profile) iter.Seq2[string, policy.Group] {
	return func(yield func(string, policy.Group) bool) {
		if p.GID != nil && !yield("gid", *p.GID) {
			return
		}
		for n, g := range p.Groups {
			if !yield(fmt.Sprintf("groups[%d]", n), g) {
				return
			}
		}
	}
}

// namesGroup reports whether p declares a group by its name.
func namesGroup(p *policy.Profile) bool {
	key, _ := firstName(p)
	return key != ""
}

// firstName returns the first group that p declares by its name, and its key; an empty key
// if there is none.
func firstName(p *policy.Profile) (key string, g policy.Group) {
	for key, g := range groupsOf(p) {
		if g.Name != "" {
			return key, g
		}
	}
	return "", policy.Group{}
}

// groupEntries returns the gid field of the first entry in the text of a group(5) file for
// each name in p, and for each number that is the name of an entry.
func groupEntries(p *policy.Profile, group []byte) map[string]string {
	wanted := map[string]bool{}
	for _, g := range groupsOf(p) {
		wanted[groupName(g)] = true
	}
	found := map[string]string{}
	if len(wanted) == 0 {
		return found
	}
	for line := range bytes.Lines(group) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		if !wanted[string(name)] {
			continue
		}
		f := strings.Split(strings.TrimSuffix(string(line), "\n"), ":")
		if _, twice := found[f[0]]; !twice && len(f) == 4 {
			found[f[0]] = f[2]
		}
	}
	return found
}

// addGroup adds the gid of a group. entries are those of [groupEntries]. A number that is
// also the name of an entry with another gid is an error: some tools would use it as the
// name, others as the gid.
func (a *Accounts) addGroup(g policy.Group, entries map[string]string) *Error {
	field, ok := entries[groupName(g)]
	if g.Name == "" {
		if ok && field != fmt.Sprint(g.ID) {
			return groupError(g, fmt.Errorf("ambiguous: it is also the name of an entry in /etc/group with gid %s", field), "rename the entry")
		}
		return nil
	}
	if _, err := ParseID(g.Name); err == nil {
		return groupError(g, errors.New("the name is a number"), "declare the ID")
	}
	if !ok {
		return groupError(g, errors.New("no entry in /etc/group"), "create the group, or write its number")
	}
	gid, err := ParseID(field)
	if err != nil {
		return groupError(g, errors.New("invalid gid in /etc/group"), "correct the entry")
	}
	a.Groups[g.Name] = gid
	return nil
}
