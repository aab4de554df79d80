// Package pair has pieces of work for package cap and for the package whose API it
// offers, to compare their times.
package pair

import (
	"os"
	"strings"

	"caprun/cap"

	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

// Pair is one piece of work, for both packages.
type Pair struct {
	Name   string
	Ours   func() error
	Theirs func() error

	// Prepare prepares the work, and returns the function that cleans up. It may be
	// nil.
	Prepare func() (undo func(), err error)

	// Root reports whether only uid 0 can do it.
	Root bool
}

// All returns the pairs. The last ones start processes.
func All() []Pair {
	var list []Pair
	for _, text := range texts() {
		list = append(list, parseText(text), printText(text))
	}
	for _, text := range tuples() {
		list = append(list, parseTuple(text), printTuple(text))
	}
	list = append(list, Pair{
		Name: "GetProc",
		Ours: func() error { cap.GetProc(); return nil },
		Theirs: func() error {
			upstream.GetProc()
			return nil
		},
	}, Pair{
		Name: "IABGetProc",
		Ours: func() error { cap.IABGetProc(); return nil },
		Theirs: func() error {
			upstream.IABGetProc()
			return nil
		},
	}, Pair{
		Name:   "IABGetPID",
		Ours:   func() error { _, err := cap.IABGetPID(os.Getpid()); return err },
		Theirs: func() error { _, err := upstream.IABGetPID(os.Getpid()); return err },
	})
	for _, threads := range []int{1, 16, 128, 1024} {
		list = append(list, setProc(threads))
	}
	return append(list, launchings()...)
}

// named is a text with a short name for it.
type named struct{ name, text string }

func everyName() []string {
	var names []string
	for v := range cap.Value(cap.NamedCount) {
		names = append(names, v.String())
	}
	return names
}

func texts() []named {
	return []named{
		{"3 names", "cap_chown,cap_net_bind_service,cap_setuid=ip cap_setuid+e"},
		{"all but one", "=ep cap_sys_admin-ep"},
		{"every name", strings.Join(everyName(), ",") + "=ep"},
		{"every name in a clause", strings.Join(everyName(), "+ep ") + "+i"},
		{"numbers", "1,2,3,40=ep 12,13+i"},
	}
}

func tuples() []named {
	var marked []string
	for v, name := range everyName() {
		marked = append(marked, []string{"!", "^", "%", "!%", ""}[v%5]+name)
	}
	return []named{
		{"1 name", "^cap_net_bind_service"},
		{"4 names", "!%cap_chown,^cap_net_bind_service,cap_setuid,!cap_sys_admin"},
		{"every name", strings.Join(everyName(), ",")},
		{"every name, marked", strings.Join(marked, ",")},
		{"numbers", "1,2,^3,!40"},
	}
}

func parseText(text named) Pair {
	return Pair{
		Name:   "FromText, " + text.name,
		Ours:   func() error { _, err := cap.FromText(text.text); return err },
		Theirs: func() error { _, err := upstream.FromText(text.text); return err },
	}
}

// printed keeps the compiler from removing unused results.
var printed string

func printText(text named) Pair {
	ours, theirs := must(cap.FromText(text.text)), must(upstream.FromText(text.text))
	return Pair{
		Name:   "Set.String, " + text.name,
		Ours:   func() error { printed = ours.String(); return nil },
		Theirs: func() error { printed = theirs.String(); return nil },
	}
}

func parseTuple(text named) Pair {
	return Pair{
		Name:   "IABFromText, " + text.name,
		Ours:   func() error { _, err := cap.IABFromText(text.text); return err },
		Theirs: func() error { _, err := upstream.IABFromText(text.text); return err },
	}
}

func printTuple(text named) Pair {
	ours, theirs := must(cap.IABFromText(text.text)), must(upstream.IABFromText(text.text))
	return Pair{
		Name:   "IAB.String, " + text.name,
		Ours:   func() error { printed = ours.String(); return nil },
		Theirs: func() error { printed = theirs.String(); return nil },
	}
}

// must returns the value for the texts above, which are valid.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
