package report

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// fleet returns a report of generated profiles, as a company may have them.
func fleet(t testing.TB, count int) *Report {
	g := rand.New(rand.NewPCG(5, uint64(count)))
	names := strings.Fields("chown dac_override dac_read_search fowner setgid setuid setpcap net_bind_service net_admin net_raw " +
		"sys_admin sys_ptrace sys_time sys_nice kill ipc_lock sys_chroot mknod audit_write sys_resource syslog bpf perfmon")
	profiles := map[string]string{}
	for n := range count {
		text := fmt.Sprintf("version: 1\nname: svc-%d\ndescription: Service %d of the fleet, which answers requests of others.\n", n, n)
		var caps []string
		for range g.IntN(4) {
			caps = append(caps, "cap_"+names[g.IntN(len(names))])
		}
		declared := strings.Join(caps, ",") + "="
		if caps != nil {
			declared += "eip"
		}
		switch g.IntN(10) {
		case 0:
			text += "uid: 0\ngid: 0\ncaps: \"" + declared + "\"\n"
		case 1:
			text += "caps: \"" + declared + "\"\n"
		case 2:
			text += []string{"", "uid: 1000\ngid: 1000\n", "caps: cap_nosuch=ep\n"}[g.IntN(3)]
		default:
			text += fmt.Sprintf("uid: %d\ngid: 100\ncaps: \"%s\"\n", 1000+n, declared)
		}
		if g.IntN(3) > 0 {
			text += "no_new_privs: true\n"
		}
		if g.IntN(2) == 0 {
			text += "secbits: [noroot, noroot_locked]\n"
		}
		profiles[fmt.Sprintf("team-%d/svc-%03d.yaml", n%10, n)] = text
	}
	return newReport(t, Options{}, profiles)
}

// TestFleet: the page of 500 profiles is one that a browser loads at once.
func TestFleet(t *testing.T) {
	start := time.Now()
	r := fleet(t, 500)
	text, page := pageOf(t, r)
	took := time.Since(start)
	checkPage(t, text, page)
	t.Logf("%d bytes, %v", len(text), took)
	if len(text) > 2<<20 || took > 20*time.Second {
		t.Errorf("%d bytes, %v", len(text), took)
	}
	if got := len(page.all("tr")); got < 510 {
		t.Errorf("%d rows of tables", got)
	}
}

// BenchmarkFleet measures a report of 500 profiles.
func BenchmarkFleet(b *testing.B) {
	for b.Loop() {
		if err := fleet(b, 500).HTML(io.Discard, "out"); err != nil {
			b.Fatal(err)
		}
	}
}
