package amd64

import (
	"testing"

	"caprun/policy"
	"caprun/profiles"
	"caprun/seal/internal/launcher"
)

// TestLaunchers reads the code of the launcher of each built-in profile.
func TestLaunchers(t *testing.T) {
	for _, name := range profiles.Names() {
		t.Run(name, func(t *testing.T) {
			text, err := profiles.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			profile, diagnostics := policy.Parse(name, text)
			if profile == nil {
				t.Fatal(diagnostics)
			}
			p, err := launcher.Build(launcher.Config{
				Profile: profile, Name: name, Formats: []launcher.Format{{Class: 2, Machine: 62}},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d operations, %d bytes of data: %d bytes", len(p.Ops), len(p.Data), backEnd.TestProgram(t, p))
		})
	}
}
