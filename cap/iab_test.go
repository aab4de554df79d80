package cap

import (
	"errors"
	"math/rand"
	"strconv"
	"strings"
	"testing"
)

func TestVectorString(t *testing.T) {
	for v, want := range []string{"I", "A", "B", "<Error>", "<Error>"} {
		if got := Vector(v).String(); got != want {
			t.Errorf("Vector(%d).String() = %q, want %q", v, got, want)
		}
	}
}

func TestBadIABIsAnError(t *testing.T) {
	good, set := NewIAB(), NewSet()
	for name, iab := range map[string]*IAB{"nil": nil, "zero": {}} {
		for call, err := range map[string]error{
			"Cf":            second(iab.Cf(good)),
			"Cf argument":   second(good.Cf(iab)),
			"Dup":           second(iab.Dup()),
			"Fill":          iab.Fill(Inh, set, Permitted),
			"Fill from nil": iab.Fill(Inh, nil, Permitted),
			"GetVector":     second(iab.GetVector(Inh, KILL)),
			"SetVector":     iab.SetVector(Inh, true, KILL),
		} {
			if err != ErrBadValue {
				t.Errorf("%s IAB: %s gives %v", name, call, err)
			}
		}
		if got := iab.String(); got != "<invalid>" {
			t.Errorf("%s IAB: String gives %q", name, got)
		}
	}
	if got := IABInit().String(); got != "" {
		t.Errorf("a new tuple is %q", got)
	}
}

var goodTuples = []struct{ text, want string }{
	{"", ""},
	{"cap_kill", "cap_kill"},
	{"%cap_kill", "cap_kill"},
	{"%%cap_kill", "cap_kill"},
	{"^cap_kill", "^cap_kill"},
	{"^%cap_kill", "^cap_kill"},
	{"!cap_kill", "!cap_kill"},
	{"!!cap_kill", "!cap_kill"},
	{"!%cap_kill", "!%cap_kill"},
	{"%!cap_kill", "!%cap_kill"},
	{"!^cap_kill", "!^cap_kill"},
	{"^!%cap_kill", "!^cap_kill"},
	{"cap_kill,!cap_kill", "!%cap_kill"},
	{"^cap_kill,cap_kill", "^cap_kill"},
	{"!cap_kill,^cap_chown", "^cap_chown,!cap_kill"},
	{"007,+3,!-0", "!cap_chown,cap_fowner,cap_setuid"},
	{"^41,!50,63", "^41,!50,63"},
	{"%63,^cap_bpf", "^cap_bpf,63"},
	{strings.Repeat("cap_kill,", 20_000) + "^cap_chown", "^cap_chown,cap_kill"},
}

func TestGoodTuples(t *testing.T) {
	for _, c := range goodTuples {
		for _, parse := range []func(string) (*IAB, error){IABFromText, ParseIAB} {
			iab, err := parse(c.text)
			if err != nil {
				t.Errorf("%.60q: %v", c.text, err)
			} else if got := iab.String(); got != c.want {
				t.Errorf("%.60q is %q, want %q", c.text, got, c.want)
			}
		}
	}
}

var badTuples = []struct {
	text   string
	offset int
	word   string
	reason string
}{
	{"cap_bogus", 0, "cap_bogus", "unknown capability"},
	{"cap_kill,!^cap_bogus", 11, "cap_bogus", "unknown capability"},
	{"all", 0, "all", "unknown capability"},
	{"CAP_KILL", 0, "CAP_KILL", "unknown capability"},
	{"cap_kill!", 0, "cap_kill!", "unknown capability"},
	{"cap_kill=p", 0, "cap_kill=p", "unknown capability"},
	{"0x3", 0, "0x3", "unknown capability"},
	{"\xff", 0, "\xff", "unknown capability"},
	{"^64", 1, "64", "0 to 63"},
	{"-1", 0, "-1", "0 to 63"},
	{"cap_kill,", 8, ",", "after it"},
	{",cap_kill", 0, ",", "before it"},
	{",", 0, ",", "before it"},
	{"cap_kill,,cap_chown", 9, ",", "before it"},
	{"!", 0, "!", "after it"},
	{"cap_kill,!^,cap_chown", 9, "!^", "after it"},
	{" ", 0, " ", "white space"},
	{" cap_kill", 0, " cap_kill", "white space"},
	{"cap_kill, cap_chown", 9, " cap_chown", "white space"},
	{"! cap_kill", 1, " cap_kill", "white space"},
	{"cap_kill\u2003", 0, "cap_kill\u2003", "white space"},
}

