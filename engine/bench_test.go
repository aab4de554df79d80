package engine

import (
	"testing"

	"caprun/engine/cred"
)

// BenchmarkCompile is on the path of every launch.
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

// BenchmarkRefuse is the explanation of a profile that names every capability.
func BenchmarkRefuse(b *testing.B) {
	p := parse(b, "uid: 33\ngid: 33\ncaps: all=ep")
	from, to := cred.Root(), OrdinaryTarget()
	for b.Loop() {
		if plan, _ := Compile(p, from, to); plan != nil {
			b.Fatal("there is a plan")
		}
	}
}
