package report

import (
	"bytes"
	"strings"
)

// HeadSize is how many bytes of a file IsReport needs.
const HeadSize = 2 << 10

// IsReport reports whether a file that begins with head is an older report, in any format,
// or empty.
func IsReport(head []byte) bool {
	switch text := string(head); {
	case text == "":
		return true
	case strings.HasPrefix(text, "<!DOCTYPE html>"):
		return bytes.Contains(head, []byte(`<meta name="generator" content="caprun report"/>`))
	case strings.HasPrefix(text, "{"):
		return strings.HasPrefix(text, "{\n  \"version\": 1,\n  \"base\": ")
	default:
		count, rest, _ := strings.Cut(text, " ")
		return count != "" && strings.Trim(count, "0123456789") == "" && (strings.HasPrefix(rest, "profile:") || strings.HasPrefix(rest, "profiles:"))
	}
}
