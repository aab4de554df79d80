package policy

import (
	"slices"
	"strings"

	"caprun/cap"

	"gopkg.in/yaml.v3"
)

func modeNames() []string {
	var names []string
	for _, m := range [...]cap.Mode{cap.ModeHybrid, cap.ModePure1EInit, cap.ModePure1E, cap.ModeNoPriv} {
		names = append(names, m.String())
	}
	return names
}

var modeKind = textKind{
	what: "mode",
	fix:  func(s string) string { return Suggest(s, modeNames()) },
	hint: "use one of HYBRID, PURE1E_INIT, PURE1E, NOPRIV",
}

func (r *reader) readMode(f field) {
	s, ok := r.text(f.value, modeKind)
	if !ok {
		return
	}
	mode, err := cap.ModeFromText(s)
	switch {
	case s == cap.ModeUncertain.String():
		r.reportAt(f.value, unknownMode, modeKind.hint, "mode %s describes a process and cannot be set", s)
	case err != nil:
		hint := didYouMean(Suggest(s, modeNames()))
		if hint == "" {
			hint = modeKind.hint
		}
		r.reportAt(f.value, unknownMode, hint, "unknown mode %s", quote(s))
	default:
		r.profile.Mode = &mode
	}
}

const inherit = "inherit"

var keyringKind = textKind{
	what:  "keyring",
	valid: func(s string) bool { return s == inherit },
	hint:  "write inherit, or remove the key; without it a target with another uid gets a new, empty session keyring",
}

func (r *reader) readKeyring(f field) {
	s, ok := r.text(f.value, keyringKind)
	switch {
	case !ok:
	case s == inherit:
		r.profile.InheritKeyring = true
	default:
		r.reportAt(f.value, badKeyring, keyringKind.hint, "invalid keyring %s: want %s", quote(s), inherit)
	}
}

const (
	// allSecbits are the bits that have names, each followed by its lock.
	allSecbits cap.Secbits = 1<<12 - 1

	// allLocks are those that lock another bit.
	allLocks cap.Secbits = 0xaaa
)

var (
	secbitsKind = listKind{
		what: "secbits", limit: 12, separators: ",|+",
		fix: suggestSecbit,
		valid: func(items []string) bool {
			var value cap.Secbits
			for _, name := range items {
				bit, _ := cap.SecbitsFromName(name)
				value |= bit
			}
			return unmatchedLocks(value) == 0
		},
		hint: "write a list, for example [noroot, noroot_locked]",
	}
	secbitKind = textKind{
		what: "a securebit",
		fix:  suggestSecbit,
		hint: "the securebits are noroot, no_setuid_fixup, no_cap_ambient_raise, exec_restrict_file, exec_deny_interactive, and their locks, for example noroot_locked",
	}
)

// suggestSecbit returns the securebit that was meant and can be declared, or "".
func suggestSecbit(word string) string {
	plain := strings.TrimPrefix(plainName(word), "secbit_")
	if plain == "keep_caps" {
		return ""
	}
	return Suggest(plain, (allSecbits &^ cap.SecbitKeepCaps).Names())
}

// unmatchedLocks returns the locks in a value whose bit is not set. The lock of
// keep_caps needs none: exec clears that bit.
func unmatchedLocks(value cap.Secbits) cap.Secbits {
	return value & allLocks &^ (value << 1) &^ cap.SecbitKeepCapsLocked
}

func (r *reader) readSecbits(f field) {
	items, ok := r.items(f.value, secbitsKind)
	if !ok {
		return
	}
	var value cap.Secbits
	bits := newOnce[cap.Secbits](r)
	nodes := map[cap.Secbits]*yaml.Node{}
	for i, n := range items {
		bit, ok := r.readSecbit(n, items)
		if !ok || !bits.first(n, bit, "securebit "+n.Value) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		nodes[bit] = n
		value |= bit
	}
	for lock, n := range nodes {
		if unmatchedLocks(value)&lock == 0 {
			continue
		}
		bit := (lock >> 1).Names()[0]
		r.reportAt(n, lockWithoutBit, "add "+bit+", or remove "+n.Value, "%s requires %s: the lock alone keeps %s cleared permanently", n.Value, bit, bit)
	}
	r.profile.Secbits = &value
}

func (r *reader) readSecbit(n *yaml.Node, items []*yaml.Node) (bit cap.Secbits, ok bool) {
	s, ok := r.text(n, secbitKind)
	if !ok {
		return 0, false
	}
	bit, err := cap.SecbitsFromName(s)
	switch {
	case err != nil || !slices.Contains(allSecbits.Names(), s):
		hint := secbitKind.hint
		if meant := suggestSecbit(s); meant != "" {
			hint = meantItem(meant, items)
			if bit := strings.TrimSuffix(meant, "_locked"); bit != meant && bit != "keep_caps" && !hasItem(items, bit) {
				hint = "the securebit is " + meant + ", but it requires " + bit
			}
		}
		r.reportAt(n, unknownSecbit, hint, "unknown securebit %s", quote(s))
		return 0, false
	case bit == cap.SecbitKeepCaps:
		r.reportAt(n, keepCaps, "remove it; caps declares what the target has", "keep_caps cannot be set for the target: exec clears it")
		return 0, false
	}
	return bit, true
}

// readTrue reads a key that is true or absent. noFalse is why it cannot be false.
func (r *reader) readTrue(f field, noFalse string) bool {
	n := f.value
	const hint = "write true, or remove the key"
	switch {
	case isPlain(n) && n.Tag == "!!bool" && strings.EqualFold(n.Value, "true"):
		return true
	case isPlain(n) && n.Tag == "!!bool":
		r.reportAt(n, cannotUnset, "remove the key", "%s cannot be false: %s", f.name, noFalse)
	case isAmbiguous(n):
		r.reportAt(n, ambiguousValue, hint, "%s is text to some YAML readers and %s to others", quote(n.Value), otherReading(n))
	default:
		r.reportAt(n, badType, hint, "%s must be true, not %s", f.name, kindOf(n))
	}
	return false
}
