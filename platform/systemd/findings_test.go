package systemd

import (
	"slices"
	"strings"
	"testing"
)

// TestManyFindings: warnings do not displace errors, and an error reports findings and losses
// that are not listed.
func TestManyFindings(t *testing.T) {
	const start = "ExecStart=/bin/x\n"
	limits := strings.Repeat("LimitNOFILE=x\n", 256)
	r := read(start + "User=web\n" + limits + "CapabilityBoundingSet=CAP_KILL CAP_SYS_TIEM\n")
	if len(r.Processes) != 1 {
		t.Fatalf("%d processes: %v", len(r.Processes), r.Findings)
	}
	if got := strings.Join(texts(r.Processes[0].Findings), "; "); !strings.Contains(got, `260:32: error: unknown capability "CAP_SYS_TIEM"`) {
		t.Errorf("no error after 256 warnings: %s", got)
	}
	for name, test := range map[string]struct{ lines, want string }{
		"warnings":   {start + "User=web\n" + limits + "LimitCORE=x\nLimitCPU=x\nCapabilityBoundingSet=CAP_SYS_TIEM\n", "260:1: error: more than 256 findings: not all are listed [platform-syntax]"},
		"identity":   {start + limits + "User=%H\n", "error: more than 256 findings: not all are listed [platform-syntax]"},
		"command":    {start + "User=web\n" + limits + "ExecStartPre=+/evil\n", "260:14: error: more than 256 findings: not all are listed [platform-syntax]"},
		"names":      {start + "User=web\nCapabilityBoundingSet=" + strings.Repeat("CAP_X ", 300), "error: more than 256 findings: not all are listed [platform-syntax]"},
		"securebits": {start + "User=web\nSecureBits=" + strings.Repeat("x ", 300), "error: more than 256 findings: not all are listed [platform-syntax]"},
		"variables":  {start + "User=web\nEnvironment=" + strings.Repeat("=1 ", 300), "error: more than 256 findings: not all are listed [platform-syntax]"},
		"passed":     {start + "User=web\nPassEnvironment=" + strings.Repeat("1 ", 300), "error: more than 256 findings: not all are listed [platform-syntax]"},
		"losses":     {start + "User=web\n" + strings.Repeat("BindPaths=/a\n", 600), "516:1: error: more than 512 declarations that a profile cannot express: not all are listed [platform-syntax]"},
		"words":      {start + "User=web\nUnsetEnvironment=" + strings.Repeat("1 ", 600), "error: more than 512 declarations that a profile cannot express: not all are listed [platform-syntax]"},
	} {
		r := read(test.lines)
		got := texts(r.Findings)
		if len(r.Processes) != 0 || strings.Count(strings.Join(got, "\n"), "not all are listed") != 1 || !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, test.want) }) {
			t.Errorf("%s: %d processes, %d findings: %.400s", name, len(r.Processes), len(got), strings.Join(got, "; "))
		}
		if want := strings.Contains(test.lines, "TIEM"); want != strings.Contains(strings.Join(got, "\n"), "unknown capability \"CAP_SYS_TIEM\"") {
			t.Errorf("%s: error about CAP_SYS_TIEM: want %t", name, want)
		}
	}
}