// isNameError reports whether err is an unwrapped error of FromName.
func isNameError(err error) bool {
	_, number := err.(*strconv.NumError)
	return number || err == ErrBadValue
}

func TestBadTuples(t *testing.T) {
	for _, c := range badTuples {
		iab, err := ParseIAB(c.text)
		var at *TextError
		if iab != nil || !errors.As(err, &at) || !errors.Is(err, ErrBadText) {
			t.Errorf("ParseIAB(%q) = %v, %v; want a TextError", c.text, iab, err)
			continue
		}
		if at.Offset != c.offset || at.Word != c.word || at.Length != len(c.word) || !strings.Contains(at.Reason, c.reason) {
			t.Errorf("ParseIAB(%q): %d+%d %q %q; want %d %q %q", c.text, at.Offset, at.Length, at.Word, at.Reason, c.offset, c.word, c.reason)
		}
		if iab, err := IABFromText(c.text); iab != nil || !isNameError(err) {
			t.Errorf("IABFromText(%q) = %v, %v; want the error of FromName", c.text, iab, err)
		}
	}
	var number *strconv.NumError
	if _, err := IABFromText("cap_kill,cap_bogus"); !errors.As(err, &number) || number.Num != "cap_bogus" {
		t.Errorf("IABFromText gives %v, not the error of FromName", err)
	}
	for _, text := range []string{",", "!^", "cap_kill,"} {
		if _, err := IABFromText(text); !errors.As(err, &number) || number.Num != "" {
			t.Errorf("IABFromText(%q) gives %v, not the error of FromName for no name", text, err)
		}
	}
	if _, err := IABFromText("64"); err != ErrBadValue {
		t.Errorf("IABFromText of 64 gives %v", err)
	}
}

func TestSetVector(t *testing.T) {
	iab := NewIAB()
	do := func(err error, want string) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		if got := iab.String(); got != want {
			t.Errorf("the tuple is %q, want %q", got, want)
		}
	}
	do(iab.SetVector(Amb, true, DAC_OVERRIDE, KILL), "^cap_dac_override,^cap_kill")
	do(iab.SetVector(Inh, false, DAC_OVERRIDE), "^cap_kill")
	do(iab.SetVector(Amb, false, KILL, CHOWN), "cap_kill")
	do(iab.SetVector(Bound, true, KILL, CHOWN), "!cap_chown,!%cap_kill")
	do(iab.SetVector(Inh, true, CHOWN), "!%cap_chown,!%cap_kill")
	do(iab.SetVector(Bound, false, KILL), "!%cap_chown,cap_kill")
	do(iab.SetVector(Inh, true), "!%cap_chown,cap_kill")
	for vec, want := range map[Vector][2]bool{Inh: {true, true}, Amb: {false, false}, Bound: {true, false}} {
		for k, v := range []Value{CHOWN, KILL} {
			if got, err := iab.GetVector(vec, v); got != want[k] || err != nil {
				t.Errorf("GetVector(%v, %v) = %v, %v", vec, v, got, err)
			}
		}
	}

	// Nothing changes on an error, not even by the good values.
	for _, v := range []Value{64, 65, ^Value(0)} {
		if err := iab.SetVector(Inh, false, CHOWN, v); err != ErrBadValue {
			t.Errorf("SetVector(%d) gives %v", uint(v), err)
		}
		if got, err := iab.GetVector(Inh, v); got || err != ErrBadValue {
			t.Errorf("GetVector(%d) = %v, %v", uint(v), got, err)
		}
	}
	for _, vec := range []Vector{3, 64, ^Vector(0)} {
		for call, err := range map[string]error{
			"SetVector":       iab.SetVector(vec, true, CHOWN),
			"SetVector of no": iab.SetVector(vec, true),
			"GetVector":       second(iab.GetVector(vec, CHOWN)),
		} {
			if err != ErrBadValue {
				t.Errorf("Vector %d: %s gives %v", uint(vec), call, err)
			}
		}
		for _, c := range []*Set{NewSet(), nil} {
			if err := iab.Fill(vec, c, Permitted); err != ErrBadSet {
				t.Errorf("Vector %d: Fill gives %v", uint(vec), err)
			}
		}
	}
	do(nil, "!%cap_chown,cap_kill")

	// A capability that the kernel does not have is kept, as in text.
	do(iab.SetVector(Bound, true, 63), "!%cap_chown,cap_kill,!63")
	if got, err := iab.GetVector(Bound, 63); !got || err != nil {
		t.Errorf("GetVector(63) = %v, %v", got, err)
	}
}

