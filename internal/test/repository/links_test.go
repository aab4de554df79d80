package repository

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/markdown"
)

// An anchor is a heading of a page; the page is relative to the repository.
type anchor struct{ page, name string }

// broken reports what is wrong with a link of a page, if it leads to a file of the
// repository.
func broken(from, link string, anchors map[anchor]bool) string {
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return err.Error()
	case u.IsAbs():
		return ""
	case path.IsAbs(u.Path):
		return "a link within the repository is relative"
	}
	to := from
	if u.Path != "" {
		to = path.Join(path.Dir(from), u.Path)
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(to))); err != nil || to == ".." || strings.HasPrefix(to, "../") {
		return "missing file " + to
	}
	if u.Fragment != "" && !anchors[anchor{to, u.Fragment}] {
		return fmt.Sprintf("missing heading %q in %s", u.Fragment, to)
	}
	return ""
}

// readPages returns the text of each page, and the anchors of all of them.
func readPages(t *testing.T) (pages map[string]string, anchors map[anchor]bool) {
	t.Helper()
	pages, anchors = map[string]string{}, map[anchor]bool{}
	for _, page := range markdown.Pages(t, root) {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		pages[page] = string(text)
		for _, name := range markdown.Anchors(string(text)) {
			anchors[anchor{page, name}] = true
		}
	}
	return pages, anchors
}

// TestLinks: every link of a page to a file or a heading of this repository leads there.
func TestLinks(t *testing.T) {
	pages, anchors := readPages(t)
	links := 0
	for page, text := range pages {
		for _, link := range markdown.Links(text) {
			links++
			if problem := broken(page, link, anchors); problem != "" {
				t.Errorf("%s: %s: %s", page, link, problem)
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links were found", links)
	}
}

// TestBrokenLinks shows which links are reported.
func TestBrokenLinks(t *testing.T) {
	anchors := map[anchor]bool{{"docs/check.md", "json"}: true, {"README.md", "commands"}: true}
	for _, c := range []struct{ from, link, want string }{
		{"README.md", "docs/check.md", ""},
		{"README.md", "docs/check.md#json", ""},
		{"README.md", "#commands", ""},
		{"README.md", "docs", ""},
		{"docs/check.md", "../README.md#commands", ""},
		{"README.md", "https://example.org/nowhere", ""},
		{"README.md", "docs/nowhere.md", "missing file docs/nowhere.md"},
		{"docs/check.md", "docs/check.md", "missing file docs/docs/check.md"},
		{"README.md", "../README.md", "missing file ../README.md"},
		{"README.md", "/docs/check.md", "a link within the repository is relative"},
		{"README.md", "docs/check.md#nowhere", `missing heading "nowhere" in docs/check.md`},
		{"README.md", "#json", `missing heading "json" in README.md`},
	} {
		if got := broken(c.from, c.link, anchors); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.link, c.from, got, c.want)
		}
	}
}

// TestIndex: docs/README.md links to every page of docs; the pages of rules have
// an index of their own.
func TestIndex(t *testing.T) {
	pages, _ := readPages(t)
	for _, dir := range []string{"docs", "docs/rules"} {
		var linked []string
		for _, link := range markdown.Links(pages[dir+"/README.md"]) {
			file, _, _ := strings.Cut(link, "#")
			linked = append(linked, path.Join(dir, file))
		}
		for page := range pages {
			if path.Dir(page) == dir && path.Base(page) != "README.md" && !slices.Contains(linked, page) {
				t.Errorf("%s/README.md has no link to %s", dir, page)
			}
		}
	}
}

// TestReaders: each page of docs begins with whom it is for.
func TestReaders(t *testing.T) {
	pages, _ := readPages(t)
	for page, text := range pages {
		if path.Dir(page) != "docs" || path.Base(page) == "README.md" {
			continue
		}
		title, rest, _ := strings.Cut(text, "\n\n")
		if !strings.HasPrefix(title, "# ") || !strings.HasPrefix(rest, "For ") {
			t.Errorf("%s: the first words after the title are not: For ...", page)
		}
	}
}
