package kubernetes

import "strings"

// expand replaces references such as $(NAME) by the values of variables that the container
// declares, as Expand in third_party/forked/golang/expansion of Kubernetes does. $$ stands
// for $. A reference to what cannot be a variable stays unchanged. ok is false for a
// variable without a known value: it can be of envFrom or of a service.
func (c *container) expand(text string) (expanded string, ok bool) {
	if !strings.Contains(text, "$") {
		return text, true
	}
	var b strings.Builder
	for at := 0; at < len(text); at++ {
		rest := text[at:]
		switch {
		case strings.HasPrefix(rest, "$$"):
			b.WriteByte('$')
			at++
			continue
		case !strings.HasPrefix(rest, "$("):
			b.WriteByte(text[at])
			continue
		}
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			b.WriteString("$(")
			at++
			continue
		}
		name := rest[len("$("):end]
		value, known := "", false
		if env := c.Profile.Env; env != nil {
			value, known = env.Set[name]
		}
		switch {
		case known:
			b.WriteString(value)
		case isName(name):
			return text, false
		default:
			b.WriteString(rest[:end+1])
		}
		if c.expanded+b.Len() > maxExpanded {
			return text, false
		}
		at += end
	}
	c.expanded += b.Len()
	return b.String(), true
}

// maxExpanded is the largest length of all texts of a container with the values of
// variables, in bytes: a profile is smaller.
const maxExpanded = 64 << 10

// isName reports whether Kubernetes accepts a name of a variable: IsEnvVarName.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == "" && !strings.Contains("0123456789", s[:1])
}
