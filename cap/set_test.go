package cap

import (
	"math/bits"
	"math/rand"
	"sync"
	"testing"
	"time"
)

// mustText returns the set of a text, for a kernel with the named capabilities.
func mustText(t testing.TB, text string) *Set {
	t.Helper()
	c, err := ParseText(text, NamedCount)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantText(t testing.TB, c *Set, want string) {
	t.Helper()
	if got := c.Text(NamedCount); got != want {
		t.Errorf("the set is %q, want %q", got, want)
	}
}

func TestFlagString(t *testing.T) {
	for f, want := range []string{"e", "p", "i", "<Error>", "<Error>"} {
		if got := Flag(f).String(); got != want {
			t.Errorf("Flag(%d).String() = %q, want %q", f, got, want)
		}
	}
}

func TestBadSetIsAnError(t *testing.T) {
	good := mustText(t, "cap_kill=p")
	for name, c := range map[string]*Set{"nil": nil, "zero": {}} {
		for call, err := range map[string]error{
			"Cf":              second(c.Cf(good)),
			"Cf argument":     second(good.Cf(c)),
			"Compare":         second(c.Compare(good)),
			"Dup":             second(c.Dup()),
			"Export":          second(c.Export()),
			"GetFlag":         second(c.GetFlag(Permitted, KILL)),
			"SetFlag":         c.SetFlag(Permitted, true, KILL),
			"Clear":           c.Clear(),
			"ClearFlag":       c.ClearFlag(Permitted),
			"Fill":            c.Fill(Effective, Permitted),
			"Fill bad flag":   c.Fill(7, Permitted),
			"FillFlag":        c.FillFlag(Effective, good, Permitted),
			"FillFlag source": good.FillFlag(Effective, c, Permitted),
			"FillFlag both":   good.FillFlag(7, c, 7),
			"IAB.Fill source": NewIAB().Fill(Inh, c, Permitted),
		} {
			if err != ErrBadSet {
				t.Errorf("%s Set: %s gives %v", name, call, err)
			}
		}
		if got := c.String(); got != "<invalid>" {
			t.Errorf("%s Set: String gives %q", name, got)
		}
		if got := c.Text(3); got != "<invalid>" {
			t.Errorf("%s Set: Text gives %q", name, got)
		}
	}
	wantText(t, good, "cap_kill=p")
}

func second[T any](_ T, err error) error { return err }

func TestOutOfRange(t *testing.T) {
	c := mustText(t, "cap_kill=p")
	for _, v := range []Value{64, 65, 1000, ^Value(0)} {
		if got, err := c.GetFlag(Permitted, v); got || err != ErrBadValue {
			t.Errorf("GetFlag(%d) = %v, %v", uint(v), got, err)
		}
		// What comes before the bad value must not stay.
		if err := c.SetFlag(Permitted, true, CHOWN, v); err != ErrBadValue {
			t.Errorf("SetFlag(%d) gives %v", uint(v), err)
		}
		if err := c.SetFlag(Permitted, false, KILL, v); err != ErrBadValue {
			t.Errorf("SetFlag(%d) gives %v", uint(v), err)
		}
	}
	for _, f := range []Flag{3, 4, 64, ^Flag(0)} {
		for call, err := range map[string]error{
			"GetFlag":        second(c.GetFlag(f, KILL)),
			"SetFlag":        c.SetFlag(f, true, KILL),
			"SetFlag of no":  c.SetFlag(f, true),
			"Fill to":        c.Fill(f, Permitted),
			"Fill from":      c.Fill(Effective, f),
			"FillFlag to":    c.FillFlag(f, c, Permitted),
			"FillFlag from":  c.FillFlag(Effective, c, f),
			"IAB.Fill":       NewIAB().Fill(Inh, c, f),
			"IAB.Fill bound": NewIAB().Fill(Bound, c, f),
		} {
			if err != ErrBadValue {
				t.Errorf("Flag %d: %s gives %v", uint(f), call, err)
			}
		}
		if err := c.ClearFlag(f); err != ErrBadSet {
			t.Errorf("ClearFlag(%d) gives %v", uint(f), err)
		}
		if (^Diff(0)).Has(f) != (f < bits.UintSize) {
			t.Errorf("Diff.Has(%d)", uint(f))
		}
	}
	wantText(t, c, "cap_kill=p")
}

func TestSetFlags(t *testing.T) {
	c := NewSet()
	do := func(err error, want string) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		wantText(t, c, want)
	}
	do(c.SetFlag(Effective, true), "=")
	do(c.SetFlag(Effective, true, KILL, CHOWN, KILL), "cap_chown,cap_kill=e")
	do(c.SetFlag(Inheritable, true, 63), "cap_chown,cap_kill=e 63+i")
	do(c.SetFlag(Effective, false, CHOWN, SETUID), "cap_kill=e 63+i")
	do(c.Fill(Permitted, Inheritable), "cap_kill=e 63+ip")
	do(c.FillFlag(Permitted, mustText(t, "cap_setuid=i"), Inheritable), "cap_setuid=p cap_kill+e 63+i")
	do(c.FillFlag(Inheritable, c, Effective), "cap_kill=ei cap_setuid+p")
	do(c.SetFlag(Permitted, true, 63), "cap_kill=ei cap_setuid+p 63+p")
	do(c.ClearFlag(Permitted), "cap_kill=ei")
	for v := Value(0); v < 64; v++ {
		for f := Effective; f <= Inheritable; f++ {
			got, err := c.GetFlag(f, v)
			if want := v == KILL && f != Permitted; got != want || err != nil {
				t.Errorf("GetFlag(%v, %v) = %v, %v", f, v, got, err)
			}
		}
	}
	do(c.Clear(), "=")
}

