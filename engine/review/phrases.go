package review

import (
	"fmt"
	"strings"

	"caprun/engine/cred"
)

// namesOrCount returns the names of a few capabilities, or the number of many.
func namesOrCount(caps cred.Caps) string {
	const few = 3
	if n := caps.Len(); n > few {
		return fmt.Sprintf("%d capabilities", n)
	}
	return caps.String()
}

// pronoun returns the pronoun for capabilities.
func pronoun(caps cred.Caps) string { return pronounFor(caps.Len()) }

// pronounFor returns the pronoun for n things.
func pronounFor(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// enumeration joins words: "a", "a and b", "a, b and c".
func enumeration(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// count returns a number with its noun: "1 file", "2 files".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
