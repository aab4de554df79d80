package review

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/cputime"
	"caprun/internal/test/slowprofile"
	"caprun/policy"
)

// hostileValues returns profiles of the maximum size with values that could make the
// rules or the printers slow.
func hostileValues() map[string]string {
	fill := func(head, part, tail string) string {
		n := max((policy.MaxSize-len(head)-len(tail))/len(part), 0)
		return head + strings.Repeat(part, n) + tail
	}
	number := func(head, format, tail string) string {
		var b strings.Builder
		b.WriteString(head)
		for n := 0; b.Len()+len(format)+8+len(tail) < policy.MaxSize; n++ {
			fmt.Fprintf(&b, format, n)
		}
		return b.String() + tail
	}
	const v = "version: 1\n"
	return map[string]string{
		"flow depth":      fill(v+"command: ", "[", ""),
		"flow depth maps": fill(v+"command: ", "{a: ", ""),
		"flow keys":       fill(v+"? ", "[", ""),
		"question marks":  fill(v, "? ", "\n"),
		"near keys":       number(v, "no_new_prixs%d: 1\n", ""),
		"groups":          number(v+"groups: [", "%d, ", "1]\n"),
		"groups a line":   number(v+"groups:\n", "- %d\n", ""),
		"command":         fill(v+"command: [/bin/x, ", "a, ", "a]\n"),
		"caps clauses":    fill(v+"caps: \"", "cap_chown+e ", "\"\n"),
		"caps names":      fill(v+"caps: \"", "cap_chown,", "cap_kill=p\"\n"),
		"caps bad names":  fill(v+"caps: \"", "cap_chowm,", "cap_kill=p\"\n"),
		"caps flags":      fill(v+"caps: \"cap_chown", "+e-e", "\"\n"),
		"caps other case": fill(v+"caps: \"", "CAP_CHOWN+e ", "\"\n"),
		"caps numbers":    number(v+"caps: \"", "%d,", "1=p\"\n"),
		"caps spaces":     fill(v+"caps: \"cap_chown=p", " ", "cap_kill+e\"\n"),
		"iab":             fill(v+"iab: \"", "!%^cap_chown,", "cap_kill\"\n"),
		"iab bad":         fill(v+"iab: \"", "!%^cap_chowm,", "cap_kill\"\n"),
		"iab marks":       fill(v+"iab: \"", "!", "cap_kill\"\n"),
		"secbits":         fill(v+"secbits: [", "noroot,", "noroot]\n"),
		"secbits bad":     number(v+"secbits: [", "norxot%d,", "noroot]\n"),
		"env set":         number(v+"env: {set: {", "A%d: x, ", "B: x}}\n"),
		"env keep":        number(v+"env: {keep: [", "A%d, ", "B]}\n"),
		"env keep unset":  number(v+"env: {keep: [", "A%d, ", "B], unset: [B]}\n"),
		"env bad":         fill(v+"env: {keep: [", "\"=\",", "B]}\n"),
		"rlimits":         number(v+"rlimits: {", "nofilx%d: 1, ", "core: 0}\n"),
		"keep_fds":        number(v+"keep_fds: [", "%d, ", "3]\n"),
		"ignored":         number(v+"lint: {ignore: [", "{rule: no-%d, reason: x},", "]}\n"),
		"reason":          fill(v+"lint: {ignore: [{rule: x, reason: \"", "ㅤ", "\"}]}\n"),
		"marks":           fill(v+"name: \"a", "\u0301", "\"\n"),
		"wide":            fill(v+"name: \"", "\u4e00", "\"\n"),
		"wide list":       fill(v+"secbits: [", "\u4e00,", "]\n"),
		"brackets":        fill(v+"nome: \"", "##[", "\"\n"),
		"hashes":          fill(v+"nome: \"", "##a", "\"\n"),
		"laughs":          v + "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n",
		"folded":          fill(v+"name: \"", "x\n  ", "\"\n"),
		"quoted lines":    fill(v+"name: '", "\n", "'\n"),
		"open quotes":     fill(v, "\"", ""),
		"long word":       fill(v+"mode: ", "k", "\n"),
		"long user":       fill(v+"user: ", "k", "\n"),
		"slashes":         fill(v+"chroot: ", "/", "\n"),
		"dots":            fill(v+"cwd: ", "/..", "\n"),
		"digits":          fill(v+"uid: ", "9", "\n"),
		"underscores":     fill(v+"uid: 1", "_", "\n"),
		"invalid UTF-8":   fill(v+"name: ", "\xff", "\n"),
	}
}

// TestHostileShapes checks and prints files of the maximum size. Work that is
// quadratic in the size would exceed the limit ten times.
func TestHostileShapes(t *testing.T) {
	const most = 300
	profiles := slowprofile.All(policy.MaxSize, policy.MaxSize, "")
	maps.Copy(profiles, hostileValues())
	for name, text := range profiles {
		if n := isQuickToReview(t, name, text); n == 0 || n > most {
			t.Errorf("%s: %d findings", name, n)
		}
	}
}

