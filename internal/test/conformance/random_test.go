package conformance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"caprun/cap"
)

// seedVariable overrides the seed of all random tests. countVariable multiplies the
// number of inputs.
const seedVariable, countVariable = "CONFORMANCE_SEED", "CONFORMANCE_COUNT"

func number(t testing.TB, variable string, preset uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return preset
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// shards is fixed, so that the same seed tries the same inputs on every machine.
const shards = 8

// sharded calls try with separate random sources, in parallel. It stops after enough
// failures.
func sharded(t *testing.T, count int, try func(r *rand.Rand) error) {
	t.Helper()
	seed := number(t, seedVariable, 1)
	count *= int(number(t, countVariable, 1))
	t.Logf("%d inputs, %s=%d", count, seedVariable, seed)
	var wg sync.WaitGroup
	for shard := range uint64(shards) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, shard))
			for bad, n := 0, count/shards; n > 0 && bad < 3; n-- {
				if err := try(r); err != nil {
					t.Error(err)
					bad++
				}
			}
		})
	}
	wg.Wait()
}

// tally counts the known differences. Each must appear, or the list is wrong.
type tally struct {
	sync.Mutex
	seen map[string]int
}

func (c *tally) count(what string) {
	c.Lock()
	defer c.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	c.seen[what]++
}

func (c *tally) report(t *testing.T, known ...string) {
	t.Helper()
	for _, what := range known {
		if c.seen[what] == 0 {
			t.Errorf("the known difference does not appear: %s", what)
		}
	}
	for what, n := range c.seen {
		t.Logf("%8d times: %s", n, what)
		if !slices.Contains(known, what) {
			t.Errorf("not a known difference: %s", what)
		}
	}
}

// minimise shortens a text that fails.
func minimise(text string, fails func(string) bool) string {
	for size := len(text) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(text); {
			if shorter := text[:at] + text[at+size:]; fails(shorter) {
				text = shorter
			} else {
				at++
			}
		}
	}
	return text
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

// oddNames are names that a lenient reader accepts, and some that a strict one
// accepts too.
var oddNames = []string{
	"", "all", "All", "CAP_CHOWN", "cap_", "cap_chow", "cap_chowns", "cap_bogus", "chown", "-", "é", "\xff",
	"007", "+3", "-0", "-1", "0x3", "1_1", "64", "99", "00000000000000000000000000000000041", "18446744073709551616",
}

// randomName returns a named capability, a number that the kernel may not have, or
// another text.
func randomName(r *rand.Rand) string {
	switch n := r.IntN(40); {
	case n == 0:
		return pick(r, oddNames...)
	case n < 8:
		return strconv.Itoa(r.IntN(int(cap.MaxBits()) + 10))
	case n < 10:
		return strconv.Itoa(r.IntN(64))
	default:
		return cap.Value(r.IntN(cap.NamedCount)).String()
	}
}

// mutate changes up to three bytes of a text.
func mutate(r *rand.Rand, text, alphabet string) string {
	d := []byte(text)
	for k := r.IntN(6) - 2; k > 0; k-- {
		at, c := r.IntN(len(d)+1), alphabet[r.IntN(len(alphabet))]
		switch r.IntN(4) {
		case 0:
			d = slices.Insert(d, at, c)
		case 1:
			d = d[:at]
		case 2:
			d = slices.Delete(d, at, min(at+1, len(d)))
		default:
			d = append(d[:at:at], append([]byte{c}, d[min(at+1, len(d)):]...)...)
		}
	}
	return string(d)
}

// randomBits returns few, half or most of 64 bits.
func randomBits(r *rand.Rand) uint64 {
	n := r.Uint64()
	switch r.IntN(4) {
	case 0:
		n &= r.Uint64() & r.Uint64()
	case 1:
		n |= r.Uint64() | r.Uint64()
	case 2:
		n = 0
	}
	if r.IntN(2) == 0 {
		n &= 1<<cap.MaxBits() - 1
	}
	return n
}

// portable returns the documented portable form of a set.
func portable(e, p, i uint64) []byte {
	d := []byte{0x90, 0xc2, 0x01, 0x51, 8}
	for k := 0; k < 64; k += 8 {
		d = append(d, byte(e>>k), byte(p>>k), byte(i>>k))
	}
	return d
}

func TestMinimise(t *testing.T) {
	if got := minimise("some words=ep, and more", func(s string) bool { return strings.Contains(s, "=e") }); got != "=e" {
		t.Error(fmt.Sprintf("minimised to %q", got))
	}
}
