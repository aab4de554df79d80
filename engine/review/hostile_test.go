package review

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/cputime"
	"caprun/policy"
)

// hostileShapes are profiles of the largest size, each a shape that could make
// a reader slow.
func hostileShapes() map[string]string {
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
		"flow depth":         fill(v+"command: ", "[", ""),
		"flow depth maps":    fill(v+"command: ", "{a: ", ""),
		"flow pairs":         fill(v+"groups: [", "[],", "]\n"),
		"flow keys":          fill(v+"? ", "[", ""),
		"question marks":     fill(v, "? ", "\n"),
		"dashes":             fill(v+"command:\n  ", "- ", "a\n"),
		"block depth":        number(v, "k%d:\n ", ""),
		"unknown keys":       number(v, "kex%d: 1\n", ""),
		"near keys":          number(v, "no_new_prixs%d: 1\n", ""),
		"same keys":          fill(v, "uid: 1\n", ""),
		"groups":             number(v+"groups: [", "%d, ", "1]\n"),
		"same groups":        fill(v+"groups: [", "7,", "7]\n"),
		"groups a line":      number(v+"groups:\n", "- %d\n", ""),
		"command":            fill(v+"command: [/bin/x, ", "a, ", "a]\n"),
		"caps clauses":       fill(v+"caps: \"", "cap_chown+e ", "\"\n"),
		"caps names":         fill(v+"caps: \"", "cap_chown,", "cap_kill=p\"\n"),
		"caps bad names":     fill(v+"caps: \"", "cap_chowm,", "cap_kill=p\"\n"),
		"caps flags":         fill(v+"caps: \"cap_chown", "+e-e", "\"\n"),
		"caps other case":    fill(v+"caps: \"", "CAP_CHOWN+e ", "\"\n"),
		"caps numbers":       number(v+"caps: \"", "%d,", "1=p\"\n"),
		"caps spaces":        fill(v+"caps: \"cap_chown=p", " ", "cap_kill+e\"\n"),
		"iab":                fill(v+"iab: \"", "!%^cap_chown,", "cap_kill\"\n"),
		"iab bad":            fill(v+"iab: \"", "!%^cap_chowm,", "cap_kill\"\n"),
		"iab marks":          fill(v+"iab: \"", "!", "cap_kill\"\n"),
		"secbits":            fill(v+"secbits: [", "noroot,", "noroot]\n"),
		"secbits bad":        number(v+"secbits: [", "norxot%d,", "noroot]\n"),
		"env set":            number(v+"env: {set: {", "A%d: x, ", "B: x}}\n"),
		"env keep":           number(v+"env: {keep: [", "A%d, ", "B]}\n"),
		"env keep unset":     number(v+"env: {keep: [", "A%d, ", "B], unset: [B]}\n"),
		"env same":           fill(v+"env: {keep: [", "A, ", "B]}\n"),
		"env bad":            fill(v+"env: {keep: [", "\"=\",", "B]}\n"),
		"rlimits":            number(v+"rlimits: {", "nofilx%d: 1, ", "core: 0}\n"),
		"keep_fds":           number(v+"keep_fds: [", "%d, ", "3]\n"),
		"ignored":            number(v+"lint: {ignore: [", "{rule: no-%d, reason: x},", "]}\n"),
		"ignored same":       fill(v+"lint: {ignore: [", "{rule: x, reason: x},", "]}\n"),
		"reason":             fill(v+"lint: {ignore: [{rule: x, reason: \"", "ㅤ", "\"}]}\n"),
		"control characters": fill(v+"name: \"", "\x01", "\"\n"),
		"escapes":            fill(v+"name: \"", `\x01`, "\"\n"),
		"escapes in a list":  fill(v+"command: [", `"\x01",`, "]\n"),
		"marks":              fill(v+"name: \"a", "\u0301", "\"\n"),
		"wide":               fill(v+"name: \"", "\u4e00", "\"\n"),
		"wide list":          fill(v+"secbits: [", "\u4e00,", "]\n"),
		"bidi":               fill(v+"name: \"", "\u202e", "\"\n"),
		"brackets":           fill(v+"nome: \"", "##[", "\"\n"),
		"hashes":             fill(v+"nome: \"", "##a", "\"\n"),
		"hash comments":      fill(v, "#", "\n"),
		"anchors":            number(v, "k%d: &a%[1]d x\n", ""),
		"aliases":            fill(v+"name: &a x\ncommand: [", "*a, ", "*a]\n"),
		"merges":             fill(v+"a: &a {x: 1}\n", "<<: *a\n", ""),
		"laughs":             v + "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n",
		"tags":               fill(v+"command: [", "!!str a, ", "a]\n"),
		"documents":          fill(v, "---\n", ""),
		"directives":         fill("", "%YAML 1.2\n", ""),
		"empty lines":        fill(v, "\n", ""),
		"CR LF":              fill(v, "\r\n", ""),
		"CR":                 fill(v, "\r", ""),
		"tabs":               fill(v+"name:", "\t", "x\n"),
		"block scalar":       fill(v+"name: |\n", "  x\n", ""),
		"folded":             fill(v+"name: \"", "x\n  ", "\"\n"),
		"quoted lines":       fill(v+"name: '", "\n", "'\n"),
		"plain lines":        fill(v+"name: x\n", "  x\n", ""),
		"colons":             fill(v, ": ", "\n"),
		"open quotes":        fill(v, "\"", ""),
		"commas":             fill(v+"groups: [", ",", "]\n"),
		"long key":           fill(v, "k", ": 1\n"),
		"long word":          fill(v+"mode: ", "k", "\n"),
		"long user":          fill(v+"user: ", "k", "\n"),
		"slashes":            fill(v+"chroot: ", "/", "\n"),
		"dots":               fill(v+"cwd: ", "/..", "\n"),
		"digits":             fill(v+"uid: ", "9", "\n"),
		"underscores":        fill(v+"uid: 1", "_", "\n"),
		"invalid UTF-8":      fill(v+"name: ", "\xff", "\n"),
	}
}

