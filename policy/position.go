package policy

import "strconv"

// A Position is a range of a file. Lines and columns count from 1, and columns
// count characters, not bytes or terminal cells. The end is the first character
// after the range. The zero value means unknown.
type Position struct {
	Line, Column       int
	EndLine, EndColumn int
}

// IsKnown reports whether p is not the zero value.
func (p Position) IsKnown() bool { return p.Line > 0 }

// String returns the beginning, as "9:7", or "-" if p is unknown.
func (p Position) String() string {
	if !p.IsKnown() {
		return "-"
	}
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// compare orders by beginning, then by end; unknown comes first.
func (p Position) compare(q Position) int {
	for _, d := range [...]int{p.Line - q.Line, p.Column - q.Column, p.EndLine - q.EndLine, p.EndColumn - q.EndColumn} {
		if d != 0 {
			return d
		}
	}
	return 0
}
