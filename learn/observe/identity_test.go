package observe

import (
	"reflect"
	"testing"
)

func TestCollectIDs(t *testing.T) {
	minus := uint64(1<<32 - 1)
	for _, test := range []struct {
		call     string
		args     [6]uint64
		after    *IDs
		uid, gid int64
		settled  bool
	}{
		{"setuid", [6]uint64{33}, &IDs{UID: 33}, 33, -1, true},
		{"setuid", [6]uint64{33}, &IDs{UID: 34}, 33, -1, false},
		{"setuid", [6]uint64{33}, nil, 33, -1, false},
		{"setresuid", [6]uint64{1, 4294967294, 3}, &IDs{UID: 4294967294}, 4294967294, -1, true},
		{"setresuid", [6]uint64{1, minus, 3}, &IDs{UID: 7}, -1, -1, true},
		{"setregid", [6]uint64{1, 2}, &IDs{GID: 2}, -1, 2, true},
		{"setgroups", [6]uint64{1, 2}, nil, -1, -1, false},
		{"setgroups", [6]uint64{1, 2}, &IDs{Groups: []uint32{4, 5}}, -1, -1, true},
		{"setgroups", [6]uint64{1, 2}, &IDs{Groups: []uint32{4}}, -1, -1, false},
	} {
		l := newTimeline(10, false)
		e := exit(0, registers{valid: true, args: test.args}, Call{Name: test.call})
		e.ids, e.groups, e.known = test.after, []uint32{5, 4}, test.call == "setgroups"
		l.add(e)
		rec := l.c.finish(0)
		if len(rec.IDChanges) != 1 {
			t.Fatalf("%+v", rec)
		}
		if c := rec.IDChanges[0]; c.UID != test.uid || c.GID != test.gid || c.Settled != test.settled {
			t.Errorf("%+v: %+v", test, c)
		}
	}
}

func TestIdentities(t *testing.T) {
	after := &IDs{UID: 33, GID: 34, Groups: []uint32{35}}
	setUID, setGID, setGroups := Call{Name: "setuid"}, Call{Name: "setgid"}, Call{Name: "setgroups"}
	rec := Recording{IDChanges: []IDChange{
		{TID: 1, Call: setGroups, UID: -1, GID: -1, Groups: []uint32{7}, GroupsKnown: true},
		{TID: 2, Call: setGroups, UID: -1, GID: -1},
		{TID: 1, Call: setGID, UID: -1, GID: 8},
		{TID: 1, Call: setUID, UID: 33, GID: -1, After: after, Settled: true},
		{TID: 1, Call: setUID, UID: 44, GID: -1, After: after},
		{TID: 2, Call: setUID, UID: 55, GID: -1},
	}}
	want := []Identity{
		{TID: 1, UID: 33, GID: 34, Groups: []uint32{35}, GroupsKnown: true},
		{TID: 1, UID: 44, GID: 8, Groups: []uint32{7}, GroupsKnown: true, Guessed: true},
		{TID: 2, UID: 55, GID: -1, Guessed: true},
	}
	if got := rec.Identities(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}
