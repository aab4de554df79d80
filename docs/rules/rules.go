// Package rules holds the page of each rule about profiles: why it is there,
// examples, and how to fix what it finds.
//
// The package serves the command. Its Go API may change in any release.
package rules

import "embed"

//go:embed *.md
var files embed.FS

// Page returns the page of a rule in Markdown. ok is false if there is none.
func Page(name string) (text string, ok bool) {
	b, err := files.ReadFile(name + ".md")
	return string(b), err == nil
}
