package main

import (
	"bytes"
	"testing"

	"caprun/internal/render"
	"caprun/learn"
	"caprun/learn/classify"
	"caprun/learn/evidence"
	"caprun/policy"
)

// TestLearnResultUser: the report names the user of the profile that is the result, and how
// to get the other profile.
func TestLearnResultUser(t *testing.T) {
	const caller = "The profile does not set a user: the program starts as the caller, here uid 0."
	uid := uint32(33)
	one := func() *learn.Report {
		r := &learn.Report{}
		r.First.State = learn.Confirmed
		r.First.Base = evidence.Base{Profile: &policy.Profile{}}
		return r
	}
	two := func(named bool, state learn.State) *learn.Report {
		r := one()
		r.Named, r.Second = named, &learn.Pass{State: state, Identity: &learn.Identity{UID: 33, GID: 34}}
		r.Second.Base = evidence.Base{Profile: &policy.Profile{UID: &uid}}
		r.Change = r.Second.Identity
		return r
	}
	for name, test := range map[string]struct {
		report           *learn.Report
		written, printed bool
		want             string
	}{
		"one":           {one(), true, false, caller + " To learn for another user, add -uid USER.\nThe profile is in p.yaml.\n"},
		"one, printed":  {one(), false, true, caller + " To learn for another user, add -uid USER.\n"},
		"none":          {&learn.Report{}, false, false, ""},
		"named":         {two(true, learn.Confirmed), true, false, "The profile of the start as uid 33 is in p.yaml.\nTo get the profile of the start as uid 0, leave out -uid.\n"},
		"named, fails":  {two(true, learn.DoesNotWork), false, false, "To get the profile of the start as uid 0, leave out -uid.\n"},
		"named, stdout": {two(true, learn.Confirmed), false, true, "The profile of the start as uid 33 follows on the standard output.\nTo get the profile of the start as uid 0, leave out -uid.\n"},
		"auto, first":   {two(false, learn.Confirmed), true, false, caller + "\nThe profile of the start as uid 0 is in p.yaml.\nThe profile of the start as uid 33 does not only grant less; to get it, pass -uid 33:34.\n"},
		"auto, fails":   {two(false, learn.DoesNotWork), false, true, caller + "\nThe profile of the start as uid 0 follows on the standard output.\nThe profile of the start as uid 33 is not confirmed.\n"},
	} {
		var b bytes.Buffer
		p := learnPrinter{Command: &Command{Env: render.Env{Stderr: &b}}}
		p.options.out = "p.yaml"
		p.reportResult(test.report, test.written, test.printed)
		if b.String() != test.want {
			t.Errorf("%s:\n%swant\n%s", name, b.String(), test.want)
		}
	}
	// With -uid auto, what to add is not repeated.
	r := one()
	var b bytes.Buffer
	p := learnPrinter{Command: &Command{Env: render.Env{Stderr: &b}}}
	p.options.uid.auto = true
	if p.reportUser(r, true); b.String() != caller+"\n" {
		t.Errorf("-uid auto: %s", b.String())
	}
	b.Reset()
	r.First.Base.Profile.User = "web"
	p.options.uid.auto = false
	if p.reportResult(r, false, true); b.Len() > 0 {
		t.Errorf("a profile with a user: %s", b.String())
	}
}

// TestLearnWhyNoUser: what -uid auto says about a program without exactly one other user.
func TestLearnWhyNoUser(t *testing.T) {
	ids := func(uids ...uint32) (list []classify.Identity) {
		for _, uid := range uids {
			list = append(list, classify.Identity{UID: uid})
		}
		return list
	}
	for want, in := range map[string]evidence.Input{
		"the program never changes its user":                                                              {Identities: ids(0)},
		"the program changes to uid 33 and 34; pass -uid UID:GID for one of them":                         {Identities: ids(33, 34, 33)},
		"the program changes to uid 1, 2 and 3; pass -uid UID:GID for one of them":                        {Identities: ids(1, 2, 3)},
		"the program changes to uid 33, but the gid is unknown; pass -uid 33:GID":                         {Identities: ids(33, 33)},
		"caprun found no process of the first run with another user; pass -uid UID:GID":                   {Untraced: "-no-trace"},
		"events of the first run were lost, and the others show no change of the user; pass -uid UID:GID": {Reference: evidence.Run{Lost: 1}},
	} {
		if why, more := whyNoUser(&learn.Pass{Evidence: in}); why+more != want {
			t.Errorf("%s%s, want %s", why, more, want)
		}
	}
}
