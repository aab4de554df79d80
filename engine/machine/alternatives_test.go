package machine

import (
	"testing"

	"caprun/engine/cred"
)

func TestResolveFacts(t *testing.T) {
	suid := cred.File{Setuid: true, UID: 65534}
	sgid := cred.File{Setgid: true, GroupExec: true, GID: 65534}
	caps := cred.File{HasCaps: true, Permitted: 1 << 13}
	unmapped := func(f cred.File) cred.File { f.UID = cred.NoID; return f }
	foreign := func(f cred.File) cred.File { f.NoSuid = true; return f }
	for name, test := range map[string]struct {
		file         cred.File
		ours, owners answer
		expected     cred.File
		alternatives []cred.File
		asked        bool // for the owners
	}{
		"an ordinary file":             {cred.File{UID: 65534}, answerUnknown, answerUnknown, cred.File{UID: 65534}, nil, false},
		"set-group-ID without group x": {cred.File{Setgid: true}, answerUnknown, answerUnknown, cred.File{Setgid: true}, nil, false},
		"nosuid":                       {foreign(suid), answerUnknown, answerUnknown, foreign(suid), nil, false},
		"everything known":             {suid, answerYes, answerYes, suid, nil, true},
		"a foreign mount":              {suid, answerNo, answerUnknown, foreign(suid), nil, false},
		"an unmapped owner":            {suid, answerYes, answerNo, unmapped(suid), nil, true},
		"an owner not known":           {suid, answerYes, answerUnknown, suid, []cred.File{unmapped(suid)}, true},
		"a group not known":            {sgid, answerYes, answerUnknown, sgid, []cred.File{unmapped(sgid)}, true},
		"a mount not known":            {suid, answerUnknown, answerYes, suid, []cred.File{foreign(suid)}, true},
		"neither known":                {suid, answerUnknown, answerUnknown, suid, []cred.File{unmapped(suid), foreign(suid)}, true},
		"an unmapped owner, a mount":   {suid, answerUnknown, answerNo, unmapped(suid), []cred.File{foreign(unmapped(suid))}, true},
		"capabilities":                 {caps, answerUnknown, answerUnknown, caps, []cred.File{foreign(caps)}, false},
	} {
		asked := false
		got, alternatives := resolveFacts(test.file, test.ours, func() answer { asked = true; return test.owners })
		if got != test.expected || len(alternatives) != len(test.alternatives) || asked != test.asked {
			t.Errorf("%s: %+v, %+v, asked %v", name, got, alternatives, asked)
			continue
		}
		for n, a := range alternatives {
			if a.File != test.alternatives[n] || a.Unknown == "" || a.Hint == "" {
				t.Errorf("%s: alternative %d: %+v", name, n, a)
			}
		}
	}
}

// TestSameMount compares facts about a mount before and after a change of the root
// directory, after which less can be determined.
func TestSameMount(t *testing.T) {
	for _, test := range []struct {
		before, after mountFacts
		same          bool
	}{
		{mountFacts{7, answerYes}, mountFacts{7, answerYes}, true},
		{mountFacts{7, answerYes}, mountFacts{7, answerUnknown}, true},
		{mountFacts{7, answerNo}, mountFacts{7, answerUnknown}, true},
		{mountFacts{7, answerUnknown}, mountFacts{7, answerNo}, true},
		{mountFacts{7, answerYes}, mountFacts{7, answerNo}, false},
		{mountFacts{7, answerNo}, mountFacts{7, answerYes}, false},
		{mountFacts{7, answerYes}, mountFacts{8, answerYes}, false},
		{mountFacts{7, answerYes}, mountFacts{8, answerUnknown}, false},
		{mountFacts{7, answerYes}, mountFacts{0, answerUnknown}, false},
	} {
		if got := (fileState{mount: test.before}).same(fileState{mount: test.after}); got != test.same {
			t.Errorf("%v, then %v: %v", test.before, test.after, got)
		}
	}
}
