package seal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"caprun/engine/machine"
)

// facts are what a launcher depends on besides the text of its profile and its
// architecture. They are lines in a note of the file:
//
//	generator 1
//	user www-data
//	uid 33
//	gid 33
//	groups 4,44
//	home /var/www
//	group adm 4
//
// The lines from user to home are those of the entry of the profile's user. A line group
// has a group that the profile names, in the order of the names.
type facts struct {
	generator int
	accounts  *machine.Accounts
}

var errFacts = errors.New("the facts of the launcher are not in the form that caprun writes")

func (f facts) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "generator %d\n", f.generator)
	a := f.accounts
	if a == nil {
		return b.Bytes()
	}
	if u := a.User; u != nil {
		groups := make([]string, len(u.Groups))
		for n, g := range u.Groups {
			groups[n] = strconv.FormatUint(uint64(g), 10)
		}
		fmt.Fprintf(&b, "user %s\nuid %d\ngid %d\ngroups %s\nhome %s\n", u.Name, u.UID, u.GID, strings.Join(groups, ","), u.Home)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Groups)) {
		fmt.Fprintf(&b, "group %s %d\n", name, a.Groups[name])
	}
	return b.Bytes()
}

// parseFacts parses facts of this version of the generator. Of another version, it returns
// only the version. The error is ErrForm.
func parseFacts(text []byte) (facts, error) {
	first, rest, ok := strings.Cut(string(text), "\n")
	number, isGenerator := strings.CutPrefix(first, "generator ")
	version, err := machine.ParseID(number)
	if !ok || !isGenerator || err != nil || version > 1<<31-1 {
		return facts{}, ErrForm
	}
	f := facts{generator: int(version)}
	if f.generator != GeneratorVersion || rest == "" {
		return f, nil
	}
	f.accounts = &machine.Accounts{}
	if strings.HasPrefix(rest, "user ") {
		if f.accounts.User, rest, err = parseUser(rest); err != nil {
			return facts{}, err
		}
	}
	if f.accounts.Groups, err = parseGroups(rest); err != nil || !bytes.Equal(f.text(), text) {
		return facts{}, errFacts
	}
	return f, nil
}

// parseUser parses the lines of a user, and returns the text after them.
func parseUser(text string) (u *machine.User, rest string, err error) {
	rest = text
	var values [5]string
	for n, key := range []string{"user", "uid", "gid", "groups", "home"} {
		line, after, _ := strings.Cut(rest, "\n")
		var ok bool
		if values[n], ok = strings.CutPrefix(line, key+" "); !ok {
			return nil, "", errFacts
		}
		rest = after
	}
	u = &machine.User{Name: values[0], Home: values[4]}
	var uidErr, gidErr error
	u.UID, uidErr = machine.ParseID(values[1])
	u.GID, gidErr = machine.ParseID(values[2])
	if uidErr != nil || gidErr != nil || checkUser(u) != nil {
		return nil, "", errFacts
	}
	if values[3] == "" {
		return u, rest, nil
	}
	for word := range strings.SplitSeq(values[3], ",") {
		g, err := machine.ParseID(word)
		if err != nil {
			return nil, "", errFacts
		}
		u.Groups = append(u.Groups, g)
	}
	return u, rest, nil
}

// parseGroups parses the lines of groups.
func parseGroups(text string) (map[string]uint32, error) {
	groups := map[string]uint32{}
	for line := range strings.Lines(text) {
		field := strings.Fields(line)
		if len(field) != 3 || field[0] != "group" {
			return nil, errFacts
		}
		gid, err := machine.ParseID(field[2])
		if err != nil {
			return nil, errFacts
		}
		groups[field[1]] = gid
	}
	return groups, nil
}
