package cmdline

import (
	"strconv"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/policy"
)

// state is the state of setpriv or capsh between two system calls.
type state struct {
	*command
	cred.Cred

	user, group string // names, whose IDs are placeholders
	groups      []string
	groupsAt    []declared.Source
	groupsOf    string // the user whose groups initgroups(3) sets
	split       *declared.Source
	failed      bool
	sawGID      bool
	noEnv       bool // capsh --noenv
}

// placeholder stands for the uid and the gid of a name. It is no ID of an account, so that
// the kernel's rules apply as for any user other than root.
const placeholder = 3999999999

func newState(c *command) *state { return &state{command: c, Cred: cred.Root()} }

// all has every capability with a name.
const all = cred.Caps(1<<cap.NamedCount - 1)

// call records the result of a system call. An error ends the program.
func (s *state) call(at declared.Source, what string) func(cred.Cred, cred.Errno) {
	return func(c cred.Cred, errno cred.Errno) {
		if s.failed {
			return
		}
		if errno != 0 {
			s.failed = true
			s.AddFinding(declared.Refused, at, "", "%s fails: %s is not permitted at this point", s.name, what)
			return
		}
		s.Cred = c
	}
}

// finish declares the identity, the sets and the flags of the state before exec.
func (s *state) finish() {
	c := s.Cred
	s.Sets = declared.Sets{Inheritable: c.Inheritable, Ambient: c.Ambient, Bounding: c.Bounding}
	s.securebits()
	s.Profile.NoNewPrivs = c.NoNewPrivs
	s.identity()
	root := c.EUID == 0 && c.Securebits&cred.SecNoRoot == 0
	if gained := c.Bounding.Union(c.Inheritable); root && c.NoNewPrivs && !gained.SubsetOf(c.Permitted) {
		s.AddLoss(s.At, "no_new_privs keeps the process from getting what the permitted set does not have: %s", gained.Minus(c.Permitted).Join())
	}
}

// securebits declares the securebits. A profile has no lock without its bit, other than
// that of keep_caps, which exec clears.
func (s *state) securebits() {
	bits := s.Securebits &^ cred.SecKeepCaps
	lone := bits & cred.SecAllLocks &^ cred.SecKeepCapsLocked &^ (bits & cred.SecAllBits << 1)
	if lone != 0 {
		at := s.At
		if from := s.Origins["secbits"]; len(from) > 0 {
			at = from[len(from)-1]
		}
		s.AddLoss(at, "a profile cannot have the locks of securebits that are not set: %s", strings.Join(lone.Names(), ", "))
	}
	if declared := cap.Secbits(bits &^ lone); declared != 0 {
		s.Profile.Secbits = &declared
	}
}

// identity declares the user, the group and the supplementary groups.
func (s *state) identity() {
	c, p := s.Cred, &s.Profile
	if c.UID != c.EUID || c.GID != c.EGID || c.EUID != c.SUID || c.EGID != c.SGID {
		at := s.At
		if s.split != nil {
			at = *s.split
		}
		s.AddLoss(at, "the real and the effective IDs differ: uid %d and %d, gid %d and %d", c.UID, c.EUID, c.GID, c.EGID)
		s.Sets.UnknownUID, s.Sets.NotRoot = true, s.notRoot()
		if !s.Sets.NotRoot {
			s.AddFinding(declared.UnknownIdentity, at, "declare one uid and one gid", "the real and the effective IDs differ, and one of the uids is 0")
		}
		return
	}
	if s.user != "" {
		p.User = s.user
	} else {
		uid := c.EUID
		p.UID = &uid
	}
	if s.group != "" {
		p.GID = &policy.Group{Name: s.group}
	} else if s.groupsOf == "" || s.sawGID {
		p.GID = &policy.Group{ID: c.EGID}
	}
	switch {
	case s.groupsOf != "" && s.groupsOf == s.user:
		return // the groups of the user
	case s.groupsOf != "":
		s.AddLoss(s.At, "the process has the groups of %s", containers.Short(s.groupsOf))
	}
	p.Groups = []policy.Group{}
	for n, g := range s.groups {
		s.Group(g, s.groupsAt[n])
	}
}

// notRoot reports that neither the real nor the effective uid is 0, of which each makes exec
// grant capabilities.
func (s *state) notRoot() bool { return s.UID != 0 && s.EUID != 0 }

// account is a user or a group of an option.
type account struct {
	id   uint32
	name string // "" for a number, and for root
}

// parseAccount returns the account of a word. ok is false for what is neither a number nor
// a name.
func parseAccount(text string) (a account, ok bool) {
	if id, ok := containers.ParseID(text, 1<<32-2); ok {
		return account{id: id}, true
	}
	switch {
	case text == "root":
		return account{}, true
	case text == "" || strings.ContainsAny(text[:1], "0123456789-+") || strings.ContainsAny(text, " :/,\t\n") || len(text) > 32:
		return account{}, false
	}
	for _, r := range text {
		if r > 0x7e || r < ' ' {
			return account{}, false
		}
	}
	return account{placeholder, text}, true
}

// setGroups declares the supplementary groups of a list, and returns their numbers.
func (s *state) setGroups(list string, at declared.Source) (ids []uint32, ok bool) {
	s.groups, s.groupsAt, s.groupsOf = nil, nil, ""
	for text := range strings.SplitSeq(list, ",") {
		a, ok := parseAccount(text)
		if !ok || len(ids) == maxGroups {
			return nil, false
		}
		if text == "root" {
			text = "0"
		}
		ids = append(ids, a.id)
		s.groups, s.groupsAt = append(s.groups, text), append(s.groupsAt, at)
	}
	return ids, true
}

// maxGroups is the largest number of groups in one option.
const maxGroups = 1024

// number returns a number as strtoul(3) reads it with any base. ok is false for any other
// text.
func number(text string) (n uint64, ok bool) {
	if strings.ContainsAny(text, "_+-bBoO") && !strings.HasPrefix(text, "0x") && !strings.HasPrefix(text, "0X") {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 0, 32)
	return n, err == nil
}
