package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/engine/machine"
	"caprun/learn"
	"caprun/policy"
)

// secondUID is the value of -uid.
type secondUID struct {
	auto     bool
	given    bool
	name     string // in /etc/passwd; empty for the IDs
	uid, gid uint32
	hasGID   bool
}

// value is the value of -uid.
func (s *secondUID) value() value {
	return value{takes: aSuggestion, words: []string{"auto"}, store: func(text string) error {
		*s = secondUID{}
		switch {
		case text == "auto":
			s.auto = true
			return nil
		case isUserName(text):
			s.given, s.name = true, text
			return nil
		}
		uid, gid, hasGID := strings.Cut(text, ":")
		var err error
		if s.uid, err = machine.ParseID(uid); err == nil && hasGID {
			s.gid, err = machine.ParseID(gid)
		}
		if err != nil {
			return fmt.Errorf("invalid value %q: want the name of a user, UID, UID:GID or auto", shorten(text))
		}
		s.given, s.hasGID = true, hasGID
		return nil
	}}
}

// isUserName reports whether the key user of a profile accepts text as a name. A number is
// not one.
func isUserName(text string) bool {
	p, _ := policy.Parse("", []byte("version: 1\nuser: "+strconv.QuoteToASCII(text)+"\n"))
	return p != nil && p.User == text
}

// identity returns the identity of the second pass; nil if there is none, or if the
// program decides.
func (s *secondUID) identity() (*learn.Identity, error) {
	if !s.given {
		return nil, nil
	}
	id := &learn.Identity{UID: s.uid, GID: s.gid, Groups: []uint32{s.gid}, User: s.name}
	if s.hasGID {
		return id, nil
	}
	user := s.name
	if user == "" {
		user = strconv.FormatUint(uint64(s.uid), 10)
	}
	accounts, err := machine.LookupAccounts(&policy.Profile{User: user})
	var found *machine.Error
	switch {
	case err != nil && s.name != "" && errors.As(err, &found):
		return nil, fmt.Errorf("-uid %s: %w; pass -uid UID:GID", s.name, found.Err)
	case err != nil || accounts.User == nil:
		return nil, fmt.Errorf("-uid %s: no entry in /etc/passwd with the gid; pass -uid %[1]s:GID", user)
	}
	id.UID, id.GID = accounts.User.UID, accounts.User.GID
	id.Groups = append([]uint32{id.GID}, accounts.User.Groups...)
	slices.Sort(id.Groups)
	return id, nil
}
