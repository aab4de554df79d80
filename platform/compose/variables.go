package compose

import "strings"

// maxVariables is the depth of variables in the defaults of variables.
const maxVariables = 8

// withDefaults returns a text as Compose reads it while no variable is set: ${NAME:-TEXT}
// and ${NAME-TEXT} stand for TEXT, and $$ for $. ok is false for a variable without a
// default, and for what Compose refuses.
func withDefaults(text string, depth int) (value string, ok bool) {
	if depth > maxVariables {
		return "", false
	}
	var b strings.Builder
	for at := 0; at < len(text); at++ {
		rest := text[at:]
		switch {
		case rest[0] != '$':
			b.WriteByte(rest[0])
		case strings.HasPrefix(rest, "$$"):
			b.WriteByte('$')
			at++
		case strings.HasPrefix(rest, "${"):
			end := closingBrace(rest)
			if end < 0 {
				return "", false
			}
			inner := strings.TrimLeft(rest[len("${"):end], nameCharacters)
			name := rest[len("${") : end-len(inner)]
			if name == "" || strings.Contains("0123456789", name[:1]) {
				return "", false
			}
			inner, ok := strings.CutPrefix(strings.TrimPrefix(inner, ":"), "-")
			if !ok {
				return "", false
			}
			inner, ok = withDefaults(inner, depth+1)
			if !ok {
				return "", false
			}
			b.WriteString(inner)
			at += end
		default:
			return "", false
		}
	}
	return b.String(), true
}

const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// closingBrace returns where the variable ends that begins a text, or -1. Compose counts
// each brace; it is -1 for one that does not begin a variable, too.
func closingBrace(text string) int {
	open := 0
	for at := 0; at < len(text); at++ {
		switch {
		case strings.HasPrefix(text[at:], "${"):
			open++
			at++
		case text[at] == '{':
			return -1
		case text[at] == '}':
			if open--; open == 0 {
				return at
			}
		}
	}
	return -1
}
