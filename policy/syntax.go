package policy

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// syntaxProblems explains the errors of yaml.v3, some of them by the character
// at fault.
var syntaxProblems = [...]struct {
	problem       string
	first         byte // 0 for any
	message, hint string
}{
	{"mapping values are not allowed in this context", 0, "unexpected colon: a key cannot begin here", "correct the indentation, or put a value that contains a colon and a space in quotes"},
	{"could not find expected ':'", 0, "this line is not a key with a value", "write KEY: VALUE, or indent the line to continue the value above"},
	{"did not find expected key", 0, "this is not a key of the mapping above", "indent all keys of a mapping equally"},
	{"did not find expected '-' indicator", 0, "this is not an item of the list above", "indent all items of a list equally"},
	{"did not find expected node content", 0, "missing value", ""},
	{"did not find expected ',' or ']'", 0, "missing comma or closing bracket in the list that begins here", ""},
	{"did not find expected ',' or '}'", 0, "missing comma or closing brace in the mapping that begins here", ""},
	{"found unexpected end of stream", 0, "missing closing quote", ""},
	{"found unexpected document indicator", 0, "missing closing quote before the end of the document", ""},
	{"found character that cannot start any token", '\t', "unexpected tab", "indent with spaces"},
	{"found character that cannot start any token", 0, "a value cannot begin with this character", "put the value in quotes"},
	{"found unknown escape character", 0, "unknown escape in double quotes", `use single quotes, or write \\ for a backslash`},
	{"did not find expected hexdecimal number", 0, "missing hexadecimal digits in an escape", ""},
	{"found invalid Unicode character escape code", 0, "invalid character in an escape", ""},
	{"block sequence entries are not allowed in this context", 0, "a list cannot begin here", "begin it on its own line, or write [A, B]"},
	{"mapping keys are not allowed in this context", 0, "a key cannot begin here", ""},
	{"found a tab character that violates indentation", 0, "indentation with a tab", "indent with spaces"},
	{"found a tab character where an indentation space is expected", 0, "indentation with a tab", "indent with spaces"},
	{"found an indentation indicator equal to 0", 0, "a block of text must be indented", ""},
	{"did not find expected comment or line break", 0, "unexpected text on this line", ""},
	{"did not find expected <document start>", 0, "unexpected text after the end of the document", ""},
	{"exceeded max depth of 10000", 0, "file is nested too deeply", "a profile has five levels"},
}

// reportSyntax reports an error of yaml.v3.
func (r *reader) reportSyntax(text []byte, err error) {
	problem := problemOf(err)
	from, to := r.locate(text, err)
	if anchor, ok := strings.CutPrefix(problem, "unknown anchor '"); ok {
		anchor = strings.TrimSuffix(anchor, "' referenced")
		if at := to - len(anchor) - 1; at >= 0 && text[at] == '*' {
			from = at
		}
		r.report(r.source.span(from, to), yamlFeature, "write the value, or put text that begins with * in quotes", "aliases are not allowed: *%s", anchor)
		return
	}
	if isTagProblem(problem) {
		if at := bytes.LastIndexByte(text[:to], '!'); at > bytes.LastIndexByte(text[:to], '\n') {
			from = at
		}
		r.report(r.source.span(from, r.source.wordEnd(from)), yamlFeature, "put text that begins with ! in quotes", "tags are not allowed")
		return
	}
	which, message, hint := badSyntax, "invalid YAML: "+problem, ""
	for _, known := range syntaxProblems {
		if known.problem == problem && (known.first == 0 || from < len(text) && text[from] == known.first) {
			message, hint = known.message, known.hint
			break
		}
	}
	if strings.HasPrefix(problem, "exceeded max depth") {
		which = tooComplex
	}
	r.report(r.source.span(from, to), which, hint, "%s", message)
}

// locate returns the bytes at fault. yaml.v3 often names the line of an outer
// value, and never a column. The character at fault is the last one of the
// shortest text with the same error.
func (r *reader) locate(text []byte, err error) (from, to int) {
	problem := problemOf(err)
	if len(text) > maxSearched || bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxBrackets {
		from = r.source.offset(lineOf(err), 1)
		return from, from + len(bytes.TrimRight(lineAt(text, from), "\r"))
	}
	ends := make([]int, 0, len(text))
	for at := 0; at < len(text); {
		_, size := utf8.DecodeRune(text[at:])
		at += size
		ends = append(ends, at)
	}
	n := sort.Search(len(ends), func(i int) bool {
		_, _, err := decode(text[:ends[i]])
		return err != nil && problemOf(err) == problem
	})
	if n == len(ends) {
		return 0, 0
	}
	to = ends[n]
	if n > 0 {
		from = ends[n-1]
	}
	if strings.HasPrefix(problem, "did not find expected ','") {
		// The shortest text has the bracket and something after it.
		before := bytes.TrimRight(text[:from], " \t\r\n")
		if len(before) > 0 && (before[len(before)-1] == '[' || before[len(before)-1] == '{') {
			return len(before) - 1, len(before)
		}
	}
	if text[to-1] == '\n' {
		to = from
	}
	return from, to
}

// lineAt returns the text from a byte to the end of its line.
func lineAt(text []byte, from int) []byte {
	line, _, _ := bytes.Cut(text[from:], []byte("\n"))
	return line
}

// problemOf returns the text of an error of yaml.v3 without "yaml: line 12: ".
func problemOf(err error) string {
	_, problem := parts(err)
	return problem
}

// lineOf returns the line that yaml.v3 names, or 1.
func lineOf(err error) int {
	line, _ := parts(err)
	return line
}

func parts(err error) (line int, problem string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, problem, ok := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); ok && err == nil {
			return line, problem
		}
	}
	return 1, text
}

// isTagProblem reports whether an error is about a word that begins with an
// exclamation mark, as the text of iab often does.
func isTagProblem(problem string) bool {
	switch problem {
	case "did not find expected whitespace or line break", "did not find expected tag URI",
		"did not find expected '!'", "did not find the expected '>'", "found undefined tag handle",
		"did not find URI escaped octet", "found an incorrect leading UTF-8 octet",
		"found an incorrect trailing UTF-8 octet":
		return true
	}
	return false
}
