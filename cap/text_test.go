package cap

import (
	"errors"
	"math/rand"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// goodTexts are texts and what Text prints for them, for 41 capabilities.
var goodTexts = []struct{ text, want string }{
	{"=", "="},
	{"= ", "="},
	{"all=", "="},
	{"cap_chown=", "="},
	{"=p", "=p"},
	{"=eip", "=eip"},
	{"all=pie", "=eip"},
	{"=p all+ei", "=eip"},
	{"=pi all+e", "=eip"},
	{"cap_chown=ip-p", "cap_chown=i"},
	{"cap_chown=-p", "="},
	{"cap_chown=-e", "="},
	{"cap_setuid=pie-pie", "="},
	{"cap_chown=+e", "cap_chown=e"},
	{"cap_chown=ee", "cap_chown=e"},
	{"cap_chown=e-e", "="},
	{"cap_chown+e-e+p", "cap_chown=p"},
	{"cap_chown,cap_setuid=ip cap_setuid+e", "cap_setuid=eip cap_chown+ip"},
	{"=p cap_setpcap-p+i", "=p cap_setpcap+i-p"},
	{"=p cap_kill-p-p+i", "=p cap_kill+i-p"},
	{"cap_kill,cap_kill=p", "cap_kill=p"},
	{"cap_kill-p", "="},
	{"all+e", "=e"},
	{"all=ep all-e", "=p"},
	{"=ep cap_kill-e", "=ep cap_kill-e"},
	{"=ep cap_kill-ep", "=ep cap_kill-ep"},
	{"=ep cap_kill+i-ep", "=ep cap_kill+i-ep"},

	// "=" resets everything, named or not, known to the kernel or not.
	{"cap_setuid=p cap_chown=i", "cap_chown=i"},
	{"cap_kill=p =", "="},
	{"cap_kill=p =i", "=i"},
	{"63=p cap_kill=", "="},
	{"63=p =i", "=i"},

	// After "=" without names, "-" takes away from what it gave.
	{"=-e", "="},
	{"=ep-e", "=p"},
	{"=ep-e-p", "="},
	{"=eip-e-i", "=p"},
	{"cap_kill=p =ep-e", "=p"},

	// Numbers.
	{"5=p", "cap_kill=p"},
	{"005,00=p", "cap_chown,cap_kill=p"},
	{"40=p", "cap_checkpoint_restore=p"},
	{"41=p", "= 41+p"},
	{"63=eip 41,50+e", "= 63+eip 41,50+e"},
	{"all=p 50+e", "=p 50+e"},
	{"50=p all-p", "= 50+p"},
	{"cap_kill=e 50+p", "cap_kill=e 50+p"},
	{strings.Repeat("0", 70_000) + "5=p", "cap_kill=p"},

	// White space is Unicode's.
	{"\t=p\n", "=p"},
	{"\v=p\f cap_kill-p\r\n", "=p cap_kill-p"},
	{"\u0085=p\u00a0cap_kill-p\u2003", "=p cap_kill-p"},
	{"=p\u1680cap_kill-p\u2028\u2029\u202f\u205f\u3000", "=p cap_kill-p"},

	// The most frequent combination is the background; a tie goes to the one
	// with the lower bits, e before p before i.
	{"all=ep " + names(0, 20) + "-ep", "=ep " + names(0, 20) + "-ep"},
	{"all=ep " + names(0, 21) + "-ep", names(21, 41) + "=ep"},
	{names(0, 20) + "=e " + names(20, 40) + "+p cap_checkpoint_restore+i", "=e cap_checkpoint_restore+i-e " + names(20, 40) + "+p-e"},
	{names(0, 20) + "=i " + names(20, 40) + "+e cap_checkpoint_restore+p", "=e " + names(0, 20) + "+i-e cap_checkpoint_restore+p-e"},
	{"= 41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63+p", "= 41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63+p"},

	// Combinations come from eip down to none.
	{"0+e 1+p 2+ep 3+i 4+ei 5+ip 6+eip", "cap_setgid=eip cap_kill+ip cap_fsetid+ei cap_fowner+i cap_dac_read_search+ep cap_dac_override+p cap_chown+e"},
	{"50+e 51+p 52+ep 53+i 54+ei 55+ip 56+eip", "= 56+eip 55+ip 54+ei 53+i 52+ep 51+p 50+e"},

	// However long it is, it is read to the end.
	{strings.Repeat("cap_kill,", 20_000) + "cap_chown=p", "cap_chown,cap_kill=p"},
	{"cap_chown=p cap_kill+" + strings.Repeat("eip", 50_000) + "-e cap_setuid+p", "cap_kill=ip cap_chown,cap_setuid+p"},
	{"=p " + strings.Repeat(" ", 200_000) + "cap_kill-p", "=p cap_kill-p"},
}

// names returns the names of the capabilities from one number to below another.
func names(from, to Value) string {
	var list []string
	for v := from; v < to; v++ {
		list = append(list, v.String())
	}
	return strings.Join(list, ",")
}

func TestGoodTexts(t *testing.T) {
	for _, c := range goodTexts {
		set, err := ParseText(c.text, NamedCount)
		if err != nil {
			t.Errorf("ParseText(%.60q): %v", c.text, err)
			continue
		}
		if got := set.Text(NamedCount); got != c.want {
			t.Errorf("ParseText(%.60q) is %q, want %q", c.text, got, c.want)
		}
		if _, err := FromText(c.text); err != nil {
			t.Errorf("FromText(%.60q): %v", c.text, err)
		}
	}
}

// badTexts have the offset of the word with the error, the word, and a part of the reason.
var badTexts = []struct {
	text   string
	offset int
	word   string
	reason string
}{
	{"", 0, "", "empty"},
	{" \t\u2003", 0, "", "empty"},

	{"cap_chown", 0, "cap_chown", "missing operator and flags"},
	{"all", 0, "all", "missing operator and flags"},
	{"cap_chown,cap_kill", 0, "cap_chown,cap_kill", "missing operator and flags"},
	{"=p  cap_chown =p", 4, "cap_chown", "missing operator and flags"},
	{"cap_chown +p", 0, "cap_chown", "missing operator and flags"},

	{"cap_bogus=p", 0, "cap_bogus", "unknown capability"},
	{"cap_bogus", 0, "cap_bogus", "unknown capability"},
	{"=p cap_kill,cap_bogus,cap_worse+p", 12, "cap_bogus", "unknown capability"},
	{"CAP_KILL=p", 0, "CAP_KILL", "unknown capability"},
	{"kill=p", 0, "kill", "unknown capability"},
	{"ALL=p", 0, "ALL", "unknown capability"},
	{"0x5=p", 0, "0x5", "unknown capability"},
	{"cap_kill;=p", 0, "cap_kill;", "unknown capability"},
	{"caf\u00e9=p", 0, "caf\u00e9", "unknown capability"},
	{"\u200b=p", 0, "\u200b", "unknown capability"},
	{"\ufeff=p", 0, "\ufeff", "unknown capability"},
	{"\x00", 0, "\x00", "unknown capability"},
	{"\xa0=p", 0, "\xa0", "unknown capability"},
	{"64=p", 0, "64", "0 to 63"},
	{"=p 7,99999999999999999999+e", 5, "99999999999999999999", "0 to 63"},
	{"=p " + strings.Repeat("9", 100_000) + "+p", 3, strings.Repeat("9", 100_000), "0 to 63"},

	{"all,all=p", 0, "all", "not allowed in a list"},
	{"cap_kill,all=p", 9, "all", "not allowed in a list"},
	{"all,cap_kill=p", 0, "all", "not allowed in a list"},

	{",cap_kill=p", 0, ",", "before it"},
	{"cap_kill,,cap_chown=p", 9, ",", "before it"},
	{"cap_kill,=p", 8, ",", "after it"},
	{"cap_kill, cap_chown=p", 8, ",", "after it"},
	{"cap_kill,", 8, ",", "after it"},
	{"cap_kill ,cap_chown=p", 0, "cap_kill", "missing operator and flags"},

	{"+e", 0, "+", "missing names before it"},
	{"=p -e", 3, "-", "missing names before it"},
	{"=+e", 1, "+", `only "-"`},
	{"=e+p", 2, "+", `only "-"`},
	{"=ep-e+p", 5, "+", `only "-"`},

	{"==", 1, "=", "not allowed after another operator"},
	{"=p=e", 2, "=", "not allowed after another operator"},
	{"cap_kill=e=p", 10, "=", "not allowed after another operator"},
	{"cap_kill+e=p", 10, "=", "not allowed after another operator"},

	{"cap_kill+", 8, "+", "missing flags after it"},
	{"cap_kill+ p", 8, "+", "missing flags after it"},
	{"cap_kill-\u2003", 8, "-", "missing flags after it"},
	{"cap_kill=+", 9, "+", "missing flags after it"},
	{"cap_kill=e-+p", 10, "-", "missing flags after it"},
	{"=-", 1, "-", "missing flags after it"},

	{"cap_kill=E", 9, "E", "e, i or p"},
	{"cap_kill+x", 9, "x", "e, i or p"},
	{"cap_kill=ep,cap_chown=p", 11, ",", "e, i or p"},
	{"=epx", 3, "x", "e, i or p"},
	{"=e\u00e9", 2, "\u00e9", "e, i or p"},
	{"=e\xff", 2, "\xff", "e, i or p"},
	{"=p\x00", 2, "\x00", "e, i or p"},
	{strings.Repeat("cap_kill,", 20_000) + "cap_chown=px", 180_011, "x", "e, i or p"},
	{strings.Repeat("cap_kill=p ", 10_000) + "=x", 110_001, "x", "e, i or p"},
}

func TestBadTexts(t *testing.T) {
	for _, c := range badTexts {
		set, err := ParseText(c.text, NamedCount)
		var at *TextError
		if set != nil || !errors.As(err, &at) || !errors.Is(err, ErrBadText) {
			t.Errorf("ParseText(%.60q) = %v, %v; want a TextError", c.text, set, err)
			continue
		}
		if at.Offset != c.offset || at.Word != c.word || at.Length != len(c.word) || !strings.Contains(at.Reason, c.reason) {
			t.Errorf("ParseText(%.60q): %d+%d %.60q %q; want %d %.60q %q",
				c.text, at.Offset, at.Length, at.Word, at.Reason, c.offset, c.word, c.reason)
		}
		if set, err := FromText(c.text); set != nil || err != ErrBadText {
			t.Errorf("FromText(%.60q) = %v, %v; want ErrBadText", c.text, set, err)
		}
	}
}

func TestTextErrorIsShort(t *testing.T) {
	_, err := ParseText("=p cap_"+strings.Repeat("\x1b", 10_000)+"+e", NamedCount)
	if err == nil {
		t.Fatal("no error")
	}
	if text := err.Error(); len(text) > 500 || strings.Contains(text, "\x1b") || !strings.Contains(text, "at byte 3") {
		t.Errorf("the error is %q", text)
	}
	if errors.Is(err, ErrBadValue) {
		t.Error("a TextError is an ErrBadValue")
	}
}

// TestTextForOtherKernels: kernels with fewer and with more capabilities than names.
func TestTextForOtherKernels(t *testing.T) {
	for _, c := range []struct {
		bits       Value
		text, want string
	}{
		{0, "=p", "="},
		{0, "=p 0+e", "= cap_chown+e"},
		{1, "=p", "=p"},
		{38, "=p", "=p"},
		{38, "cap_bpf=p", "= cap_bpf+p"},
		{38, "cap_kill=i cap_bpf,50+p", "cap_kill=i cap_bpf,50+p"},
		{50, "=p 41-p", "=p 41-p"},
		{50, "41=p 63+e", "41=p 63+e"},
		{64, "=eip 63-e", "=eip 63-e"},
		{100, "=eip 63-e", "=eip 63-e"},
	} {
		set, err := ParseText(c.text, c.bits)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := set.Text(c.bits); got != c.want {
			t.Errorf("%q for %d capabilities is %q, want %q", c.text, c.bits, got, c.want)
		}
	}
	e, p, _, err := mustText(t, "=ep").Masks()
	if err != nil || e != 1<<41-1 || p != e {
		t.Errorf("all of 41 capabilities are %v", p)
	}
	mine, err := FromText("=ep")
	if err != nil {
		t.Fatal(err)
	}
	if e, _, _, err := mine.Masks(); e != kernelMask() || err != nil {
		t.Errorf("all of this kernel's are %v, %v", e, err)
	}
}

// randomMask returns a mask with few, half, or most of the bits.
func randomMask(r *rand.Rand) Mask {
	v := r.Uint64()
	for range r.Intn(4) {
		v &= r.Uint64()
	}
	if r.Intn(2) == 0 {
		v = ^v
	}
	return Mask(v)
}

func randomSet(r *rand.Rand) *Set {
	e, p, i := randomMask(r), randomMask(r), randomMask(r)
	switch r.Intn(4) {
	case 0:
		p = e
	case 1:
		e, p, i = e&lowBits(NamedCount), p&lowBits(NamedCount), i&lowBits(NamedCount)
	}
	return SetOf(e, p, i)
}

func wantEqual(t testing.TB, text string, a, b *Set) {
	t.Helper()
	if cf, err := a.Cf(b); cf != 0 || err != nil {
		t.Fatalf("%q differs from its set: %d, %v", text, cf, err)
	}
}

func TestTextRoundTrip(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 3000 {
		set := randomSet(r)
		for _, bits := range []Value{0, 1, 20, 38, 41, 42, 63, 64} {
			text := set.Text(bits)
			again, err := ParseText(text, bits)
			if err != nil {
				t.Fatalf("%q for %d capabilities: %v", text, bits, err)
			}
			wantEqual(t, text, set, again)
		}
		again, err := FromText(set.String())
		if err != nil {
			t.Fatalf("%q: %v", set, err)
		}
		wantEqual(t, set.String(), set, again)
	}
}

// model is a second implementation of ParseText, by regular expressions. It is slow and
// does not explain errors.
var modelClause = regexp.MustCompile(`^([^=+-]*)(=[eip]*|[+-][eip]+)((?:[+-][eip]+)*)$`)
var modelOp = regexp.MustCompile(`[=+-][eip]*`)

func model(text string, bits Value) (flags [flagCount]Mask, ok bool) {
	clauses := strings.Fields(text)
	for _, clause := range clauses {
		m := modelClause.FindStringSubmatch(clause)
		if m == nil || m[1] == "" && (m[2][0] != '=' || strings.Contains(m[3], "+")) {
			return flags, false
		}
		vals := lowBits(bits)
		if m[1] != "" && m[1] != "all" {
			vals = 0
			for _, name := range strings.Split(m[1], ",") {
				v, ok := modelName(name)
				if !ok {
					return flags, false
				}
				vals |= 1 << v
			}
		}
		for _, op := range modelOp.FindAllString(m[2]+m[3], -1) {
			if op[0] == '=' {
				flags = [flagCount]Mask{}
			}
			for vec, letter := range "epi" {
				if !strings.ContainsRune(op, letter) {
					continue
				}
				if op[0] == '-' {
					flags[vec] &^= vals
				} else {
					flags[vec] |= vals
				}
			}
		}
	}
	return flags, len(clauses) > 0
}

func modelName(name string) (Value, bool) {
	for v := range Value(NamedCount) {
		if v.String() == name {
			return v, true
		}
	}
	n, err := strconv.Atoi(name)
	return Value(n), err == nil && n >= 0 && n < 64
}

func checkText(t testing.TB, text string, bits Value) {
	t.Helper()
	checkWords(t, text, bits)
	set, err := ParseText(text, bits)
	want, ok := model(text, bits)
	if ok != (err == nil) {
		t.Fatalf("ParseText(%q, %d): %v, the model says %v", text, bits, err, ok)
	}
	if err != nil {
		checkTextError(t, text, err)
		return
	}
	if set.flags != want {
		t.Fatalf("ParseText(%q, %d) is %q, the model says %v", text, bits, set.Text(bits), want)
	}
	out := set.Text(bits)
	again, err := ParseText(out, bits)
	if err != nil {
		t.Fatalf("%q became %q: %v", text, out, err)
	}
	wantEqual(t, out, set, again)
	if got := again.Text(bits); got != out {
		t.Fatalf("%q became %q, and that %q", text, out, got)
	}
}

func checkTextError(t testing.TB, text string, err error) {
	t.Helper()
	var at *TextError
	if !errors.As(err, &at) || !errors.Is(err, ErrBadText) {
		t.Fatalf("%q: %v is no TextError", text, err)
	}
	if at.Offset < 0 || at.Length < 0 || at.Offset+at.Length > len(text) ||
		text[at.Offset:at.Offset+at.Length] != at.Word || at.Reason == "" || at.Word == "" && strings.TrimSpace(text) != "" {
		t.Fatalf("%q: the error is %#v", text, at)
	}
	if len(at.Error()) > 500 {
		t.Fatalf("%q: the error has %d bytes", text, len(at.Error()))
	}
}

// randomText returns parts of a text in nearly the right order.
func randomText(r *rand.Rand, parts []string) string {
	var b strings.Builder
	for range r.Intn(12) {
		b.WriteString(parts[r.Intn(len(parts))])
	}
	return b.String()
}

func TestTextAgainstModel(t *testing.T) {
	parts := []string{
		"cap_kill", "cap_chown,", "cap_bpf", "all", "all", "63", "50,", ",", "0", "cap_x",
		"=", "=", "=p", "=ep", "+e", "-e", "+ip", "-", "+", "e", "p", " ", " ", " =", "\t", "\u2003", "\u00e9", "\xff",
	}
	r := rand.New(rand.NewSource(2))
	good := 0
	for range 50_000 {
		text := randomText(r, parts)
		checkText(t, text, NamedCount)
		if _, err := ParseText(text, NamedCount); err == nil {
			good++
		}
	}
	if good < 1000 {
		t.Errorf("only %d texts were valid", good)
	}
}

func FuzzFromText(f *testing.F) {
	for _, c := range goodTexts {
		if len(c.text) < 200 {
			f.Add(c.text)
		}
	}
	for _, c := range badTexts {
		if len(c.text) < 200 {
			f.Add(c.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, bits := range []Value{MaxBits(), NamedCount, 20, 64} {
			checkText(t, text, bits)
		}
		set, err := FromText(text)
		if _, parseErr := ParseText(text, MaxBits()); (err == nil) != (parseErr == nil) || err != nil && err != ErrBadText {
			t.Fatalf("FromText(%q): %v, ParseText: %v", text, err, parseErr)
		}
		if err == nil {
			again, err := FromText(set.String())
			if err != nil {
				t.Fatalf("%q became %q: %v", text, set, err)
			}
			wantEqual(t, set.String(), set, again)
		}
	})
}

func TestTextAllocations(t *testing.T) {
	set := mustText(t, "=ep cap_kill+i 63+e")
	for name, c := range map[string]struct {
		most float64
		fn   func()
	}{
		"FromText":     {1, func() { _, _ = FromText("=p cap_kill,cap_chown+e cap_setuid-p+i 63+e") }},
		"FromText bad": {0, func() { _, _ = FromText("=p cap_kill,cap_bogus+e") }},
		"String":       {1, func() { _ = set.String() }},
		"FromName":     {0, func() { _, _ = FromName("cap_net_bind_service") }},
		"IABFromText":  {1, func() { _, _ = IABFromText("^cap_kill,!cap_chown,%63") }},
	} {
		if got := testing.AllocsPerRun(100, c.fn); got > c.most {
			t.Errorf("%s allocates %v times, want %v", name, got, c.most)
		}
	}
}