// TestHostileShapes checks and prints files of the largest size. Each takes some
// ten milliseconds of a fast processor; what is quadratic takes seconds.
func TestHostileShapes(t *testing.T) {
	// Quadratic work on 64 KiB takes longer.
	const most, findings = 5 * time.Second, 300
	formats := quickPrinters()
	ceiling := planOf(t, "P", "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\nenv: {keep: [A]}\nkeep_fds: [3]\n")
	for name, text := range hostileShapes() {
		begin := cputime.Used(t)
		r := Check("x.yaml", []byte(text), Options{Today: time.Now(), Ceiling: ceiling})
		if took := cputime.Used(t) - begin; took > most {
			t.Errorf("%s: the check takes %v", name, took)
		}
		if n := len(r.Findings); n == 0 || n > findings {
			t.Errorf("%s: %d findings", name, n)
		}
		for format, print := range formats {
			begin := cputime.Used(t)
			if err := print(io.Discard, slices.Values([]Report{r})); err != nil {
				t.Error(err)
			}
			if took := cputime.Used(t) - begin; took > most {
				t.Errorf("%s: %s takes %v", name, format, took)
			}
		}
	}
}

// TestSARIFLongLine: many findings in one long line are named without reading
// it for each.
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

// TestInvisibleReason: a reason of letters that nobody sees is none.
func TestInvisibleReason(t *testing.T) {
	for reason, want := range map[string]bool{"\u3164": true, "\u115f \uffa0": true, "\u200b\u2800": true, "理由": false, "x\u3164": false} {
		r := Check("x.yaml", []byte("version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nlint: {ignore: [{rule: no-new-privs-missing, reason: \""+reason+"\"}]}\n"), Options{})
		got := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Rule == "bad-suppression" })
		if got != want {
			t.Errorf("%q: %v", reason, r.Findings)
		}
	}
}
