package evidence

import (
	"bytes"
	"strings"
	"testing"
)

// TestNotShown: nothing is proved if the test succeeds although the program has failed, or
// without it; the reason is in the table and in the profile.
func TestNotShown(t *testing.T) {
	for _, test := range []struct {
		scene  string
		change func(*Input)
		code   string // of the limit
		want   string
		proved bool
	}{
		{"nginx", func(in *Input) {
			in.Ended = &Exit{"exit status 1", true, "OSError: \"Address\" already\x1b in use"}
		}, "ended-with-failure", `ended by itself with exit status 1; its last line: "OSError: 'Address' already`, false},
		{"nothing", func(in *Input) { in.TestAlone = true }, "test-alone", "the test succeeded without the program", false},
		{"date", func(in *Input) { in.Ended = &Exit{Status: "exit status 0"} }, "ended", "ended by itself with exit status 0. The test after its end decided.", true},
	} {
		in := scenes()[test.scene].input(t)
		test.change(&in)
		r := Judge(in)
		var b bytes.Buffer
		if err := r.Table(&b); err != nil {
			t.Fatal(err)
		}
		checkLines(t, b.Bytes(), maxLine)
		text := strings.Join(strings.Fields(b.String()), " ")
		if r.Proved != test.proved || r.Limits[0].Code != test.code || !strings.Contains(text, test.want) || strings.Contains(text, "UNCONFIRMED") == test.proved {
			t.Errorf("%s: proved %v, %+v\n%s", test.scene, r.Proved, r.Limits, b.String())
		}
		checkLines(t, []byte(r.Profile), maxLine)
		if strings.Contains(r.Profile, "UNCONFIRMED") == test.proved || strings.Contains(r.Profile, "Note: In the first run") != (test.code == "ended-with-failure") {
			t.Errorf("%s:\n%s", test.scene, r.Profile)
		}
		for _, v := range r.Verdicts {
			if v.Kind == Needed && !test.proved {
				t.Errorf("%s: %+v", test.scene, v)
			}
		}
	}
}
