package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/cputime"
	"caprun/internal/test/requires"
	"caprun/internal/test/slowprofile"
)

// TestHostileTexts: no shape of a file makes reading it slow. Code that scans a line or
// the file for each finding would take ten times as long.
func TestHostileTexts(t *testing.T) {
	// Half of the values that a file can have.
	const few = maxNodes/2 - 100
	for _, test := range []struct {
		name  string
		heavy bool // similar to another one
		texts map[string]string
	}{
		{"many", false, slowprofile.All(MaxSize, MaxSize, "")},
		{"few", false, slowprofile.All(MaxSize, few, "")},
		{"few, then blanks", true, slowprofile.All(MaxSize, few, " ")},
		{"few, then comments", true, slowprofile.All(MaxSize, few, "\n  #")},
		{"small", false, slowprofile.All(maxSearched, maxSearched, "")},
		{"small, and then blanks", true, slowprofile.All(maxSearched, maxSearched/32, " ")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.heavy {
				requires.Heavy(t)
			}
			readHostile(t, test.texts)
		})
	}
}

func readHostile(t *testing.T, texts map[string]string) {
	const most = 100 * time.Millisecond
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		text := []byte(texts[name])
		if len(text) > MaxSize {
			t.Errorf("%s: %d bytes", name, len(text))
		}
		found := 0
		took := cputime.Least(t, most, func() {
			_, diagnostics := Read("x.yaml", text)
			found = len(diagnostics)
		})
		if took > most {
			t.Errorf("%s takes %v, with %d findings", name, took, found)
		}
		if took > most/4 {
			t.Logf("%-28s %3d findings %v", name, found, took)
		}
	}
}

// TestHostile: no file of the allowed size takes long. The limit is far above what each
// takes.
func TestHostile(t *testing.T) {
	lines := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, src := range map[string]string{
		"brackets": strings.Repeat("[", MaxSize), "braces": strings.Repeat("{a: ", MaxSize/4), "closed": strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"dashes": strings.Repeat("- ", MaxSize/2), "questions": strings.Repeat("? ", MaxSize/2), "colons": strings.Repeat(": ", MaxSize/2),
		"small brackets": strings.Repeat("[", maxSearched), "small braces": strings.Repeat("{a: ", maxSearched/4),
		"small keys": lines("k%d: 1\n", 900) + ":",
		"keys":       lines("k%d: 1\n", 7000), "same key": strings.Repeat("name: a\n", 8000), "long keys": lines("%060d: 1\n", 1000),
		"near keys": lines("descriptio%d: 1\n", 3500), "flow keys": "{" + lines("versio%d: 1, ", 4000) + "}",
		"anchors": lines("k%d: &a 1\n", 4000), "many anchors": lines("k%d: &a 1\n", 6000), "aliases": "a: &a 1\n" + lines("k%d: *a\n", 4000),
		"laughs": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
		"tags":   lines("k%d: !a 1\n", 4000),
		"items":  "groups: [" + strings.Repeat("1,", 30000) + "]",
		"wide é": "groups: [" + strings.Repeat("é,", 8000) + "]", "one line é": "{" + strings.Repeat("é: é, ", 3000) + "}",
		"names": "caps: " + strings.Repeat("cap_kil,", 500) + "=p", "clauses": "caps: " + strings.Repeat("cap_kill=p ", 360),
		"elements": "iab: " + strings.Repeat("^cap_kil,", 450),
		"scalar":   "description: " + strings.Repeat("x", 65000), "quoted": "description: \"" + strings.Repeat("\\u0001", 10000) + "\"",
		"lines": "description: \"" + strings.Repeat("\n", 65000) + "\"", "comments": strings.Repeat("#\n", MaxSize/2), "inline comments": lines("k%d: #c\n", 5000),
		"directives": strings.Repeat("%YAML 1.1\n", 6000), "documents": strings.Repeat("---\n", MaxSize/4), "controls": strings.Repeat("\x01", MaxSize),
		"bidi": strings.Repeat("\u202e", MaxSize/3), "nulls": lines("k%d:\n", 7000), "number": "uid: " + strings.Repeat("9", 65000), "env": "env:\n set:\n" + lines("  A%d: yes\n", 4000),
		"unset": "env: {set: {" + lines("A%d: b, ", 1000) + "}, unset: [" + lines("A%d, ", 1000) + "]}",
	} {
		if len(src) > MaxSize {
			src = src[:MaxSize]
		}
		begin := cputime.Used(t)
		p, diagnostics := Parse("x", []byte(src))
		if took := cputime.Used(t) - begin; took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		} else {
			t.Logf("%-16s %4d diagnostics %v", name, len(diagnostics), took)
		}
		if p != nil || len(diagnostics) == 0 {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, diagnostics := Parse("x", make([]byte, 64<<20)); len(diagnostics) != 1 || diagnostics[0].Rule != rules[fileTooLarge].Name {
		t.Error("64 MiB were read")
	}
}
