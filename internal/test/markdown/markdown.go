// Package markdown reads the pages of this repository for tests: their blocks,
// headings and links. It knows the part of Markdown that they use.
package markdown

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Pages returns the Markdown files below root, by their paths relative to it.
func Pages(t testing.TB, root string) []string {
	t.Helper()
	var pages []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return filepath.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".md":
			below, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			pages = append(pages, filepath.ToSlash(below))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// A Part is a block of a page, or what stands between two blocks, with their fences.
type Part struct {
	Kind string // Prose, Indented, or what the fence says, "unnamed" where it says nothing
	Text string // as it stands in the page
	Line int    // of its beginning
}

// The kinds of a Part without a fence.
const (
	Prose    = ""
	Indented = "indented"
)

// listLine is a line of a list item, in which an indented line is no block.
var listLine = regexp.MustCompile(`^( *([-*]|[0-9]+\.) |  )`)

// Split returns the parts of a page. Joined, their texts are the page.
func Split(page string) []Part {
	var parts []Part
	add := func(kind, text string, line int) {
		if len(parts) == 0 || parts[len(parts)-1].Kind != kind {
			parts = append(parts, Part{Kind: kind, Line: line})
		}
		parts[len(parts)-1].Text += text
	}
	fence, afterBlank, inList, n := "", true, false, 0
	for line := range strings.Lines(page) {
		n++
		blank := strings.TrimSpace(line) == ""
		word, isFence := strings.CutPrefix(line, "```")
		switch {
		case fence != "" && isFence:
			fence = ""
			add(Prose, line, n)
		case fence != "":
			add(fence, line, n)
		case isFence:
			if fence = strings.TrimSpace(word); fence == "" {
				fence = "unnamed"
			}
			add(Prose, line, n)
			parts = append(parts, Part{Kind: fence, Line: n + 1}) // also for an empty block
		case strings.HasPrefix(line, "    ") && !inList && (afterBlank || parts[len(parts)-1].Kind == Indented):
			add(Indented, line, n)
		default:
			add(Prose, line, n)
			if !blank {
				inList = listLine.MatchString(line)
			}
		}
		afterBlank = blank
	}
	return parts
}

// Anchors returns the anchors of the headings of a page, as GitHub makes them.
func Anchors(page string) []string {
	var anchors []string
	seen := map[string]int{}
	for _, p := range Split(page) {
		if p.Kind != Prose {
			continue
		}
		for line := range strings.Lines(p.Text) {
			if m := headingLine.FindStringSubmatch(line); m != nil {
				a := strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(linkText(m[1])), ""), " ", "-")
				if n := seen[a]; n > 0 {
					anchors = append(anchors, fmt.Sprintf("%s-%d", a, n))
				} else {
					anchors = append(anchors, a)
				}
				seen[a]++
			}
		}
	}
	return anchors
}

var (
	headingLine = regexp.MustCompile(`^#{1,6} +(.*?) *\n?$`)
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	link        = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)
	codeSpan    = regexp.MustCompile("`[^`]*`")
)

// linkText puts the text of a link in its place.
func linkText(s string) string { return link.ReplaceAllString(s, "$1") }

// Links returns the targets of the links of a page, in their order.
func Links(page string) []string {
	var targets []string
	for _, p := range Split(page) {
		if p.Kind != Prose {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(p.Text, "`"), -1) {
			targets = append(targets, m[2])
		}
	}
	return targets
}
