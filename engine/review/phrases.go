package review

import (
	"fmt"
	"strings"

	"caprun/engine/cred"
)

// fewNames names capabilities that the profile says elsewhere: their number
// where they are many.
func fewNames(caps cred.Caps) string {
	const few = 3
	if n := caps.Len(); n > few {
		return fmt.Sprintf("%d capabilities", n)
	}
	return caps.String()
}

// pronoun stands for capabilities.
func pronoun(caps cred.Caps) string { return pronounFor(caps.Len()) }

// pronounFor stands for so many things.
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

// count says how many, as "1 file" or "2 files".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
