package policy

import (
	"fmt"
	"testing"
)

// TestCharacters: each forbidden character is reported once, raw and as each of its
// escapes. Other characters are not reported.
func TestCharacters(t *testing.T) {
	bad := []rune{0x85, 0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff, 0xfffe, 0xffff, 0x1ffff}
	for c := range rune(0xa0) {
		if c < 0x20 && c != '\t' && c != '\n' || c >= 0x7f && c != 0x85 {
			bad = append(bad, c)
		}
	}
	letters := map[rune]string{0: "0", '\a': "a", '\b': "b", '\v': "v", '\f': "f", '\r': "r", 0x1b: "e", 0x85: "N", 0x2028: "L", 0x2029: "P"}
	for _, c := range bad {
		spellings := []string{fmt.Sprintf("\\U%08x", c)}
		if c < 0x100 {
			spellings = append(spellings, fmt.Sprintf("\\x%02X", c))
		}
		if c < 0x10000 {
			spellings = append(spellings, string(c), fmt.Sprintf("\\u%04x", c))
		}
		if letter := letters[c]; letter != "" {
			spellings = append(spellings, "\\"+letter)
		}
		for _, spelling := range spellings {
			src := "version: 1\ndescription: \"é\\\"" + spelling + "x\"\n"
			p, diagnostics := Parse("x", []byte(src))
			want := Position{2, 18, 2, 18 + len([]rune(spelling))}
			if p != nil || len(diagnostics) != 1 || diagnostics[0].Rule != rules[badCharacter].Name || diagnostics[0].Position != want {
				t.Errorf("U+%04X as %q: %v", c, spelling, diagnostics)
			}
		}
	}
	accepted(t, "version: 1\ndescription: \"\\t\\n\\\\\\ \\_\\x41\\u00e9\\U0001f600 é日😀\u200b\\\n  x\"\n")
	for _, bad := range []string{"\\xZZ", "\\u12", "\\U0011ffff", "\\ud800"} {
		src := "version: 1\ndescription: \"" + bad + "\"\n"
		if p, diagnostics := Parse("x", []byte(src)); p != nil || len(diagnostics) == 0 {
			t.Errorf("accepted: %s", src)
		}
	}
}
