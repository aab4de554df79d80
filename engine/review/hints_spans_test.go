package review

import (
	"strings"

	"caprun/policy"

	"gopkg.in/yaml.v3"
)

// span returns the bytes of a position.
func span(text string, at policy.Position) (begin, end int, ok bool) {
	begin, end = offsetOf(text, at.Line, at.Column), offsetOf(text, at.EndLine, at.EndColumn)
	return begin, end, 0 <= begin && begin <= end
}

// offsetOf returns the byte at a line and a column, or -1.
func offsetOf(text string, line, column int) int {
	from := 0
	for range line - 1 {
		n := strings.IndexByte(text[from:], '\n')
		if n < 0 {
			return -1
		}
		from += n + 1
	}
	for range column - 1 {
		if from >= len(text) {
			return -1
		}
		from += len(string([]rune(text[from:min(from+4, len(text))])[:1]))
	}
	return from
}

// entryBegin returns where a key of a mapping begins, or an item of a list with its dash.
func entryBegin(text string, holder *yaml.Node, i int) int {
	n := holder.Content[i]
	at := offsetOf(text, n.Line, n.Column)
	if holder.Kind == yaml.SequenceNode && holder.Style&yaml.FlowStyle == 0 {
		return strings.LastIndexByte(text[:at], '-')
	}
	return at
}

// step returns how many nodes an entry has.
func step(holder *yaml.Node) int {
	if holder.Kind == yaml.MappingNode {
		return 2
	}
	return 1
}

// entrySpan returns the bytes of a key and its value, or of an item.
func entrySpan(text string, holder *yaml.Node, i int) (begin, end int) {
	begin = entryBegin(text, holder, i)
	switch next := i + step(holder); {
	case holder.Style&yaml.FlowStyle != 0:
		end = len(text)
		for n := range outside(text[begin:]) {
			if c := text[begin+n]; c == ',' {
				end = begin + n
				break
			}
		}
		// The closing bracket of the holder can come first.
		if n := closing(text[begin:end]); n >= 0 {
			end = begin + n
		}
	case next < len(holder.Content):
		end = entryBegin(text, holder, next)
	default:
		end = blockEnd(text, begin, holder)
	}
	return begin, begin + len(strings.TrimRight(text[begin:end], " \t\r\n"))
}

// closing returns the index of the first bracket that closes one opened before the text,
// or -1.
func closing(text string) int {
	depth, quote := 0, byte(0)
	for n := range len(text) {
		switch c := text[n]; {
		case quote != 0:
			if c == quote && text[n-1] != '\\' {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth < 0 {
				return n
			}
		}
	}
	return -1
}

// blockEnd returns where the last entry of a block ends: before the first line with less
// indentation.
func blockEnd(text string, begin int, holder *yaml.Node) int {
	indent := begin - (strings.LastIndexByte(text[:begin], '\n') + 1)
	dashes := holder.Kind == yaml.MappingNode
	end := begin
	for first := true; ; first = false {
		n := strings.IndexByte(text[end:], '\n')
		if n < 0 {
			return len(text)
		}
		if !first {
			line := text[end : end+n]
			bare := strings.TrimLeft(line, " ")
			has := len(line) - len(bare)
			// A list can have the indentation of its key.
			if bare != "" && (has < indent || has == indent && !(dashes && strings.HasPrefix(bare, "-"))) {
				return end
			}
		}
		end += n + 1
	}
}

// removeAt removes an entry. If it is the only one, {} or [] remains.
func (e *editor) removeAt(holder *yaml.Node, i int) bool {
	begin, end := entrySpan(e.text, holder, i)
	flow, next := holder.Style&yaml.FlowStyle != 0, i+step(holder)
	switch {
	case next < len(holder.Content):
		return e.splice(begin, entryBegin(e.text, holder, next), "")
	case flow && i > 0:
		_, begin = entrySpan(e.text, holder, i-step(holder))
		return e.splice(begin, end, "")
	case flow:
		return e.splice(begin, end, "")
	case i > 0:
		begin = strings.LastIndexByte(e.text[:begin], '\n') + 1
		if end < len(e.text) {
			end++
		}
		return e.splice(begin, end, "")
	case holder.Kind == yaml.SequenceNode:
		return e.splice(begin, end, " []")
	}
	return e.splice(begin, end, "{}")
}
