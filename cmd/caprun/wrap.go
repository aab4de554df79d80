package main

import "strings"

// wrap breaks text at spaces into lines of at most width characters.
func wrap(text string, width int) []string { return wrapWords(strings.Fields(text), " ", width) }

// wrapList breaks a list at its commas.
func wrapList(list string, width int) []string {
	if strings.Contains(list, ",") {
		return wrapWords(strings.Split(list, ","), ",", width)
	}
	return []string{list}
}

func wrapWords(words []string, sep string, width int) []string {
	var lines []string
	line := ""
	for n, word := range words {
		if sep != " " && n < len(words)-1 {
			word += sep
		}
		gap := ""
		if sep == " " && line != "" {
			gap = " "
		}
		if line != "" && len(line)+len(gap)+len(word) > width {
			lines = append(lines, line)
			line, gap = "", ""
		}
		line += gap + word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func at(lines []string, n int) string {
	if n < len(lines) {
		return lines[n]
	}
	return ""
}
