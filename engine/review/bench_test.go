package review

import (
	"testing"

	"caprun/profiles"

	"gopkg.in/yaml.v3"
)

// BenchmarkCheck measures caprun check for one file, BenchmarkNodes the part that
// yaml.v3 takes.
func BenchmarkCheck(b *testing.B) {
	text := web(b)
	b.ReportAllocs()
	for b.Loop() {
		if found := Check("web.yaml", text, Options{}).Findings; len(found) > 0 {
			b.Fatal(found)
		}
	}
}

func BenchmarkNodes(b *testing.B) {
	text := web(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := yaml.Unmarshal(text, new(yaml.Node)); err != nil {
			b.Fatal(err)
		}
	}
}

func web(b *testing.B) []byte {
	b.Helper()
	text, err := profiles.Read("web")
	if err != nil {
		b.Fatal(err)
	}
	return text
}
