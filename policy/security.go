package policy

import (
	"slices"
	"strings"

	"caprun/cap"
)

func modeNames() []string {
	var names []string
	for _, m := range [...]cap.Mode{cap.ModeHybrid, cap.ModePure1EInit, cap.ModePure1E, cap.ModeNoPriv} {
		names = append(names, m.String())
	}
	return names
}

func (r *reader) readMode(f field) {
	s, ok := r.text(f.value, "mode")
	if !ok {
		return
	}
	mode, err := cap.ModeFromText(s)
	switch {
	case s == cap.ModeUncertain.String():
		r.reportAt(f.value, unknownMode, "modes to ask for: "+strings.Join(modeNames(), ", "), "%s is what a process can be in, and not what it can be told", s)
	case err != nil:
		hint := didYouMean(Suggest(s, modeNames()))
		if hint == "" {
			hint = "there are " + strings.Join(modeNames(), ", ")
		}
		r.reportAt(f.value, unknownMode, hint, "there is no mode %s", quote(s))
	default:
		r.profile.Mode = &mode
	}
}

func (r *reader) readKeyring(f field) {
	const inherit = "inherit"
	s, ok := r.text(f.value, "keyring")
	switch {
	case !ok:
	case s == inherit:
		r.profile.InheritKeyring = true
	default:
		r.reportAt(f.value, badKeyring, "remove the key: a target with another uid gets a new, empty session keyring", "invalid keyring %s: want %s", quote(s), inherit)
	}
}

// allSecbits are the bits that have names, each followed by its lock.
const allSecbits cap.Secbits = 1<<12 - 1

func (r *reader) readSecbits(f field) {
	names := allSecbits.Names()
	items, ok := r.items(f.value, "secbits", len(names))
	if !ok {
		return
	}
	var value cap.Secbits
	bits := newOnce[cap.Secbits](r)
	nodes := map[cap.Secbits]int{}
	for i, n := range items {
		s, ok := r.text(n, "a securebit")
		if !ok {
			continue
		}
		bit, err := cap.SecbitsFromName(s)
		switch {
		case err != nil || !slices.Contains(names, s):
			r.reportAt(n, unknownSecbit, didYouMean(Suggest(strings.TrimPrefix(plainName(s), "secbit_"), names)), "there is no securebit %s", quote(s))
			continue
		case bit == cap.SecbitKeepCaps:
			r.reportAt(n, keepCaps, "leave it out; caps says what the target holds", "exec clears keep_caps, so the target cannot have it")
			continue
		case !bits.first(n, bit, s):
			continue
		}
		r.place(item(f.path, i), nil, n)
		nodes[bit] = i
		value |= bit
	}
	const locks cap.Secbits = 0xaaa
	for bit, i := range nodes {
		if bit&locks == 0 || bit == cap.SecbitKeepCapsLocked || value&(bit>>1) != 0 {
			continue
		}
		without := (bit >> 1).Names()[0]
		r.reportAt(items[i], lockWithoutBit, "add "+without+", or leave the lock out", "%s without %s forbids %s for ever, and so locks privilege on", items[i].Value, without, without)
	}
	r.profile.Secbits = &value
}

// readTrue reads a key that is true or absent. noFalse says why it cannot be
// false.
func (r *reader) readTrue(f field, noFalse string) bool {
	n := f.value
	switch {
	case isPlain(n) && n.Tag == "!!bool" && strings.EqualFold(n.Value, "true"):
		return true
	case isPlain(n) && n.Tag == "!!bool":
		r.reportAt(n, cannotUnset, "leave the key out", "%s", noFalse)
	case isAmbiguous(n):
		r.reportAt(n, ambiguousValue, "write true, or leave the key out", "%s is %s to some readers of YAML and text to others", shorten(n.Value, maxNameLength), otherReading(n))
	default:
		r.reportAt(n, badType, "write true without quotes, or leave the key out", "%s must be true, not %s", f.name, kindOf(n))
	}
	return false
}
