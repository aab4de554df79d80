package cmdline

import (
	"slices"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"
)

// flags reads the flags before the image, and returns the words from the image on.
func (r *runner) flags(rest []word) ([]word, *problem) {
	for len(rest) > 0 {
		w := rest[0]
		switch {
		case w.Text == "--":
			return rest[1:], nil
		case w.Text == "-" || !strings.HasPrefix(w.Text, "-"):
			if w.Expands {
				return nil, &problem{w, "write the value", "a shell expands " + quote(w.Text) + ", which can be flags or the image"}
			}
			return rest, nil
		}
		rest = rest[1:]
		var p *problem
		if strings.HasPrefix(w.Text, "--") {
			rest, p = r.long(w, rest)
		} else {
			rest, p = r.short(w, rest)
		}
		if p != nil {
			return nil, p
		}
	}
	return nil, nil
}

// long reads a flag such as --user=1 or --user 1.
func (r *runner) long(w word, rest []word) ([]word, *problem) {
	name, value, has := strings.Cut(strings.TrimPrefix(w.Text, "--"), "=")
	f := flag{name: name, value: value, at: w.at, expands: w.Expands}
	switch {
	case isSwitch(name):
		if !has {
			f.value = "true"
		}
	case !hasValue(name):
		hint := ""
		if meant := policy.Suggest(name, slices.Concat(privilegeFlags[:], privilegeSwitches[:], flagsWithValue[:], flagsWithoutValue[:])); meant != "" {
			hint = "did you mean --" + meant + "?"
		}
		return nil, &problem{w, hint, "unknown flag " + quote("--"+name)}
	case !has:
		if len(rest) == 0 {
			return nil, &problem{w, "add a value", "the flag --" + name + " has no value"}
		}
		f.value, f.expands = rest[0].Text, rest[0].Expands
		f.at = joined(w, rest[0])
		rest = rest[1:]
	}
	r.flag(f)
	return rest, nil
}

// joined returns a flag and its value in the next word as one declaration.
func joined(w, next word) declared.Source {
	at := w.at
	at.Text += " " + next.at.Text
	at.EndLine, at.EndColumn = next.at.EndLine, next.at.EndColumn
	return at
}

// short reads flags such as -it, -u1 or -u 1.
func (r *runner) short(w word, rest []word) ([]word, *problem) {
	for text := w.Text[1:]; text != ""; {
		name := shortFlag(text[0])
		if name == "" {
			return nil, &problem{w, "", "unknown flag " + quote("-"+text[:1])}
		}
		text = text[1:]
		if isSwitch(name) {
			value := "true"
			if after, ok := strings.CutPrefix(text, "="); ok {
				value, text = after, ""
			}
			r.flag(flag{name: name, value: value, at: w.at, expands: w.Expands})
			continue
		}
		f := flag{name: name, value: strings.TrimPrefix(text, "="), at: w.at, expands: w.Expands}
		if text == "" {
			if len(rest) == 0 {
				return nil, &problem{w, "add a value", "the flag -" + string(w.Text[len(w.Text)-1]) + " has no value"}
			}
			f.value, f.expands, f.at = rest[0].Text, rest[0].Expands, joined(w, rest[0])
			rest = rest[1:]
		}
		r.flag(f)
		return rest, nil
	}
	return rest, nil
}

// shortFlag returns the name of a short form, or "".
func shortFlag(letter byte) string {
	for _, f := range shortFlags {
		if f.letter == letter {
			return f.name
		}
	}
	return ""
}

func isSwitch(name string) bool {
	return slices.Contains(flagsWithoutValue[:], name) || slices.Contains(privilegeSwitches[:], name)
}

func hasValue(name string) bool {
	return slices.Contains(flagsWithValue[:], name) || slices.Contains(privilegeFlags[:], name)
}
