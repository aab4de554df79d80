package review

import (
	"fmt"
	"unicode"

	"caprun/engine"
	"caprun/policy"
)

// misleadingText reports values that are not what they look like. Text for readers
// only, such as the description, may have any characters.
func misleadingText(p *engine.Plan, report func(policy.Position, string, string)) {
	mislead := func(at policy.Position, what string, c rune) {
		report(at, fmt.Sprintf("%s contains U+%04X, %s", what, c, resemblance(c)), "retype the value")
	}
	gid := ""
	if p.Profile.GID != nil {
		gid = p.Profile.GID.Name
	}
	for _, key := range [...]struct{ name, text string }{{"user", p.Profile.User}, {"gid", gid}, {"chroot", p.Profile.Chroot}, {"cwd", p.Profile.Cwd}} {
		if c, ok := misleading(key.text); ok {
			mislead(p.Profile.Position(key.name), key.name, c)
		}
	}
	for n, g := range p.Profile.Groups {
		if c, ok := misleading(g.Name); ok {
			mislead(p.Profile.Position(fmt.Sprintf("groups[%d]", n)), "this group", c)
		}
	}
	for n, word := range p.Profile.Command {
		if c, ok := misleading(word); ok {
			mislead(argumentPosition(p, n), "this word", c)
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

// resemblance describes what a misleading character looks like.
func resemblance(c rune) string {
	if like := lookAlike(c); like != 0 {
		return fmt.Sprintf("which looks like the ASCII letter %c", like)
	}
	if unicode.Is(unicode.Zs, c) {
		return "which looks like an ASCII space"
	}
	return "which is invisible"
}

// misleading returns the first invisible character of a text, or the first that
// looks like an ASCII letter next to one. Emoji and some scripts need invisible
// characters; there they are accepted.
func misleading(text string) (c rune, ok bool) {
	const firstJoined = 0x590 // Latin, Greek, Cyrillic and Armenian come before and need no joiners
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
		case isInvisible(c) && (before < firstJoined || isInvisible(before)):
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

func isInvisible(c rune) bool {
	return unicode.In(c, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || c == 0x2800
}

// lookAlike returns the ASCII letter that a character looks like, or 0.
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
