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
		capsWords(*p.Caps, func(w capWord) { see(p.TextPosition("caps", w.offset, w.length), w.value) })
	}
	if p.IAB != nil {
		iabWords(*p.IAB, func(w capWord) { see(p.TextPosition("iab", w.offset, w.length), w.value) })
	}
}

// capsPosition returns where the one capability of caps is given, or the text
// that gives them all.
func capsPosition(p *policy.Profile, caps cred.Caps) policy.Position {
	key, text := "caps", p.Caps
	if text == nil {
		key, text = "iab", p.IAB
	}
	if text == nil {
		return policy.Position{}
	}
	at := p.Position(key)
	see := func(w capWord) {
		if caps == cred.CapsOf(int(w.value)) {
			at = p.TextPosition(key, w.offset, w.length)
		}
	}
	if key == "caps" {
		capsWords(*text, see)
	} else {
		iabWords(*text, see)
	}
	return at
}