func TestDupIsIndependent(t *testing.T) {
	c := mustText(t, "cap_kill=ep")
	c.SetNSOwner(7)
	d, err := c.Dup()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Clear(); err != nil {
		t.Fatal(err)
	}
	wantText(t, d, "cap_kill=ep")
	wantText(t, c, "=")
	if uid, err := d.GetNSOwner(); uid != 7 || err != nil {
		t.Errorf("the owner of the copy is %d, %v", uid, err)
	}
	if uid, err := c.GetNSOwner(); uid != 0 || err != nil {
		t.Errorf("the owner after Clear is %d, %v", uid, err)
	}
}

func TestNSOwner(t *testing.T) {
	var none *Set
	none.SetNSOwner(5)
	if uid, err := none.GetNSOwner(); uid != 0 || err != ErrBadSet {
		t.Errorf("nil Set: %d, %v", uid, err)
	}
	zero := &Set{}
	if uid, err := zero.GetNSOwner(); uid != 0 || err != nil {
		t.Errorf("zero Set: %d, %v", uid, err)
	}
	zero.SetNSOwner(5)
	if uid, err := zero.GetNSOwner(); uid != 5 || err != nil {
		t.Errorf("zero Set: %d, %v", uid, err)
	}
	if err := zero.Clear(); err != ErrBadSet {
		t.Errorf("an owner makes no Set of a zero Set: %v", err)
	}
	a, b := NewSet(), NewSet()
	a.SetNSOwner(1000)
	if cf, err := a.Cf(b); cf != 0 || err != nil {
		t.Errorf("the owner counts in Cf: %d, %v", cf, err)
	}
}

func TestCf(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want Diff
	}{
		{"=", "=", 0},
		{"cap_kill=eip", "cap_kill=eip", 0},
		{"cap_kill=eip", "cap_kill=ip", 1 << Effective},
		{"cap_kill=eip", "cap_kill=ei", 1 << Permitted},
		{"cap_kill=eip", "cap_kill=ep", 1 << Inheritable},
		{"cap_kill=eip", "cap_chown=eip", 7},
		{"= 63+e", "=", 1 << Effective},
	} {
		a, b := mustText(t, c.a), mustText(t, c.b)
		for _, pair := range [][2]*Set{{a, b}, {b, a}} {
			got, err := pair[0].Cf(pair[1])
			if got != c.want || err != nil {
				t.Errorf("Cf of %q and %q = %d, %v; want %d", c.a, c.b, got, err, c.want)
			}
			old, err := pair[0].Compare(pair[1])
			if old != uint(c.want) || err != nil {
				t.Errorf("Compare of %q and %q = %d, %v", c.a, c.b, old, err)
			}
			for f := Effective; f <= Inheritable; f++ {
				want := c.want&(1<<f) != 0
				if got.Has(f) != want || Differs(old, f) != want {
					t.Errorf("%q and %q in %v: Has %v, Differs %v", c.a, c.b, f, got.Has(f), Differs(old, f))
				}
			}
		}
		if got, err := a.Cf(a); got != 0 || err != nil {
			t.Errorf("Cf of %q with itself = %d, %v", c.a, got, err)
		}
	}
}

