package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// position matches what stands before the message of a finding.
var position = regexp.MustCompile(`^(?:[^ :]+:)?\d+:\d+: `)

// printedMessages returns the messages in the golden files, which have values in
// place: the files of expected output, and those in test scripts that output is
// compared with.
func printedMessages(root string) ([]message, error) {
	var all []message
	for _, glob := range []string{"policy/testdata/*/*.out", "cmd/caprun/testdata/script/*.txtar"} {
		paths, err := filepath.Glob(filepath.Join(root, glob))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			text, err := readText(path)
			if err != nil {
				return nil, err
			}
			all = append(all, blocks(path, text)...)
		}
	}
	return distinct(all), nil
}

var (
	section  = regexp.MustCompile(`^-- (.*) --$`)
	compared = regexp.MustCompile(`(?m)^cmp std(?:out|err) (.*)$`)
)

// blocks splits output into messages: a line, and the indented lines that follow.
func blocks(path, text string) []message {
	script := strings.HasSuffix(path, ".txtar")
	output := map[string]bool{}
	for _, m := range compared.FindAllStringSubmatch(text, -1) {
		output[m[1]] = true
	}
	var all []message
	inside := !script
	for n, line := range strings.Split(text, "\n") {
		if m := section.FindStringSubmatch(line); script && m != nil {
			inside = output[m[1]]
			continue
		}
		switch {
		case !inside || strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, " ") && len(all) > 0:
			all[len(all)-1].text += "\n" + line
		default:
			all = append(all, message{fmt.Sprintf("%s:%d", path, n+1), position.ReplaceAllString(line, "")})
		}
	}
	return all
}
