package conformance

import (
	"testing"

	"caprun/internal/test/conformance/pair"
	"caprun/internal/test/requires"
)

// Benchmark has every piece of work done by both packages, as /ours and
// /upstream. The command bench-cap times them in turns and prints a table.
func Benchmark(b *testing.B) {
	for _, p := range pair.All() {
		b.Run(p.Name, func(b *testing.B) {
			if p.Prepare != nil {
				undo, err := p.Prepare()
				if err != nil {
					b.Fatal(err)
				}
				defer undo()
			}
			for _, side := range []struct {
				name string
				work func() error
			}{{"ours", p.Ours}, {"upstream", p.Theirs}} {
				b.Run(side.name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if err := side.work(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

// TestPairs does each piece of work once, so that none is broken.
func TestPairs(t *testing.T) {
	for _, p := range pair.All() {
		if p.Root {
			requires.Root(t)
		}
		if p.Prepare != nil {
			undo, err := p.Prepare()
			if err != nil {
				t.Fatal(err)
			}
			defer undo()
		}
		for name, work := range map[string]func() error{"ours": p.Ours, "theirs": p.Theirs} {
			if err := work(); err != nil {
				t.Errorf("%s, %s: %v", p.Name, name, err)
			}
		}
	}
}
