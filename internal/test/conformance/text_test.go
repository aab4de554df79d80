package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"caprun/cap"

	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

var spaces = []string{" ", "  ", "\t", "\n", "\v", "\f", "\r", "\u0085", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f", "\u205f", "\u3000", "\u200b", "\ufeff", "\u180e", "\xa0", "\x85"}

const textAlphabet = "=+-,eip allcp_0123\t\x80\xff\xc2EX!^%\x00"

func randomFlags(r *rand.Rand) string {
	var d [4]byte
	n := r.IntN(len(d) + 1)
	for k := range n {
		d[k] = "epi"[r.IntN(3)]
	}
	return string(d[:n])
}

// randomText returns clauses that are mostly valid.
func randomText(r *rand.Rand) string {
	var b strings.Builder
	for clauses := 1 + r.IntN(4); clauses > 0; clauses-- {
		if r.IntN(6) == 0 {
			b.WriteString("all")
		} else {
			for names := r.IntN(4); names > 0; names-- {
				b.WriteString(randomName(r))
				if names > 1 {
					b.WriteByte(',')
				}
			}
		}
		b.WriteString(pick(r, "=", "=", "+", "-"))
		b.WriteString(randomFlags(r))
		for more := r.IntN(3); more > 0; more-- {
			b.WriteString(pick(r, "+", "-", "+", "-", "+", "-", "="))
			b.WriteString(randomFlags(r))
		}
		if r.IntN(8) == 0 {
			b.WriteString(pick(r, spaces...))
		} else {
			b.WriteByte(' ')
		}
	}
	return mutate(r, b.String(), textAlphabet)
}

// nameless finds the "=" at the start of a clause.
var nameless = regexp.MustCompile(`(^|[\s\x0b\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}])=`)

// compareText reads and prints a text with both packages. It returns the name of a
// known difference, if the packages differ only by it.
func compareText(text string) (known string, err error) {
	u, uErr := upstream.FromText(text)
	o, oErr := cap.FromText(text)
	if (uErr == nil) != (oErr == nil) {
		return "", fmt.Errorf("ours says %v, theirs %v", oErr, uErr)
	}
	if oErr != nil {
		if o != nil || oErr != cap.ErrBadText || uErr != upstream.ErrBadText {
			return "", fmt.Errorf("ours says %v, %v, theirs %v", o, oErr, uErr)
		}
		return "", nil
	}
	ub, uErr := u.Export()
	ob, oErr := o.Export()
	if uErr != nil || oErr != nil {
		return "", fmt.Errorf("export: ours %v, theirs %v", oErr, uErr)
	}
	if bytes.Equal(ub, ob) {
		if got, want := o.String(), u.String(); got != want {
			return "", fmt.Errorf("ours prints %q, theirs %q", got, want)
		}
		return "", nil
	}
	// With all names written out, the two must agree.
	if full := nameless.ReplaceAllString(text, "${1}all="); full != text {
		if u, err := upstream.FromText(full); err == nil {
			if ub, err := u.Export(); err == nil && bytes.Equal(ub, ob) {
				return rowLowering, nil
			}
		}
	}
	return "", fmt.Errorf("ours is %q, theirs %q", o, u)
}

// shortened returns err for the shortest text that fails.
func shortened(text string, err error, compare func(string) (string, error)) error {
	least := minimise(text, func(s string) bool { _, err := compare(s); return err != nil })
	_, leastErr := compare(least)
	return fmt.Errorf("%q: %v\nleast %q: %v", text, err, least, leastErr)
}

func TestText(t *testing.T) {
	var seen tally
	sharded(t, 700_000, func(r *rand.Rand) error {
		text := randomText(r)
		known, err := compareText(text)
		if err != nil {
			return shortened(text, err, compareText)
		}
		if known != "" {
			seen.count(known)
		}
		return nil
	})
	seen.report(t, rowLowering)
}

// TestSpaces has every character of one or two bytes around a clause.
func TestSpaces(t *testing.T) {
	for c := range rune(0x3100) {
		for _, text := range []string{"cap_kill=p" + string(c) + "cap_bpf+i", string(c) + "cap_kill=p", "cap_kill=p" + string(c), "cap_kill" + string(c) + "=p"} {
			if _, err := compareText(text); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

// TestLongWords has words around the length at which theirs stops reading: it uses
// the part before, and then an empty text is an error.
func TestLongWords(t *testing.T) {
	var seen tally
	for _, before := range []string{"", "cap_chown=p "} {
		for _, after := range []string{"", " cap_bpf+e", " nonsense"} {
			for _, size := range []int{1000, 60_000, 65_534, 65_535, 65_536, 65_537, 70_000, 200_000} {
				text := before + "cap_kill+" + strings.Repeat("i", size-len("cap_kill+")) + after
				if before == "" {
					text = strings.Replace(text, "+", "=", 1)
				}
				o, oErr := cap.FromText(text)
				u, uErr := upstream.FromText(text)
				short, shortErr := cap.FromText(strings.Replace(text, strings.Repeat("i", size-len("cap_kill+")), "i", 1))
				if o.String() != short.String() || (oErr == nil) != (shortErr == nil) {
					t.Errorf("%q, a word of %d bytes, %q: %v, %v; with a short word %v, %v", before, size, after, o, oErr, short, shortErr)
				}
				if o.String() == u.String() && (oErr == nil) == (uErr == nil) {
					continue
				}
				cut, cutErr := upstream.FromText(before)
				if size < 1<<16-1 || cut.String() != u.String() || (cutErr == nil) != (uErr == nil) {
					t.Errorf("%q, a word of %d bytes, %q: ours %v, %v, theirs %v, %v", before, size, after, o, oErr, u, uErr)
				}
				seen.count(rowLongWord)
			}
		}
	}
	seen.report(t, rowLongWord)
}

// TestPrint prints random sets, reads every flag, and lets each package read what the
// other one prints.
func TestPrint(t *testing.T) {
	sharded(t, 60_000, func(r *rand.Rand) error {
		e, p, i := randomBits(r), randomBits(r), randomBits(r)
		if r.IntN(3) == 0 {
			e = p
		}
		d := portable(e, p, i)
		u, err := upstream.Import(d)
		if err != nil {
			return err
		}
		o, err := cap.Import(d)
		if err != nil {
			return err
		}
		if u.String() != o.String() {
			return fmt.Errorf("%x: ours prints %q, theirs %q", d, o, u)
		}
		for v := range 64 {
			if e&15 != 0 {
				break // One in some sets is enough for the slow way.
			}
			for flag := range 3 {
				ours, oErr := o.GetFlag(cap.Flag(flag), cap.Value(v))
				theirs, uErr := u.GetFlag(upstream.Flag(flag), upstream.Value(v))
				if ours != theirs || oErr != nil || uErr != nil {
					return fmt.Errorf("%x: flag %d of %d: ours %v, %v, theirs %v, %v", d, flag, v, ours, oErr, theirs, uErr)
				}
			}
		}
		x, err := upstream.FromText(o.String())
		if err != nil {
			return fmt.Errorf("they read %q: %v", o, err)
		}
		if cf, err := x.Cf(u); cf != 0 || err != nil {
			return fmt.Errorf("they read %q as %q", o, x)
		}
		y, err := cap.FromText(u.String())
		if err != nil {
			return fmt.Errorf("we read %q: %v", u, err)
		}
		if cf, err := y.Cf(o); cf != 0 || err != nil {
			return fmt.Errorf("we read %q as %q", u, y)
		}
		d2 := portable(e&randomBits(r), p, i|randomBits(r))
		u2, err := upstream.Import(d2)
		if err != nil {
			return err
		}
		o2, err := cap.Import(d2)
		if err != nil {
			return err
		}
		ours, oErr := o.Cf(o2)
		theirs, uErr := u.Cf(u2)
		if uint(ours) != uint(theirs) || oErr != nil || uErr != nil {
			return fmt.Errorf("Cf of %x and %x: ours %d, %v, theirs %d, %v", d, d2, ours, oErr, theirs, uErr)
		}
		return nil
	})
}

// randomTuple returns fields that are mostly valid.
func randomTuple(r *rand.Rand) string {
	var b strings.Builder
	for fields := r.IntN(6); fields > 0; fields-- {
		for marks := r.IntN(3); marks > 0; marks-- {
			b.WriteByte("!^%"[r.IntN(3)])
		}
		b.WriteString(randomName(r))
		if fields > 1 || r.IntN(20) == 0 {
			b.WriteByte(',')
		}
	}
	return mutate(r, b.String(), textAlphabet)
}

// knownFields removes the numbers that the kernel does not have from a tuple's text.
// They are at its end.
func knownFields(text string) string {
	for text != "" {
		at := strings.LastIndexByte(text, ',')
		v, err := strconv.Atoi(strings.TrimLeft(text[at+1:], "!^%"))
		if err != nil || v < int(cap.MaxBits()) {
			break
		}
		text = text[:max(at, 0)]
	}
	return text
}

// compareTuple is compareText for tuples.
func compareTuple(text string) (known string, err error) {
	u, uErr := upstream.IABFromText(text)
	o, oErr := cap.IABFromText(text)
	if (uErr == nil) != (oErr == nil) {
		return "", fmt.Errorf("ours says %v, theirs %v", oErr, uErr)
	}
	if oErr != nil {
		if o != nil || errorKind(oErr) != errorKind(uErr) {
			return "", fmt.Errorf("ours says %v, %v, theirs %v", o, oErr, uErr)
		}
		return "", nil
	}
	got, want := o.String(), u.String()
	if got == want {
		return "", nil
	}
	if knownFields(got) == want {
		return rowHiddenTuple, nil
	}
	return "", fmt.Errorf("ours prints %q, theirs %q", got, want)
}

func TestTuple(t *testing.T) {
	var seen tally
	sharded(t, 400_000, func(r *rand.Rand) error {
		text := randomTuple(r)
		known, err := compareTuple(text)
		if err != nil {
			return shortened(text, err, compareTuple)
		}
		if known != "" {
			seen.count(known)
		}
		return nil
	})
	seen.report(t, rowHiddenTuple)
}

// TestPrintTuple prints random tuples, lets each package read what the other one
// prints, and compares pairs.
func TestPrintTuple(t *testing.T) {
	build := func(i, a, nb uint64) (*cap.IAB, *upstream.IAB, error) {
		o, u := cap.NewIAB(), upstream.NewIAB()
		for vec, bits := range []uint64{i, a, nb} {
			var ours []cap.Value
			var theirs []upstream.Value
			for v := range int(cap.MaxBits()) {
				if bits>>v&1 != 0 {
					ours, theirs = append(ours, cap.Value(v)), append(theirs, upstream.Value(v))
				}
			}
			if err := errors.Join(o.SetVector(cap.Vector(vec), true, ours...), u.SetVector(upstream.Vector(vec), true, theirs...)); err != nil {
				return nil, nil, err
			}
		}
		return o, u, nil
	}
	sharded(t, 40_000, func(r *rand.Rand) error {
		i, a, nb := randomBits(r), randomBits(r), randomBits(r)
		o, u, err := build(i, a, nb)
		if err != nil {
			return err
		}
		if o.String() != u.String() {
			return fmt.Errorf("%x %x %x: ours prints %q, theirs %q", i, a, nb, o, u)
		}
		for v := range int(cap.MaxBits()) {
			for vec := range 3 {
				ours, oErr := o.GetVector(cap.Vector(vec), cap.Value(v))
				theirs, uErr := u.GetVector(upstream.Vector(vec), upstream.Value(v))
				if ours != theirs || oErr != nil || uErr != nil {
					return fmt.Errorf("%x %x %x: vector %d of %d: ours %v, %v, theirs %v, %v", i, a, nb, vec, v, ours, oErr, theirs, uErr)
				}
			}
		}
		x, err := upstream.IABFromText(o.String())
		if err != nil {
			return fmt.Errorf("they read %q: %v", o, err)
		}
		if cf, err := x.Cf(u); cf != 0 || err != nil {
			return fmt.Errorf("they read %q as %q", o, x)
		}
		y, err := cap.IABFromText(u.String())
		if err != nil {
			return fmt.Errorf("we read %q: %v", u, err)
		}
		if cf, err := y.Cf(o); cf != 0 || err != nil {
			return fmt.Errorf("we read %q as %q", u, y)
		}
		o2, u2, err := build(i|randomBits(r), a&randomBits(r), nb)
		if err != nil {
			return err
		}
		ours, oErr := o.Cf(o2)
		theirs, uErr := u.Cf(u2)
		if uint(ours) != uint(theirs) || oErr != nil || uErr != nil {
			return fmt.Errorf("Cf of %q and %q: ours %d, %v, theirs %d, %v", o, o2, ours, oErr, theirs, uErr)
		}
		return nil
	})
}