// TestHostileRisks is TestHostileShapes for profiles without mistakes that have as
// many risks as possible.
func TestHostileRisks(t *testing.T) {
	const v = "version: 1\nuid: 33\ngid: 33\ncaps: cap_net_raw=eip\n"
	list := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	var ignored strings.Builder
	for n, rule := range Rules() {
		if rule.Severity != policy.Error && !strings.HasPrefix(rule.Name, "suppression-") {
			fmt.Fprintf(&ignored, "{rule: %s, reason: \"%d%s\"},", rule.Name, n, strings.Repeat("x", 400))
		}
	}
	for name, text := range map[string]string{
		"secrets in env":         v + "env: {set: {" + list(1024, "A%d_PASSWORD: xxxxxxxxxxxxxxxxxxxxxxxxxxx, ") + "}}\n",
		"secrets in env a line":  v + "env:\n set:\n" + list(1024, "  A%d_PASSWORD: xxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
		"secrets in a command":   v + "command: [/bin/x, " + list(1023, `"--%d-password=xxxxxxxxxxxxxxxxxxxxxxxx", `) + "]\n",
		"addresses":              v + "command: [/bin/x, \"" + strings.Repeat("a://", 8000) + "\"]\n",
		"misleading words":       v + "command: [/bin/x, " + list(1023, "\"\u043e%dpen\u043e\u043e\u043e\u043e\", ") + "]\n",
		"a misleading word":      v + "command: [\"" + strings.Repeat("\u4e00", 10000) + "x\u043e\"]\n",
		"public directories":     v + "env: {set: {PYTHONPATH: \"" + strings.Repeat(":tmp", 8000) + "\", PATH: \"" + strings.Repeat("/tmpx:", 5000) + "\"}}\n",
		"wrapped":                v + "command: [" + strings.Repeat("env, ", 1023) + "sh]\n",
		"wrapped with variables": v + "command: [" + strings.Repeat("env, A=b, ", 511) + "sh]\n",
		"words of a shell":       v + "command: [" + strings.Repeat("sh, -c, ", 511) + "x]\n",
		"kept variables":         v + "env: {keep: [" + list(1020, "A%d, ") + "PATH, BASH_ENV]}\n",
		"unset variables":        v + "env: {unset: [" + list(1020, "A%d, ") + "PATH, BASH_ENV]}\n",
		"suppressions":           v + "lint: {ignore: [" + ignored.String() + "]}\nenv: {set: {" + list(900, "A%d_PASSWORD: x, ") + "}}\n",
		"groups":                 v + "groups: [" + list(1024, "%d, ") + "]\n",
		"descriptors":            v + "keep_fds: [" + list(1020, "1%03d, ") + "]\n",
		"a long capability text": v[:strings.Index(v, "caps")] + "caps: \"" + strings.Repeat("cap_net_raw+e cap_net_raw-e ", 146) + "\"\n",
	} {
		if len(text) > policy.MaxSize {
			t.Errorf("%s: %d bytes", name, len(text))
		}
		if p, found := policy.Parse("x.yaml", []byte(text)); p == nil {
			t.Errorf("%s: %.300v", name, found)
			continue
		}
		isQuick(t, name+": the schema", func() { policy.Parse("x.yaml", []byte(text)) })
		isQuickToReview(t, name, text)
	}
}

// isQuickToReview checks and prints a file, and returns the number of findings.
func isQuickToReview(t *testing.T, name, text string) (findings int) {
	t.Helper()
	ceiling := planOf(t, "P", "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\nenv: {keep: [A]}\nkeep_fds: [3]\n")
	var r Report
	isQuick(t, name+": the check", func() {
		r = Check("x.yaml", []byte(text), Options{Today: time.Now(), Ceiling: ceiling})
	})
	for format, print := range quickPrinters() {
		isQuick(t, name+": "+format, func() {
			if err := print(io.Discard, slices.Values([]Report{r})); err != nil {
				t.Error(err)
			}
		})
	}
	return len(r.Findings)
}

// isQuick fails if work takes more than a tenth of a second of processor time in
// each of several runs. A single run may include garbage collection for others.
func isQuick(t *testing.T, name string, work func()) {
	t.Helper()
	const most = 100 * time.Millisecond
	took := cputime.Least(t, most, work)
	if took > most {
		t.Errorf("%s takes %v", name, took)
	}
	if took > most/3 {
		t.Logf("%s: %v", name, took)
	}
}

// TestSARIFLongLine checks that the time for many findings in one long line does not
// depend on its length.
func TestSARIFLongLine(t *testing.T) {
	r := Report{File: "x.yaml", Source: []byte(strings.Repeat("x", policy.MaxSize))}
	for n := range 5000 {
		r.Findings = append(r.Findings, Finding{Diagnostic: policy.Diagnostic{File: r.File, Rule: "bad-name", Position: policy.Position{Line: 1, Column: n + 1}}})
	}
	begin := cputime.Used(t)
	if err := sarifLog(io.Discard, slices.Values([]Report{r}), "1.2.3", nil); err != nil {
		t.Fatal(err)
	}
	if took := cputime.Used(t) - begin; took > time.Second {
		t.Errorf("it takes %v", took)
	}
}

// TestInvisibleReason checks that a reason of invisible characters is rejected.
func TestInvisibleReason(t *testing.T) {
	for reason, want := range map[string]bool{"\u3164": true, "\u115f \uffa0": true, "\u200b\u2800": true, "理由": false, "x\u3164": false} {
		r := Check("x.yaml", []byte("version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nlint: {ignore: [{rule: no-new-privs-missing, reason: \""+reason+"\"}]}\n"), Options{})
		got := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Rule == "bad-suppression" })
		if got != want {
			t.Errorf("%q: %v", reason, r.Findings)
		}
	}
}