func TestFill(t *testing.T) {
	iab, err := IABFromText("^cap_chown,^cap_kill,!cap_bpf,!63")
	if err != nil {
		t.Fatal(err)
	}
	set := mustText(t, "cap_kill=p cap_setuid,50+i")
	fill := func(vec Vector, from Flag, want string) {
		t.Helper()
		if err := iab.Fill(vec, set, from); err != nil {
			t.Error(err)
		}
		if got := iab.String(); got != want {
			t.Errorf("filling %v from %v gives %q, want %q", vec, from, got, want)
		}
	}
	fill(Inh, Permitted, "^cap_kill,!cap_bpf,!63")
	fill(Amb, Inheritable, "cap_kill,^cap_setuid,!cap_bpf,^50,!63")
	if MaxBits() == NamedCount {
		all, err := IABFromText("!" + strings.ReplaceAll(names(0, NamedCount), ",", ",!") + ",%cap_kill,^cap_setuid,^50")
		if err != nil {
			t.Fatal(err)
		}
		fill(Bound, Effective, all.String())
		if cf, err := iab.Cf(all); cf != 0 || err != nil {
			t.Errorf("two tuples that print the same differ: %d, %v", cf, err)
		}
	}
	_, _, nb, err := iab.Masks()
	if nb != kernelMask() || err != nil {
		t.Errorf("an empty flag blocks %v, %v", nb, err)
	}
	if err := iab.Fill(Bound, mustText(t, "=e cap_kill-e 63+e"), Effective); err != nil {
		t.Fatal(err)
	}
	if got, err := iab.GetVector(Bound, KILL); !got || err != nil {
		t.Errorf("a capability that the flag lacks is not blocked: %v", err)
	}
	if got, err := iab.GetVector(Bound, CHOWN); got || err != nil {
		t.Errorf("a capability that the flag has is blocked: %v", err)
	}
}

func TestIABCf(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want IABDiff
	}{
		{"", "", 0},
		{"^cap_kill,!63", "!63,^cap_kill", 0},
		{"cap_kill", "", 1 << Inh},
		{"^cap_kill", "cap_kill", 1 << Amb},
		{"!cap_kill", "", 1 << Bound},
		{"!^cap_kill", "", 7},
		{"!63", "!62", 1 << Bound},
	} {
		a, err := IABFromText(c.a)
		if err != nil {
			t.Fatal(err)
		}
		b, err := IABFromText(c.b)
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2]*IAB{{a, b}, {b, a}} {
			got, err := pair[0].Cf(pair[1])
			if got != c.want || err != nil {
				t.Errorf("Cf of %q and %q = %d, %v; want %d", c.a, c.b, got, err, c.want)
			}
			for v := Inh; v <= Bound; v++ {
				if got.Has(v) != (c.want&(1<<v) != 0) {
					t.Errorf("%q and %q: Has(%v) = %v", c.a, c.b, v, got.Has(v))
				}
			}
		}
		dup, err := a.Dup()
		if err != nil {
			t.Fatal(err)
		}
		if cf, err := a.Cf(dup); cf != 0 || err != nil {
			t.Errorf("%q differs from its copy: %d, %v", c.a, cf, err)
		}
		if err := dup.SetVector(Bound, true, SETUID); err != nil {
			t.Fatal(err)
		}
		if got := a.String(); strings.Contains(got, "cap_setuid") {
			t.Errorf("a change of the copy changed %q", got)
		}
	}
}

