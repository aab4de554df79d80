package cap

import "testing"

const (
	benchText  = "cap_chown,cap_net_bind_service,cap_setuid=ip cap_setuid+e 63+p"
	benchTuple = "!%cap_chown,^cap_net_bind_service,cap_setuid,!cap_sys_admin"
)

func BenchmarkFromName(b *testing.B) {
	for b.Loop() {
		if _, err := FromName("cap_net_bind_service"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromText(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromText(benchText); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetString(b *testing.B) {
	b.ReportAllocs()
	set := mustText(b, benchText)
	for b.Loop() {
		_ = set.String()
	}
}

func BenchmarkIABFromText(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := IABFromText(benchTuple); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIABString(b *testing.B) {
	b.ReportAllocs()
	iab, err := IABFromText(benchTuple)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_ = iab.String()
	}
}