// TestNeverHoldsTwoLocks: a method of two sets, or of a tuple and a set, must not lock one
// while it waits for the other. Two such methods in opposite order would deadlock.
func TestNeverHoldsTwoLocks(t *testing.T) {
	a, b, x, y := NewSet(), NewSet(), NewIAB(), NewIAB()
	for name, c := range map[string]struct {
		one, other *sync.RWMutex
		call       func() error
	}{
		"Set.Cf":       {&a.mu, &b.mu, func() error { return second(a.Cf(b)) }},
		"Set.FillFlag": {&a.mu, &b.mu, func() error { return a.FillFlag(Permitted, b, Effective) }},
		"IAB.Cf":       {&x.mu, &y.mu, func() error { return second(x.Cf(y)) }},
		"IAB.Fill":     {&x.mu, &a.mu, func() error { return x.Fill(Amb, a, Permitted) }},
	} {
		for _, order := range [][2]*sync.RWMutex{{c.one, c.other}, {c.other, c.one}} {
			held, free := order[0], order[1]
			held.Lock()
			done := make(chan error)
			go func() { done <- c.call() }()
			time.Sleep(5 * time.Millisecond)
			// The call may lock free, but not keep it locked.
			got := false
			for try := 0; try < 1000 && !got; try++ {
				if got = free.TryLock(); got {
					free.Unlock()
				} else {
					time.Sleep(time.Millisecond)
				}
			}
			if !got {
				t.Errorf("%s keeps one lock while it waits for the other", name)
			}
			held.Unlock()
			if err := <-done; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestConcurrentUse: any two methods may run at the same time, with two sets in either
// order.
func TestConcurrentUse(t *testing.T) {
	a, b := mustText(t, "=p"), mustText(t, "cap_kill=i")
	x, y := NewIAB(), NewIAB()
	jobs := []func(r *rand.Rand){
		func(*rand.Rand) { _ = a.FillFlag(Permitted, b, Inheritable) },
		func(*rand.Rand) { _ = b.FillFlag(Permitted, a, Inheritable) },
		func(*rand.Rand) { _, _ = a.Cf(b) },
		func(*rand.Rand) { _, _ = b.Cf(a) },
		func(*rand.Rand) { _, _ = a.Cf(a) },
		func(*rand.Rand) { _ = a.FillFlag(Permitted, a, Effective) },
		func(r *rand.Rand) { _ = a.SetFlag(Inheritable, true, Value(r.Intn(64))) },
		func(r *rand.Rand) { _ = b.SetFlag(Inheritable, false, Value(r.Intn(64))) },
		func(*rand.Rand) { _, _ = a.GetFlag(Effective, KILL) },
		func(*rand.Rand) { _ = a.ClearFlag(Inheritable) },
		func(*rand.Rand) { _ = b.Clear() },
		func(*rand.Rand) { _ = a.Fill(Effective, Permitted) },
		func(r *rand.Rand) { b.SetNSOwner(r.Int()) },
		func(*rand.Rand) { _, _ = b.GetNSOwner() },
		func(*rand.Rand) { _, _ = b.Dup() },
		func(*rand.Rand) { _ = a.String() },
		func(*rand.Rand) { _, _ = a.Export() },
		func(*rand.Rand) { _ = x.Fill(Amb, a, Permitted) },
		func(*rand.Rand) { _ = y.Fill(Bound, b, Permitted) },
		func(*rand.Rand) { _, _ = x.Cf(y) },
		func(*rand.Rand) { _, _ = y.Cf(x) },
		func(r *rand.Rand) { _ = x.SetVector(Inh, false, Value(r.Intn(5))) },
		func(r *rand.Rand) { _ = y.SetVector(Amb, true, Value(r.Intn(5))) },
		func(*rand.Rand) { _, _ = x.GetVector(Amb, KILL) },
		func(*rand.Rand) { _, _ = x.Dup() },
		func(*rand.Rand) { _ = y.String() },
	}
	var done sync.WaitGroup
	start := make(chan struct{})
	for seed, job := range jobs {
		done.Go(func() {
			r := rand.New(rand.NewSource(int64(seed)))
			<-start
			for range 500 {
				job(r)
			}
		})
	}
	close(start)
	finished := make(chan struct{})
	go func() { done.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(time.Minute):
		t.Fatal("the methods wait for each other")
	}
}

// TestMasks: Masks returns the masks from which a set or a tuple was made.
func TestMasks(t *testing.T) {
	if e, p, i, err := SetOf(1, 2, 4).Masks(); e != 1 || p != 2 || i != 4 || err != nil {
		t.Errorf("%v, %v, %v, %v", e, p, i, err)
	}
	if i, a, nb, err := IABOf(1, 2, 4).Masks(); i != 3 || a != 2 || nb != 4 || err != nil {
		t.Errorf("what is ambient is inheritable too: %v, %v, %v, %v", i, a, nb, err)
	}
	for _, c := range []*Set{nil, {}} {
		if _, _, _, err := c.Masks(); err != ErrBadSet {
			t.Errorf("Masks of no set: %v", err)
		}
	}
	for _, iab := range []*IAB{nil, {}} {
		if _, _, _, err := iab.Masks(); err != ErrBadValue {
			t.Errorf("Masks of no tuple: %v", err)
		}
	}
}
