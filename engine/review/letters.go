package review

import (
	"fmt"
	"unicode"

	"caprun/engine"
	"caprun/policy"
)

// misleadingText finds words that are others than a reader sees: another file,
// another program. What is only read, as the description, may have any letters.
func misleadingText(p *engine.Plan, report func(policy.Position, string, string)) {
	mislead := func(at policy.Position, what string, c rune) {
		report(at, fmt.Sprintf("%s has U+%04X, %s: it is another than it seems", what, c, seems(c)), "type it anew")
	}
	for _, key := range [...]struct{ name, text string }{{"user", p.Profile.User}, {"chroot", p.Profile.Chroot}, {"cwd", p.Profile.Cwd}} {
		if c, ok := misleading(key.text); ok {
			mislead(p.Profile.Position(key.name), key.name, c)
		}
	}
	for n, word := range p.Profile.Command {
		if c, ok := misleading(word); ok {
			mislead(wordOf(p, n), "this word", c)
		}
	}
	if p.Profile.Env != nil {
		for name, value := range p.Profile.Env.Set {
			if c, ok := misleading(value); ok {
				mislead(p.Profile.Position("env.set."+name), "the value", c)
			}
		}
	}
}

// seems says what a reader takes a misleading character for.
func seems(c rune) string {
	if like := lookAlike(c); like != 0 {
		return fmt.Sprintf("which looks like %c of ASCII next to one of its letters", like)
	}
	if unicode.Is(unicode.Zs, c) {
		return "which looks like a space and is none to a shell"
	}
	return "which nobody sees"
}

// misleading returns the first character of a text that is not what it seems:
// one without a shape, or one that looks like a letter of ASCII next to such.
// Those without a shape have their place in emoji and in some scripts.
func misleading(text string) (c rune, ok bool) {
	const firstJoined = 0x590 // Latin, Greek, Cyrillic and Armenian come before, and need none
	ascii := 0
	for ascii < len(text) && text[ascii] < 0x80 {
		ascii++
	}
	if ascii == len(text) {
		return 0, false
	}
	runes := []rune(text)
	for i, c := range runes {
		before, after := rune(' '), rune(' ')
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		switch {
		case c < 0x80:
		case isShapeless(c) && (before < firstJoined || isShapeless(before)):
			return c, true
		case unicode.Is(unicode.Zs, c):
			return c, true
		case lookAlike(c) != 0 && (isLetter(before) || isLetter(after)):
			return c, true
		}
	}
	return 0, false
}

func isLetter(c rune) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80 }

func isShapeless(c rune) bool {
	return unicode.In(c, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || c == 0x2800
}

// lookAlike returns the letter of ASCII that one of another script looks like,
// or 0.
func lookAlike(c rune) rune {
	const others, ascii = "аеорсухіјѕһԁԛԝАВЕКМНОРСТХІЈЅοΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijshdqwABEKMHOPCTXIJSoABEZHIKMNOPTYX"
	if 0xff21 <= c && c <= 0xff5a {
		return c - 0xff21 + 'A'
	}
	at := 0
	for _, other := range others {
		if other == c {
			return rune(ascii[at])
		}
		at++
	}
	return 0
}
