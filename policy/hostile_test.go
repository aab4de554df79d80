package policy

import (
	"maps"
	"slices"
	"testing"
	"time"

	"caprun/internal/test/cputime"
	"caprun/internal/test/slowprofile"
)

// TestHostileTexts: no shape of a file makes reading it slow. Code that scans a line or
// the file for each finding would take ten times as long.
func TestHostileTexts(t *testing.T) {
	// Half of the values that a file can have.
	const few = maxNodes/2 - 100
	for name, texts := range map[string]map[string]string{
		"many":                   slowprofile.All(MaxSize, MaxSize, ""),
		"few":                    slowprofile.All(MaxSize, few, ""),
		"few, then blanks":       slowprofile.All(MaxSize, few, " "),
		"few, then comments":     slowprofile.All(MaxSize, few, "\n  #"),
		"small":                  slowprofile.All(maxSearched, maxSearched, ""),
		"small, and then blanks": slowprofile.All(maxSearched, maxSearched/32, " "),
	} {
		t.Run(name, func(t *testing.T) { readHostile(t, texts) })
	}
}

func readHostile(t *testing.T, texts map[string]string) {
	const most = 100 * time.Millisecond
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		text := []byte(texts[name])
		if len(text) > MaxSize {
			t.Errorf("%s: %d bytes", name, len(text))
		}
		found := 0
		took := cputime.Least(t, most, func() {
			_, diagnostics := Read("x.yaml", text)
			found = len(diagnostics)
		})
		if took > most {
			t.Errorf("%s takes %v, with %d findings", name, took, found)
		}
		if took > most/4 {
			t.Logf("%-28s %3d findings %v", name, found, took)
		}
	}
}
