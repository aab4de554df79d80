package launches

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/engine/cred"
)

// Report is the output of internal/test/creds, by subject. Its environment is
// separate, and sorted.
type Report struct {
	Lines map[string]string
	Env   []string
}

// ParseReport reads the output of the program.
func ParseReport(output string) Report {
	r := Report{Lines: map[string]string{}}
	for line := range strings.Lines(output) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if name == "env" {
			r.Env = append(r.Env, value)
		} else {
			r.Lines[name] = value
		}
	}
	if r.Lines["at_secure"] == "1" {
		// The Go runtime adds it to a program with AT_SECURE.
		r.Env = slices.DeleteFunc(r.Env, func(entry string) bool { return entry == "GOTRACEBACK=none" })
	}
	slices.Sort(r.Env)
	return r
}

// Expect returns the report on the credentials of a program that starts in a state.
func Expect(c cred.Cred, secure bool) map[string]string {
	number := func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	}
	groups := strings.Trim(fmt.Sprint(c.Groups), "[]")
	if groups == "" {
		groups = "none"
	}
	return map[string]string{
		"uids":         fmt.Sprint(c.UID, c.EUID, c.SUID, c.FSUID),
		"gids":         fmt.Sprint(c.GID, c.EGID, c.SGID, c.FSGID),
		"groups":       groups,
		"inheritable":  fmt.Sprintf("%x", uint64(c.Inheritable)),
		"permitted":    fmt.Sprintf("%x", uint64(c.Permitted)),
		"effective":    fmt.Sprintf("%x", uint64(c.Effective)),
		"bounding":     fmt.Sprintf("%x", uint64(c.Bounding)),
		"ambient":      fmt.Sprintf("%x", uint64(c.Ambient)),
		"securebits":   fmt.Sprintf("%x", uint32(c.Securebits)),
		"no_new_privs": number(c.NoNewPrivs),
		"at_secure":    number(secure),
	}
}

// Compare returns the expected subjects in which a report differs.
func (r Report) Compare(want map[string]string) []string {
	var faults []string
	for name, value := range want {
		if r.Lines[name] != value {
			faults = append(faults, fmt.Sprintf("%s: %s, not %s", name, r.Lines[name], value))
		}
	}
	slices.Sort(faults)
	return faults
}

// Cred returns the reported state. The user namespace and the capabilities of the
// kernel, which the report lacks, are those of like.
func (r Report) Cred(like cred.Cred) (cred.Cred, error) {
	var failed error
	list := func(name string, base int) []uint64 {
		var all []uint64
		if r.Lines[name] == "none" {
			return nil
		}
		for field := range strings.FieldsSeq(r.Lines[name]) {
			n, err := strconv.ParseUint(field, base, 64)
			if err != nil {
				failed = fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, n)
		}
		return all
	}
	first := func(name string) uint64 {
		all := list(name, 16)
		if len(all) != 1 {
			failed = fmt.Errorf("%s: %q", name, r.Lines[name])
			return 0
		}
		return all[0]
	}
	c := like
	uids, gids := list("uids", 10), list("gids", 10)
	if len(uids) != 4 || len(gids) != 4 {
		return c, fmt.Errorf("no ids: %v", r.Lines)
	}
	c.UID, c.EUID, c.SUID, c.FSUID = uint32(uids[0]), uint32(uids[1]), uint32(uids[2]), uint32(uids[3])
	c.GID, c.EGID, c.SGID, c.FSGID = uint32(gids[0]), uint32(gids[1]), uint32(gids[2]), uint32(gids[3])
	c.Groups = nil
	for _, g := range list("groups", 10) {
		c.Groups = append(c.Groups, uint32(g))
	}
	c.Inheritable, c.Permitted, c.Effective = cred.Caps(first("inheritable")), cred.Caps(first("permitted")), cred.Caps(first("effective"))
	c.Bounding, c.Ambient = cred.Caps(first("bounding")), cred.Caps(first("ambient"))
	c.Securebits = cred.Securebits(first("securebits"))
	c.NoNewPrivs = first("no_new_privs") == 1
	return c, failed
}
