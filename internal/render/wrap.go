package render

import "strings"

// wrap breaks text at spaces into lines of at most width characters. It also breaks a
// word longer than half a line at its commas.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		parts := []string{word}
		if len(word) > width/2 {
			parts = strings.SplitAfter(word, ",")
		}
		for n, part := range parts {
			gap := ""
			if n == 0 && line != "" {
				gap = " "
			}
			if line != "" && len(line)+len(gap)+len(part) > width {
				lines = append(lines, line)
				line, gap = "", ""
			}
			line += gap + part
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// wrapList breaks a list at its commas.
func wrapList(list string, width int) []string {
	var lines []string
	line := ""
	for part := range strings.SplitAfterSeq(list, ",") {
		if line != "" && len(line)+len(part) > width {
			lines = append(lines, line)
			line = ""
		}
		line += part
	}
	return append(lines, line)
}

// at returns line n, or "" after the last.
func at(lines []string, n int) string {
	if n < len(lines) {
		return lines[n]
	}
	return ""
}
