package review

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// A capWord is a capability in the text of caps or iab.
type capWord struct {
	value          cap.Value
	offset, length int // in bytes
}

// capsWords calls see for each capability that a clause of caps names and
// gives, in their order. The text is one that policy accepted.
func capsWords(text string, see func(capWord)) {
	for begin := 0; begin < len(text); {
		end, space := len(text), 0
		if n := strings.IndexFunc(text[begin:], unicode.IsSpace); n >= 0 {
			end = begin + n
			_, space = utf8.DecodeRuneInString(text[end:])
		}
		if op := strings.IndexAny(text[begin:end], "=+-"); op >= 0 && text[begin+op] != '-' {
			for name := begin; name < begin+op; {
				length := begin + op - name
				if n := strings.IndexByte(text[name:begin+op], ','); n >= 0 {
					length = n
				}
				seeWord(text, name, name+length, see)
				name += length + 1
			}
		}
		begin = end + space
	}
}

// iabWords calls see for each capability that a text of iab makes
// inheritable, and ambient or not.
func iabWords(text string, see func(capWord)) {
	for begin := 0; begin < len(text); {
		end := len(text)
		if n := strings.IndexByte(text[begin:], ','); n >= 0 {
			end = begin + n
		}
		name := begin
		for name < end && strings.IndexByte("!^%", text[name]) >= 0 {
			name++
		}
		if marks := text[begin:name]; marks == "" || strings.Trim(marks, "!") != "" {
			seeWord(text, name, end, see)
		}
		begin = end + 1
	}
}

func seeWord(text string, begin, end int, see func(capWord)) {
	if v, err := cap.FromName(text[begin:end]); begin < end && text[begin:end] != "all" && err == nil {
		see(capWord{v, begin, end - begin})
	}
}

// eachCapWord calls see for each capability that caps and iab name and give,
// and where.
func eachCapWord(p *policy.Profile, see func(policy.Position, cap.Value)) {
	if p.Caps != nil {
		eachWordOf(p, "caps", see)
	}
	if p.IAB != nil {
		eachWordOf(p, "iab", see)
	}
}

// eachWordOf is eachCapWord for one of the two keys, which the profile has.
func eachWordOf(p *policy.Profile, key string, see func(policy.Position, cap.Value)) {
	seeAt := func(w capWord) { see(p.TextPosition(key, w.offset, w.length), w.value) }
	if key == "caps" {
		capsWords(*p.Caps, seeAt)
	} else {
		iabWords(*p.IAB, seeAt)
	}
}

// capsPosition returns where the one capability of caps is given, or the text
// that gives them all: that of caps, or else of iab.
func capsPosition(p *policy.Profile, caps cred.Caps) policy.Position {
	switch {
	case p.Caps != nil:
		return wordPosition(p, "caps", caps)
	case p.IAB != nil:
		return wordPosition(p, "iab", caps)
	}
	return policy.Position{}
}

// wordPosition returns where the text at key, which the profile has, gives the
// one capability of caps, or all of the text.
func wordPosition(p *policy.Profile, key string, caps cred.Caps) policy.Position {
	at := p.Position(key)
	eachWordOf(p, key, func(word policy.Position, v cap.Value) {
		if caps == cred.CapsOf(int(v)) {
			at = word
		}
	})
	return at
}
