package engine

import (
	"testing"

	"caprun/engine/cred"
)

// BenchmarkCompile measures Compile, which every launch calls.
func BenchmarkCompile(b *testing.B) {
	p := parse(b, "uid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\nno_new_privs: true")
	from, to := cred.Root(), OrdinaryTarget()
	b.ReportAllocs()
	for b.Loop() {
		if plan, d := Compile(p, from, to); plan == nil {
			b.Fatal(d)
		}
	}
}

// BenchmarkRefuse measures the refusal of a profile that names every capability.
func BenchmarkRefuse(b *testing.B) {
	p := parse(b, "uid: 33\ngid: 33\ncaps: all=ep")
	from, to := cred.Root(), OrdinaryTarget()
	for b.Loop() {
		if plan, _ := Compile(p, from, to); plan != nil {
			b.Fatal("there is a plan")
		}
	}
}
