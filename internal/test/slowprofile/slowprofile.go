// Package slowprofile has profiles that could make a reader slow.
package slowprofile

import (
	"fmt"
	"strings"
)

// All returns files of the given size, each of a shape that could make a reader
// slow, by name. A file has at most the given number of parts, and then padding.
func All(size, parts int, padding string) map[string]string {
	const v = "version: 1\n"
	// fill repeats a part, whose %d counts.
	fill := func(head, part, tail string) string {
		var b strings.Builder
		b.WriteString(head)
		for n := 0; ; n++ {
			if n == parts {
				part = padding
			}
			next := part
			if strings.Contains(part, "%") {
				next = fmt.Sprintf(part, n)
			}
			if part == "" || b.Len()+len(next)+len(tail) > size {
				return b.String() + tail
			}
			b.WriteString(next)
		}
	}
	nested := func(n int, open, middle, closing string) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(closing, n)
	}
	escaped := strings.Repeat(`\x20`, 10)
	return map[string]string{
		"aliases on a line":           fill(v+"x: &a [1]\ny: [", "*a,", "]\n"),
		"long aliases on a line":      fill(v+"x: &a"+strings.Repeat("a", 500)+" [1]\ny: [", "*a"+strings.Repeat("a", 500)+",", "]\n"),
		"spaced aliases":              fill(v+"x: &a [1]\ny: [", "*a ,", "]\n"),
		"aliases as keys":             fill(v+"x: &a b\ny: {", "*a : 1,", "}\n"),
		"aliases a line":              fill(v+"x: &a [1]\ny:\n", "- *a\n", ""),
		"aliases in lists":            fill(v+"x: &a [1]\ny: [", "[*a],", "]\n"),
		"aliases behind a word":       fill(v+"x: &a [1]\ny: [", "*a,", strings.Repeat("x", 20000)+"]\n"),
		"anchors on a line":           fill(v+"y: [", "&a%d x,", "]\n"),
		"one anchor on a line":        fill(v+"y: [", "&a 1,", "]\n"),
		"anchors without a value":     fill(v+"y: [", "&a,", "]\n"),
		"anchors and a word":          fill(v+"y: [", "&a [],", strings.Repeat("x", 20000)+"]\n"),
		"tags on a line":              fill(v+"y: [", "!a b,", "]\n"),
		"tags without a value":        fill(v+"y: [", "!a ,", "]\n"),
		"tagged lists":                fill(v+"y: [", "!a [],", "]\n"),
		"merge keys":                  fill(v+"x: &a {b: 1}\ny: {", "<<: *a,", "}\n"),
		"merge keys a line":           fill(v+"x: &a {b: 1}\n", "<<: *a\n", ""),
		"lists on a line":             fill(v+"groups: [", "[],", "]\n"),
		"mappings on a line":          fill(v+"groups: [", "{},", "]\n"),
		"lists that are not closed":   fill(v+"groups: [", "[ ", ""),
		"lists, then blanks":          fill(v+"groups: ["+strings.Repeat("[],", 8000), " ", "]\n"),
		"lists before a word":         v + "groups: [" + strings.Repeat("[],", 8000) + strings.Repeat(" ", 20000) + "x" + strings.Repeat(" ", 20000) + "]\n",
		"lists before comments":       fill(v+"groups: ["+strings.Repeat("[1\n],", 4000), "#\n", "]\n"),
		"empty lists before comments": fill(v+"command:\n", "- [\n#\n ]\n", ""),
		"blanks in lists":             fill(v+"groups: [", "[     ],", "]\n"),
		"commas":                      fill(v+"groups: [", ",", "]\n"),
		"pairs on a line":             fill(v+"groups: [", "a: b,", "]\n"),
		"question marks on a line":    fill(v+"groups: [", "? a,", "]\n"),
		"flow keys":                   fill(v+"env: {set: {", "A%d: b,", "}}\n"),
		"unknown keys on a line":      fill("{version: 1, ", "k%d: 1,", "}\n"),
		"unknown keys":                fill(v, "k%d: 1\n", ""),
		"long unknown keys":           fill(v, strings.Repeat("k", 900)+"%d: 1\n", ""),
		"one long key":                fill(v, "k", ": 1\n"),
		"long keys of 1000":           fill(v, "? "+strings.Repeat("k", 2000)+"%d\n: 1\n", ""),
		"same keys":                   fill(v, "uid: 1\n", ""),
		"same keys on a line":         fill("{version: 1, ", "uid: 1,", "}\n"),
		"same long keys":              fill(v, strings.Repeat("k", 500)+": 1\n", ""),
		"same keys below":             fill(v+"env:\n set:\n", "  A: b\n", ""),
		"quoted keys":                 fill(v, `"k%d": 1`+"\n", ""),
		"null keys":                   fill(v, "k%d:\n", ""),
		"null items":                  fill(v+"groups:\n", "-\n", ""),
		"null values on a line":       fill(v+"env: {set: {", "A%d: ,", "}}\n"),
		"ambiguous words":             fill(v+"command: [", "no,", "]\n"),
		"ambiguous keys":              fill(v+"env: {set: {", "y: 1,", "}}\n"),
		"nested lists":                v + "command: " + nested(15, "[", strings.Repeat("x,", 8000), "]") + "\n",
		"nested lists side by side":   fill(v+"command: [", nested(14, "[", "x", "]")+",", "]\n"),
		"nested mappings":             fill(v+"env: {", nested(10, "{a: ", "x", "}")+": 1,", "}\n"),
		"nested too deep":             v + "command: " + nested(9000, "[", "x", "]") + "\n",
		"nested blocks":               fill(v+"a:\n", " - b:\n    - c:\n       - d: %d\n", ""),
		"deep dashes":                 fill(v+"command:\n ", "- ", "x\n"),
		"bad bidirectional marks":     fill(v+"name: \"", "\u202e", "\"\n"),
		"control characters":          fill(v+"name: \"", "\x01", "\"\n"),
		"escapes":                     fill(v+"command: [\"", `\x01`, "\"]\n"),
		"escapes in items":            fill(v+"command: [", `"\x01",`, "]\n"),
		"escapes a line":              fill(v+"command:\n", `- "\u0007"`+"\n", ""),
		"carriage returns":            fill(v, "k%d: 1\r\n", ""),
		"carriage returns in a list":  fill(v+"groups: [", "x,\r\n", "]\r\n"),
		"lone carriage returns":       fill(v, "k%d: 1\r", ""),
		"empty lines":                 fill(v, "\r\n", ""),
		"tabs":                        fill(v+"groups: [", "[\t],", "]\n"),
		"tabs before a value":         fill(v+"name:", "\t", "x\n"),
		"tabs as indentation":         fill(v+"a:\n", "\tb: 1\n", ""),
		"a word of the largest size":  fill(v+"name: ", "x", "\n"),
		"words of the largest size":   fill(v+"name: ", "x ", "\n"),
		"a quoted text":               fill(v+"name: \"", "x", "\"\n"),
		"a quoted text that is open":  fill(v+"name: \"", "x", ""),
		"quotes":                      fill(v+"name: '", "''", "'\n"),
		"a block scalar":              fill(v+"name: |\n", "  x\n", ""),
		"a folded plain scalar":       fill(v+"name: x\n", "  x\n", ""),
		"block scalars":               fill(v, "k%d: |\n  x\n", ""),
		"folded items":                fill(v+"groups:\n", "- a\n  b\n", ""),
		"words é on a line":           fill(v+"groups: [", "é,", "]\n"),
		"words é":                     fill(v+"name: ", "é ", "\n"),
		"words é a line":              fill(v, "é%d: é\n", ""),
		"aliases and é":               fill(v+"x: &a [1] # é\ny: [", "*a,", "]\n"),
		"bad capabilities":            fill(v+"iab: \"", "^cap_kil,", "\"\n"),
		"bad capabilities in lint":    fill(v+"lint: {ignore: [", "{rule: x%d, reason: x, caps: [cap_kil]},", "]}\n"),
		"same ignored":                fill(v+"lint: {ignore: [", "{rule: x, reason: x},", "]}\n"),
		"same items":                  fill(v+"groups: [", "7,", "]\n"),
		"same names":                  fill(v+"env: {keep: [", "A,", "]}\n"),
		"conflicting names":           fill(v+"env: {unset: [A], keep: [", "A,", "]}\n"),
		"bad limits":                  fill(v+"rlimits: {", "x%d: 1,", "}\n"),
		"colons":                      fill(v, ": ", "\n"),
		"comments":                    fill(v, "#\n", ""),
		"a comment":                   fill(v, "#", "\n"),
		"comments behind keys":        fill(v, "k%d: 1 #\n", ""),
		"directives":                  fill("", "%%YAML 1.1\n", v),
		"documents":                   fill(v, "---\n", ""),
		"stars":                       fill(v+"name: ", "*", "\n"),
		"ampersands":                  fill(v+"name: ", "&", "\n"),
		"exclamation marks":           fill(v+"iab: ", "!a,", "\n"),
		"a tag":                       fill(v+"iab: !", "a", "\n"),
		"capabilities and blanks":     v + "iab: \"" + strings.Repeat("a,", 1900) + "\n" + strings.Repeat(" ", size-4000) + "b\"\n",
		"spaced capabilities":         fill(v+"caps: \"", "a=p"+escaped, "\"\n"),
		"a key and its blanks":        fill(v+"env:\n ? \"a\n"+strings.Repeat(" ", size/2)+"b\"\n : 1\n", " \"a b\": 1\n", ""),
		"a list behind each key":      fill(v, "k%d: [x\n ]\n", ""),
	}
}
