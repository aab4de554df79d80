// Package language has the test of the project's language: words and phrases that
// read like a translation, and what to write instead.
package language

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
)

// root is the directory of the module.
const root = "../../.."

// read matches the files that people read.
var read = regexp.MustCompile(`\.(go|c|h|md|[15]|ya?ml|txt|txtar|out|golden|json|sarif|mod)$|(^|/)(Makefile|Dockerfile|bash|zsh|fish|\.ci/run)$`)

// readFiles calls visit with each file that people read, except this package's and
// the inputs of fuzz targets.
func readFiles(t *testing.T, visit func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		if d.IsDir() && (slices.Contains([]string{".git", "dist", "node_modules", "fuzz"}, d.Name()) || path == "internal/test/language") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() || !read.MatchString(path) {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		visit(path, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// flow is a text on a single line, without indentation and the marks of comments.
type flow struct {
	text  string
	lines []int // where each line starts
}

func newFlow(text string) flow {
	var f flow
	var b strings.Builder
	for line := range strings.Lines(text) {
		f.lines = append(f.lines, b.Len())
		line = strings.TrimSpace(line)
		for _, mark := range []string{"//", "#", "> ", "* "} {
			line = strings.TrimSpace(strings.TrimPrefix(line, mark))
		}
		b.WriteString(line + " ")
	}
	f.text = b.String()
	return f
}

// line returns the number of the line at an offset.
func (f flow) line(at int) int {
	return sort.Search(len(f.lines), func(n int) bool { return f.lines[n] > at })
}

// find returns the offsets of a phrase as whole words, in order. Its first letter may
// be a capital one.
func (f flow) find(phrase string) []int {
	var all []int
	for _, p := range []string{phrase, strings.ToUpper(phrase[:1]) + phrase[1:]} {
		for from := 0; ; {
			at := strings.Index(f.text[from:], p)
			if at < 0 {
				break
			}
			at += from
			from = at + len(p)
			if !joined(f.text, at) && !joined(f.text, from) {
				all = append(all, at)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// joined reports whether a word of the text continues at an offset.
func joined(text string, at int) bool {
	letter := func(c byte) bool {
		return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
	}
	return at > 0 && at < len(text) && letter(text[at-1]) && letter(text[at])
}

// TestTerms: no text has a term that the project does not use.
func TestTerms(t *testing.T) {
	files := 0
	readFiles(t, func(path, text string) {
		files++
		f := newFlow(text)
		list := terms
		if strings.HasSuffix(path, ".go") {
			list = slices.Concat(terms, identifiers)
		}
		for _, m := range list {
			if slices.ContainsFunc(m.except, func(e string) bool { return strings.HasPrefix(path, e) }) {
				continue
			}
			for phrase := range strings.SplitSeq(m.phrases, " | ") {
				for _, at := range f.find(phrase) {
					t.Errorf("%s:%d: %q: write %s", path, f.line(at), phrase, m.instead)
				}
			}
		}
	})
	if files < 500 {
		t.Errorf("only %d files were read", files)
	}
}

// TestFind: a phrase is found across lines and at the start of a sentence, and not
// inside another word.
func TestFind(t *testing.T) {
	f := newFlow("// It is kept for\n// ever. For ever.\n\tx := forever // for ever_\n# wait for\n# ever\n")
	var lines []int
	for _, at := range f.find("for ever") {
		lines = append(lines, f.line(at))
	}
	if want := []int{1, 2, 4}; !slices.Equal(lines, want) {
		t.Errorf("lines %v, want %v", lines, want)
	}
}
