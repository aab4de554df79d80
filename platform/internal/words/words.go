// Package words splits command lines into words, as a shell or Compose does.
//
// The package does no input or output. It takes time linear in the length of the text.
package words

import (
	"strings"
	"unicode/utf8"
)

// A Word is a word of a command line.
type Word struct {
	Text     string // without quotes and escapes
	From, To int    // its bytes in the command line

	// Expands reports that a shell replaces a part of the word, such as $HOME or *.
	// The text has that part unchanged.
	Expands bool

	// Quoted reports that the word has quotes or escapes.
	Quoted bool
}

// An Error is a command line that is not one command.
type Error struct {
	At      int // the byte
	Problem string
}

func (e *Error) Error() string { return e.Problem }

// MaxWords is the largest number of words. The kernel takes 2 MiB.
const MaxWords = 4096

// Split returns the words of a text that is one command of a shell: continuation lines and
// comments are allowed. It does not expand anything. The error is an *Error.
func Split(text string) ([]Word, error) {
	s := splitter{text: text, stop: -1}
	for s.at < len(text) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.end()
	return s.words, nil
}

type splitter struct {
	text  string
	at    int
	words []Word
	stop  int // where the command ended at a line break; -1 before

	open bool // a word is being read
	word Word
	b    strings.Builder
}

// end ends the word.
func (s *splitter) end() {
	if s.open {
		s.word.Text, s.word.To = s.b.String(), s.at
		s.words = append(s.words, s.word)
	}
	s.open, s.word = false, Word{}
	s.b.Reset()
}

// begin begins a word, unless one is open.
func (s *splitter) begin() error {
	if s.open {
		return nil
	}
	switch {
	case s.stop >= 0:
		return &Error{s.at, "a second command begins here"}
	case len(s.words) == MaxWords:
		return &Error{s.at, "the command has too many words"}
	}
	s.open, s.word.From = true, s.at
	return nil
}

// next reads a character, a quoted text or a comment.
func (s *splitter) next() error {
	c, rest := s.text[s.at], s.text[s.at:]
	switch {
	case strings.HasPrefix(rest, "\\\n"), strings.HasPrefix(rest, "\\\r\n"):
		s.at += strings.IndexByte(rest, '\n') + 1
		return nil
	case c == '\n':
		s.end()
		if len(s.words) > 0 {
			s.stop = s.at
		}
		s.at++
		return nil
	case c == ' ' || c == '\t' || c == '\r':
		s.end()
		s.at++
		return nil
	case c == '#' && !s.open:
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			s.at += n
		} else {
			s.at = len(s.text)
		}
		return nil
	case strings.IndexByte(";&|<>()", c) >= 0:
		return &Error{s.at, "the text is more than one command: it has " + string(c)}
	}
	if err := s.begin(); err != nil {
		return err
	}
	switch c {
	case '\'', '"':
		return s.quoted(c)
	case '\\':
		s.word.Quoted = true
		s.at++
		if s.at == len(s.text) {
			return &Error{s.at - 1, "the backslash escapes nothing"}
		}
	case '$', '`', '*', '?', '[':
		s.word.Expands = true
	case '~':
		s.word.Expands = s.word.Expands || s.b.Len() == 0
	}
	s.character()
	return nil
}

// character adds a character to the word.
func (s *splitter) character() {
	_, size := utf8.DecodeRuneInString(s.text[s.at:])
	s.b.WriteString(s.text[s.at : s.at+size])
	s.at += size
}

// quoted reads a text in quotes.
func (s *splitter) quoted(quote byte) error {
	from := s.at
	s.word.Quoted = true
	for s.at++; s.at < len(s.text); {
		c := s.text[s.at]
		switch {
		case c == quote:
			s.at++
			return nil
		case quote == '"' && c == '\\' && s.at+1 < len(s.text) && strings.IndexByte("\\\"$`\n", s.text[s.at+1]) >= 0:
			if s.at++; s.text[s.at] == '\n' {
				s.at++
				continue
			}
		case quote == '"' && (c == '$' || c == '`'):
			s.word.Expands = true
		}
		s.character()
	}
	return &Error{from, "missing closing quote"}
}

// SplitCompose returns the words of a command as Compose splits it, with package
// shellwords. rest is what it ignores silently, from an operator of a shell on. ok is false
// if Compose refuses the text.
func SplitCompose(text string) (list []string, rest string, ok bool) {
	var s composeSplitter
	for at, c := range text {
		switch s.next(c) {
		case refused:
			return nil, "", false
		case operator:
			// A number before > is the number of a descriptor.
			if word := s.b.String(); c == '>' && word != "" && '0' <= word[0] && word[0] <= '9' {
				s.open = false
			}
			s.end()
			return s.list, text[at:], !s.quoted() && !s.escaped
		}
	}
	s.end()
	return s.list, "", !s.quoted() && !s.escaped
}

// composeSplitter is the state of SplitCompose.
type composeSplitter struct {
	list []string
	b    strings.Builder
	open bool // a word is being read

	escaped, single, double, back, dollar bool // what the next character is inside of
}

// The results of a character.
const (
	accepted = iota
	refused
	operator
)

func (s *composeSplitter) quoted() bool { return s.single || s.double || s.back || s.dollar }

// end ends the word.
func (s *composeSplitter) end() {
	if s.open {
		s.list = append(s.list, s.b.String())
	}
	s.open = false
	s.b.Reset()
}

// add adds a character to the word.
func (s *composeSplitter) add(c rune) int {
	s.open = true
	s.b.WriteRune(c)
	return accepted
}

// next reads a character.
func (s *composeSplitter) next(c rune) int {
	switch {
	case s.escaped:
		s.escaped = false
		return s.add(c)
	case c == '\\' && !s.single:
		s.escaped = true
		return accepted
	case c == '\\':
		// It does not begin a word.
		s.b.WriteRune(c)
		return accepted
	case strings.ContainsRune(" \t\r\n", c):
		if s.quoted() {
			s.b.WriteRune(c)
		} else {
			s.end()
		}
		return accepted
	}
	switch c {
	case '`':
		if !s.single && !s.double && !s.dollar {
			s.back = !s.back
		}
	case ')':
		if !s.single && !s.double && !s.back {
			s.dollar = !s.dollar
		}
	case '(':
		if s.single || s.double || s.back {
			break
		}
		if s.dollar || !strings.HasSuffix(s.b.String(), "$") {
			return refused
		}
		s.dollar = true
		s.b.WriteRune(c)
		return accepted
	case '"':
		if !s.single && !s.dollar {
			s.open = s.open || s.double
			s.double = !s.double
			return accepted
		}
	case '\'':
		if !s.double && !s.dollar {
			s.open = s.open || s.single
			s.single = !s.single
			return accepted
		}
	case ';', '&', '|', '<', '>':
		if !s.quoted() {
			return operator
		}
	}
	return s.add(c)
}
