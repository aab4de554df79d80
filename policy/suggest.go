package policy

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Suggest returns the candidate that word probably stands for, or "". It
// ignores case, and takes '-', '_' and spaces for the same.
func Suggest(word string, candidates []string) string {
	if len(word) > maxNameLength {
		return ""
	}
	word = plainName(word)
	best, bestDistance := "", 1+tolerance(word)
	begun, longer := "", 0
	for _, candidate := range candidates {
		plain := plainName(candidate)
		if len(word) > 2 && strings.HasPrefix(plain, word) {
			begun = candidate
			longer++
		}
		if d := distance(word, plain, bestDistance); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	if best == "" && longer == 1 {
		return begun
	}
	return best
}

// plainName returns a word in lower case, with '_' for '-' and spaces.
func plainName(word string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(word)))
}

// tolerance returns how many typing mistakes a word may have.
func tolerance(word string) int {
	switch {
	case len(word) < 3:
		return 0
	case len(word) < 6:
		return 1
	case len(word) < 10:
		return 2
	}
	return 3
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour that make b of a. It is limit for more than that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return min(row[len(b)], limit)
}

// meantItem is the hint for a suggestion in a list, where it may not occur
// twice.
func meantItem(word string, items []*yaml.Node) string {
	if hasItem(items, word) {
		return "remove it; " + word + " is in the list"
	}
	return didYouMean(word)
}

func hasItem(items []*yaml.Node, word string) bool {
	return slices.ContainsFunc(items, func(n *yaml.Node) bool { return isScalar(n) && n.Style&yaml.TaggedStyle == 0 && n.Value == word })
}

// didYouMean is the hint for a suggestion.
func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return "did you mean " + word + "?"
}
