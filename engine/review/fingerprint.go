package review

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"strconv"
	"unicode/utf16"
)

// lineHashes returns the hash of each line of a text that GitHub's code
// scanning knows a finding by. Its upload action computes the same from the
// file and warns about another: a polynomial over the 100 characters from the
// beginning of the line that are no blanks, and how many lines before it had
// the same. https://github.com/github/codeql-action, src/fingerprints.ts
func lineHashes(source []byte) []string {
	const (
		block = 100
		base  = 37
		eof   = 0xffff
	)
	var units []uint16
	var starts []int
	lineStart, afterCR := true, false
	for _, c := range append(utf16.Encode([]rune(string(source))), eof) {
		if c == ' ' || c == '\t' || c == '\n' && afterCR {
			afterCR = false
			continue
		}
		if afterCR = c == '\r'; afterCR {
			c = '\n'
		}
		if lineStart {
			starts = append(starts, len(units))
		}
		lineStart = c == '\n'
		units = append(units, c)
	}
	units = append(units, make([]uint16, block)...)

	var hash, highest uint64 = 0, 1
	for i := range block {
		hash = hash*base + uint64(units[i])
		if i > 0 {
			highest *= base
		}
	}
	hashes := make([]string, 0, len(starts))
	seen := map[uint64]int{}
	at := 0
	for _, start := range starts {
		for ; at < start; at++ {
			hash = (hash-highest*uint64(units[at]))*base + uint64(units[at+block])
		}
		seen[hash]++
		hashes = append(hashes, strconv.FormatUint(hash, 16)+":"+strconv.Itoa(seen[hash]))
	}
	return hashes
}

// fingerprints names the findings of one file so that they keep their names
// when lines move.
type fingerprints struct {
	lines  [][]byte
	hashes []string
	names  map[ruleLine][16]byte
	seen   map[[16]byte]int // by name
}

// A ruleLine is what the findings of a rule in a line have in common.
type ruleLine struct {
	rule string
	line int
}

func newFingerprints(source []byte) *fingerprints {
	return &fingerprints{bytes.Split(source, []byte("\n")), lineHashes(source), map[ruleLine][16]byte{}, map[[16]byte]int{}}
}

// of returns the fingerprints of the next finding of the file: what GitHub
// takes, and one that only the rule and the line itself decide.
func (p *fingerprints) of(f Finding) map[string]string {
	line := max(f.Line, 1)
	// A long line with many findings is read once.
	name, ok := p.names[ruleLine{f.Rule, line}]
	if !ok {
		var text []byte
		if line <= len(p.lines) {
			text = bytes.TrimSpace(p.lines[line-1])
		}
		name = hash128("%s\x00%s", f.Rule, text)
		p.names[ruleLine{f.Rule, line}] = name
	}
	p.seen[name]++
	prints := map[string]string{"caprunFinding/v1": fmt.Sprintf("%x", hash128("%s%d", name[:], p.seen[name]))}
	if line <= len(p.hashes) {
		prints["primaryLocationLineHash"] = p.hashes[line-1]
	}
	return prints
}

func hash128(format string, args ...any) [16]byte {
	sum := fnv.New128a()
	fmt.Fprintf(sum, format, args...)
	return [16]byte(sum.Sum(nil))
}
