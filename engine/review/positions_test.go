package review

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"

	"caprun/policy"
)

// TestPositions checks damaged files against a ceiling: each finding is inside the
// text, is not empty unless something is missing there, and is reported once.
func TestPositions(t *testing.T) {
	ceiling := planOf(t, "P", "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\nenv: {keep: []}\nrlimits: {core: 0, nofile: 5}\nsecbits: [noroot]\nchroot: /srv/x\n")
	texts := readAll(t, "../../policy/testdata/ok/*.yaml", "../../policy/testdata/real/*.yaml", "../../policy/testdata/err/*.yaml")
	pieces := [...]string{
		"\n", "\r\n", "\r", "\t", " ", "é", "名", "\u2028", "\u0085", "\"", "'", ":", "- ", "[", "]", "{", "}", "#", "|\n", ">\n", "\xff", "\x00",
		"^", "!", "%", ",", "cap_setpcap", "caps: ", "lint: {ignore: [{rule: no-new-privs-missing, reason: x}]}\n", "lint: {ignore: [{rule: amounts-to-root, caps: [cap_chown, 21], reason: x}]}\n", "&a ", "*a", "\ufeff", "0", "\\", "---\n", "? ",
	}
	nothing := []string{"bad-encoding", "empty-file", "file-too-large", "missing-key", "null-value", "unknown-key"}
	g := rand.New(rand.NewPCG(7, 8))
	findings := 0
	for n := range len(texts) + 3000 {
		text := texts[n%len(texts)]
		if n >= len(texts) {
			text = texts[g.IntN(len(texts))]
			if len(text) > 8000 {
				continue
			}
			for range 1 + g.IntN(3) {
				at := g.IntN(len(text) + 1)
				switch g.IntN(4) {
				case 0:
					text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
				case 1:
					text = slices.Concat(text[:at], text[min(len(text), at+g.IntN(12)):])
				default:
					text = slices.Concat(text[:at], []byte(pieces[g.IntN(len(pieces))]), text[at:])
				}
			}
		}
		lines := bytes.Split(text, []byte("\n"))
		inside := func(line, column int) bool {
			return 1 <= line && line <= len(lines) && 1 <= column && column <= utf8.RuneCount(lines[line-1])+1
		}
		reported := map[policy.Diagnostic]bool{}
		for _, f := range Check("x", text, Options{Ceiling: ceiling}).Findings {
			findings++
			empty := f.EndLine == f.Line && f.EndColumn == f.Column
			backwards := f.EndLine < f.Line || f.EndLine == f.Line && f.EndColumn < f.Column
			if !inside(f.Line, f.Column) || !inside(f.EndLine, f.EndColumn) || backwards || empty && !slices.Contains(nothing, f.Rule) || reported[f.Diagnostic] {
				t.Fatalf("%+v of\n%q", f, text)
			}
			reported[f.Diagnostic] = true
		}
	}
	if findings < 5000 {
		t.Errorf("only %d findings", findings)
	}
}

// readAll returns the contents of the files that match patterns.
func readAll(t *testing.T, patterns ...string) [][]byte {
	t.Helper()
	var texts [][]byte
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
	}
	return texts
}