// modelIAB is a simple second implementation of ParseIAB.
func modelIAB(text string) (i, a, nb Mask, ok bool) {
	if text == "" {
		return 0, 0, 0, true
	}
	for _, field := range strings.Split(text, ",") {
		name := strings.TrimLeft(field, "!^%")
		marks := field[:len(field)-len(name)]
		v, ok := modelName(name)
		if !ok {
			return 0, 0, 0, false
		}
		block := strings.Contains(marks, "!")
		if block {
			nb |= 1 << v
		}
		if strings.Contains(marks, "^") {
			a |= 1 << v
		}
		if !block || strings.ContainsAny(marks, "^%") {
			i |= 1 << v
		}
	}
	return i, a, nb, true
}

func checkIAB(t testing.TB, text string) {
	t.Helper()
	checkFields(t, text)
	iab, err := IABFromText(text)
	wantI, wantA, wantNB, ok := modelIAB(text)
	if ok != (err == nil) {
		t.Fatalf("IABFromText(%q): %v, the model says %v", text, err, ok)
	}
	parsed, parseErr := ParseIAB(text)
	if err != nil {
		if parsed != nil || !isNameError(err) {
			t.Fatalf("IABFromText(%q): %v, ParseIAB: %v", text, err, parseErr)
		}
		checkTextError(t, text, parseErr)
		return
	}
	i, a, nb, err := iab.Masks()
	if i != wantI || a != wantA || nb != wantNB || err != nil || parseErr != nil {
		t.Fatalf("IABFromText(%q) is %q, %v, %v; the model says %v %v %v", text, iab, err, parseErr, wantI, wantA, wantNB)
	}
	again, err := IABFromText(iab.String())
	if err != nil {
		t.Fatalf("%q became %q: %v", text, iab, err)
	}
	for _, other := range []*IAB{again, parsed} {
		if cf, err := iab.Cf(other); cf != 0 || err != nil {
			t.Fatalf("%q became %q: %d, %v", text, iab, cf, err)
		}
	}
	if again.String() != iab.String() {
		t.Fatalf("%q became %q, and that %q", text, iab, again)
	}
}

func TestIABAgainstModel(t *testing.T) {
	parts := []string{"cap_kill", "cap_chown", "cap_bpf", "63", "50", "+3", "-0", "cap_x", "64", ",", ",", ",", ",", "!", "^", "%", "!^", " ", "\xff"}
	r := rand.New(rand.NewSource(3))
	for range 50_000 {
		checkIAB(t, randomText(r, parts))
	}
}

func TestIABRoundTrip(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for range 10_000 {
		i := randomMask(r)
		iab := iabOf(i, i&randomMask(r), randomMask(r))
		again, err := IABFromText(iab.String())
		if err != nil {
			t.Fatalf("%q: %v", iab, err)
		}
		if cf, err := iab.Cf(again); cf != 0 || err != nil {
			t.Fatalf("%q differs from its tuple: %d, %v", iab, cf, err)
		}
	}
}

func FuzzIABFromText(f *testing.F) {
	for _, c := range goodTuples {
		if len(c.text) < 200 {
			f.Add(c.text)
		}
	}
	for _, c := range badTuples {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkIAB(t, text) })
}
