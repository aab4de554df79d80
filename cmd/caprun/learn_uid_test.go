package main

import (
	"strings"
	"testing"
)

// TestLearnUIDValue: -uid takes a name, IDs or auto.
func TestLearnUIDValue(t *testing.T) {
	for text, want := range map[string]secondUID{
		"auto": {auto: true}, "33": {given: true, uid: 33}, "33:34": {given: true, uid: 33, gid: 34, hasGID: true},
		"0": {given: true}, "app": {given: true, name: "app"}, "web.server-1_$": {given: true, name: "web.server-1_$"},
	} {
		s := secondUID{auto: true, name: "earlier"}
		if err := s.value().store(text); err != nil || s != want {
			t.Errorf("%q: %v, %+v", text, err, s)
		}
	}
	for _, text := range []string{"", "-1", "4294967295", "033", "33:", "33:x", "app:app", "app:33", "a b", "1app", "a/b", "+33", "a\nuid: 0", strings.Repeat("a", 10000)} {
		var s secondUID
		if err := s.value().store(text); err == nil || s.given || s.auto {
			t.Errorf("%.20q: %v, %+v", text, err, s)
		}
	}
}

// TestLearnUIDIdentity: a name is looked up, and the profile has it.
func TestLearnUIDIdentity(t *testing.T) {
	id, err := (&secondUID{given: true, name: "root"}).identity()
	if err != nil || id.User != "root" || id.UID != 0 || id.GID != 0 {
		t.Errorf("%+v %v", id, err)
	}
	for want, s := range map[string]secondUID{
		"-uid nobody-has-this: no entry in /etc/passwd; pass -uid UID:GID":                {given: true, name: "nobody-has-this"},
		"-uid 4294967000: no entry in /etc/passwd with the gid; pass -uid 4294967000:GID": {given: true, uid: 4294967000},
	} {
		if _, err := s.identity(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
