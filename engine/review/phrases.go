package review

import (
	"fmt"
	"math/bits"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
)

// isMany reports whether there is more than one.
func isMany(caps cred.Caps) bool { return caps&(caps-1) != 0 }

// capNames returns the name of each capability, in the order of their numbers.
func capNames(caps cred.Caps) []string {
	names := make([]string, 0, bits.OnesCount64(uint64(caps)))
	for left := caps; left != 0; left &= left - 1 {
		names = append(names, cap.Value(bits.TrailingZeros64(uint64(left))).String())
	}
	return names
}

// fewNames names capabilities that the profile says elsewhere: their number
// where they are many.
func fewNames(caps cred.Caps) string {
	const few = 3
	if n := bits.OnesCount64(uint64(caps)); n > few {
		return fmt.Sprintf("%d capabilities", n)
	}
	return engine.CapNames(caps)
}

// pronoun stands for capabilities.
func pronoun(caps cred.Caps) string { return pronounFor(bits.OnesCount64(uint64(caps))) }

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
