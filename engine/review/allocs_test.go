package review

import (
	"testing"

	"caprun/engine/cred"
	"caprun/policy"
)

// TestAllocations checks that a rule without findings does not allocate: check may
// read thousands of files.
func TestAllocations(t *testing.T) {
	p, found := policy.Parse("web.yaml", []byte(`version: 1
uid: 33
gid: 33
groups: [33, 34]
caps: cap_net_bind_service,cap_ipc_lock=eip
iab: ^cap_net_bind_service,^cap_ipc_lock
secbits: [noroot, noroot_locked]
no_new_privs: true
command: [/srv/web]
chroot: /srv/jail
umask: "0027"
env: {keep: [LANG], set: {PATH: /bin, DB_PASSWORD_FILE: /run/db, LD_BIND_NOW: "1"}}
rlimits: {nofile: 64, nproc: 10, memlock: unlimited}
`))
	if p == nil {
		t.Fatal(found)
	}
	plan, found := compileForRoot(p)
	if plan == nil {
		t.Fatal(found)
	}
	for _, r := range risks {
		report := func(at policy.Position, message, hint string) { t.Errorf("%s: %s", r.Name, message) }
		reportCaps := func(at policy.Position, caps cred.Caps, message, hint string) { report(at, message, hint) }
		find := func() { r.findCaps(plan, reportCaps) }
		if r.find != nil {
			find = func() { r.find(plan, report) }
		}
		if n := testing.AllocsPerRun(10, find); n > 0 {
			t.Errorf("%s allocates %v times", r.Name, n)
		}
	}
	// The closures are allocated once, not for each rule.
	if n := testing.AllocsPerRun(10, func() { risksOf(plan) }); n > 3 {
		t.Errorf("the rules together allocate %v times", n)
	}
}

func BenchmarkRisks(b *testing.B) {
	p, _ := policy.Parse("web.yaml", []byte("version: 1\nuid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\nno_new_privs: true\n"))
	plan, _ := compileForRoot(p)
	b.ReportAllocs()
	for b.Loop() {
		risksOf(plan)
	}
}
