package policy

import (
	"reflect"
	"testing"
)

// TestColumns: a text in ASCII has no index of columns. Its positions are those of a
// text with an index, which differs only in a comment on the last line.
func TestColumns(t *testing.T) {
	for _, text := range []string{"", "\n", "a", "ab\n", "a: b\r\nc: d\n\n  e: f", "\n\n\nlast line: 1"} {
		s, indexed := newSource([]byte(text+"\n#.")), newSource([]byte(text+"\n#é"))
		if s.columns != nil || indexed.columns == nil {
			t.Fatalf("%q: an index: %v, %v", text, s.columns != nil, indexed.columns != nil)
		}
		for from := range len(text) + 2 {
			for to := from; to < len(text)+2; to++ {
				if got, want := s.span(from, to), indexed.span(from, to); got != want {
					t.Errorf("%q, %d to %d: %v, want %v", text, from, to, got, want)
				}
			}
		}
		for line := range 8 {
			for column := range 20 {
				got, want := s.offset(line, column), indexed.offset(line, column)
				if past := len(text) + 3; got != want && (got < past || want < past) {
					t.Errorf("%q: %d:%d is byte %d, want %d", text, line, column, got, want)
				}
			}
		}
	}
}

// TestReadIsParse: Read returns what Parse returns.
func TestReadIsParse(t *testing.T) {
	for _, dir := range []string{"ok", "err"} {
		for path, src := range profiles(t, dir) {
			p, found := Parse(path, src)
			q, again := Read(path, src)
			if !reflect.DeepEqual(p, q) || !reflect.DeepEqual(found, again) {
				t.Errorf("%s: Parse reports %v, Read %v", path, found, again)
			}
		}
	}
}
