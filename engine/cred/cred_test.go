package cred_test

import (
	"reflect"
	"slices"
	"testing"

	"caprun/engine/cred"
)

// Capabilities that no rule names and that tests use nevertheless.
const (
	netBind     = 10
	netRaw      = 13
	sysPtrace   = 19
	sysResource = 24
)

// A transition is one operation on a state. want is the state after it; a refused operation
// must not change the state.
type transition struct {
	name  string
	from  cred.Cred
	do    func(cred.Cred) (cred.Cred, cred.Errno)
	errno cred.Errno
	want  cred.Cred
}

func check(t *testing.T, cases []transition) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			before := tt.from
			before.Groups = slices.Clone(tt.from.Groups)
			got, errno := tt.do(tt.from)
			if errno != tt.errno {
				t.Fatalf("got %v, want %v", errno, tt.errno)
			}
			want := tt.want
			if errno != 0 {
				want = before
			}
			if d := got.Diff(want); d != nil {
				t.Errorf("%v differ:\ngot  %+v\nwant %+v", d, got, want)
			}
			if d := tt.from.Diff(before); d != nil {
				t.Errorf("the receiver changed: %v", d)
			}
		})
	}
}

// edit returns a changed copy of c.
func edit(c cred.Cred, change func(*cred.Cred)) cred.Cred {
	change(&c)
	return c
}

// user returns an unprivileged user with a full bounding set.
func user() cred.Cred {
	return cred.Cred{
		UID: 1000, EUID: 1000, SUID: 1000, FSUID: 1000,
		GID: 1000, EGID: 1000, SGID: 1000, FSGID: 1000,
		Groups:   []uint32{1000},
		Bounding: cred.FirstCaps(41), All: cred.FirstCaps(41),
	}
}

// ambientUser returns a user with the ambient capabilities a.
func ambientUser(a cred.Caps) cred.Cred {
	c := user()
	c.Inheritable, c.Permitted, c.Effective, c.Ambient = a, a, a, a
	return c
}

func TestRoot(t *testing.T) {
	const all = 1<<41 - 1
	c := cred.Root()
	want := cred.Cred{Permitted: all, Effective: all, Bounding: all, All: all}
	if d := c.Diff(want); d != nil {
		t.Errorf("Root differs in %v: %+v", d, c)
	}
}

// TestDiff changes one field of Cred after the other, by reflection, so that Diff cannot
// leave one out.
func TestDiff(t *testing.T) {
	base := cred.Root()
	if d := base.Diff(base); d != nil || !base.Equal(base) {
		t.Errorf("a value differs from itself in %v", d)
	}
	var every []string
	everything := base
	for i := range reflect.TypeFor[cred.Cred]().NumField() {
		field := reflect.TypeFor[cred.Cred]().Field(i)
		var value any
		switch field.Type {
		case reflect.TypeFor[uint32]():
			value = uint32(7)
		case reflect.TypeFor[[]uint32]():
			value = []uint32{7}
		case reflect.TypeFor[cred.Caps]():
			value = cred.Caps(7)
		case reflect.TypeFor[cred.Securebits]():
			value = cred.Securebits(7)
		case reflect.TypeFor[bool]():
			value = true
		case reflect.TypeFor[cred.UserNS]():
			value = cred.UserNS{Nested: true}
		default:
			t.Fatalf("%s has type %v, which this test does not know", field.Name, field.Type)
		}
		changed := base
		reflect.ValueOf(&changed).Elem().Field(i).Set(reflect.ValueOf(value))
		reflect.ValueOf(&everything).Elem().Field(i).Set(reflect.ValueOf(value))
		every = append(every, field.Name)
		if d := base.Diff(changed); !slices.Equal(d, []string{field.Name}) {
			t.Errorf("change of %s: Diff is %v", field.Name, d)
		}
		if base.Equal(changed) {
			t.Errorf("change of %s: Equal is true", field.Name)
		}
	}
	if d := base.Diff(everything); !slices.Equal(d, every) {
		t.Errorf("change of everything: Diff is %v, want %v", d, every)
	}

	one := cred.Cred{UserNS: cred.UserNS{Nested: true, UIDs: []cred.Extent{{0, 1, 2}}, GIDs: []cred.Extent{{0, 1, 2}}}}
	for _, other := range []cred.UserNS{
		{Nested: true, UIDs: []cred.Extent{{0, 1, 3}}, GIDs: []cred.Extent{{0, 1, 2}}},
		{Nested: true, UIDs: []cred.Extent{{0, 1, 2}}, GIDs: []cred.Extent{{0, 1, 3}}},
		{Nested: true, UIDs: []cred.Extent{{0, 1, 2}}, GIDs: []cred.Extent{{0, 1, 2}}, SetgroupsDenied: true},
	} {
		if one.Equal(cred.Cred{UserNS: other}) {
			t.Errorf("%+v and %+v are equal", one.UserNS, other)
		}
	}
	if !(cred.Cred{}).Equal(cred.Cred{Groups: []uint32{}}) {
		t.Error("no groups and an empty list of groups differ")
	}
}
