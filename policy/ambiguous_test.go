package policy

import (
	"strings"
	"testing"
)

// TestAmbiguous: a word that YAML 1.1 reads differently needs quotes in every
// place, and no other word does.
func TestAmbiguous(t *testing.T) {
	for word, other := range map[string]string{
		"yes": "true or false", "Off": "true or false", "N": "true or false",
		"=": "an error", "<<": "a merge key",
		"12:30": "base 60", "190:20:30": "base 60", "0:0": "base 60", "08:59": "base 60", "-1:30": "base 60", "+1:30": "base 60",
		"1_0:30": "base 60", "190:20:30.15": "base 60", "1:2.": "base 60", "33:33": "base 60",
		"2027-01-31 12:30:00 -5": "date and time", "2001-12-14t21:59:43.10-05:00": "date and time", "2001-12-15 2:59:43.10": "date and time",
		"2027-1-1 1:02:03 +01:00": "date and time", "2027-01-31  12:30:00": "date and time",

		"12:60": "", "12:300": "", ":12": "", "12:": "", "a:12": "", "12:a": "", "1.2:3": "", "_1:2": "", "1000:1000": "", "--1:30": "",
		"12:30:": "", "12:30 x": "", "==": "", "=ep": "", "<": "", "<<<": "", "on1": "", "1:2.x": "", "127.0.0.1:80": "",
		"::1": "", "1:2:3:4:5:6:7:8": "base 60", "2027-01-31 12:30": "", "2027-01-31 12:30:00 x": "", "2027-01-31 12:30:00 -5:1": "",
	} {
		for _, text := range []string{
			"version: 1\ncommand: [" + word + "]\n",
			"version: 1\ncommand:\n- " + word + "\n",
			"version: 1\nenv: {set: {A: " + word + "}}\n",
			"version: 1\ndescription: " + word + "\n",
			"version: 1\ncaps: " + word + "\n",
		} {
			var messages []string
			_, found := Parse("x.yaml", []byte(text))
			for _, d := range found {
				if d.Rule == "ambiguous-value" {
					messages = append(messages, d.Message)
					want := `write "` + word + `"`
					switch {
					case !strings.Contains(text, "caps"):
					case word == "=":
						want = `write caps: "="`
					default:
						// In quotes it is no text of capabilities either.
						want = "write names and flags, for example caps: cap_kill,cap_net_raw=eip"
					}
					if d.Hint != want {
						t.Errorf("%s: the hint is %q", text, d.Hint)
					}
				}
			}
			if (other != "") != (len(messages) == 1) || other != "" && !strings.Contains(messages[0], other) {
				t.Errorf("%sgives %q, want one with %q", text, messages, other)
			}
		}
		if quoted := "version: 1\ncommand: [\"" + word + "\"]\n"; other != "" {
			accepted(t, quoted)
		}
	}
	for _, text := range []string{"uid: 12:30\ngid: 1\n", "umask: 0:27\n", "rlimits: {cpu: 1:30}\n", "rlimits: {core: =}\n", "user: 33:33\n", "env: {keep: [=]}\n", "no_new_privs: =\n", "=: 1\n", "env: {set: {12:30: x}}\n"} {
		p, found := Parse("x.yaml", []byte("version: 1\n"+text))
		if p != nil || len(found) == 0 || found[0].Rule != "ambiguous-value" {
			t.Errorf("%s: %v", text, found)
		}
	}
	long := "1" + strings.Repeat(":1", 30000)
	_, found := Parse("x.yaml", []byte("version: 1\nname: "+long+"\n"))
	if len(found) != 1 || found[0].Hint != nameKind.hint || len(found[0].Message) > 400 {
		t.Errorf("a long number: %v", found)
	}
}
