package launcher

import (
	"testing"

	"caprun/cap"
	"caprun/policy"
	"caprun/profiles"
)

// TestBuild builds the launcher of each built-in profile.
func TestBuild(t *testing.T) {
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		p, diagnostics := policy.Parse(name, text)
		if p == nil {
			t.Fatal(diagnostics)
		}
		program, err := Build(Config{Profile: p, Name: name, Formats: []Format{{2, 62}}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s: %d operations, %d bytes of data, frame of %d bytes", name, len(program.Ops), len(program.Data), program.Frame)
	}
}

// TestEveryKind: a kind of step has a translation, or a reason why it has none.
func TestEveryKind(t *testing.T) {
	for kind := cap.StepKind(1); kind < cap.StepKinds; kind++ {
		_, refused := unsupported[kind]
		if translated := translations[kind] != nil; translated == refused {
			t.Errorf("%v: translated %v, refused %v", kind, translated, refused)
		}
	}
}
