package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"caprun/engine/cred"
	"caprun/internal/profiletext"
	"caprun/internal/test/requires"
	"caprun/learn/classify"
	"caprun/learn/observe"
	"caprun/learn/search"
	"caprun/policy"
)

// hostile are texts of a program that wants to be more than text.
var hostile = []string{
	"\ncaps: =eip", "\r\ncaps: \"=ep\"", "\u2028uid: 0", "\u0085gid: 0", "# vim: set ft=sh:", "vim:set modeline:", "ex: se shell=/x:", " vi:noai:", "-*- mode: sh -*-",
	"yaml-language-server: $schema=http://example.com/x", "\x1b[2J\x1b]0;x\x07", "\u202e", "::error::x", "##[command]x", "##vso[task]x", "\xff\xfe", "\x00", strings.Repeat("a", 5000), strings.Repeat("\u00e9\U0001f600", 300),
	`"/etc/passwd"`, `"/$(reboot)"`, `"/a b"; reboot`, "'", `\`, "%", "{{", "...", "---", "- a", ": ", "", " ",
}

// randomInput returns what a search over random recordings shows. Texts are of words.
func randomInput(t testing.TB, seed uint64, words []string) Input {
	r := rand.New(rand.NewPCG(seed, 5))
	word := func() string { return words[r.IntN(len(words))] + words[r.IntN(len(words))] }
	call := func() observe.Call { return observe.Call{Name: word(), Args: word()} }
	record := func() *observe.Recording {
		if r.IntN(8) == 0 {
			return nil
		}
		record := &observe.Recording{Lost: r.Uint64() >> r.IntN(65), Symbols: r.IntN(2) == 0}
		for range r.IntN(20) {
			c := observe.Check{
				Cap: r.IntN(66) - 1, Denied: r.IntN(2) == 0, NoAudit: r.IntN(4) == 0, Foreign: r.IntN(6) == 0,
				Command: word(), Call: call(), Errno: []int{0, 1, 13, -5, 1 << 30}[r.IntN(5)], Count: r.IntN(5),
			}
			if r.IntN(3) == 0 {
				c.Functions = []string{word(), "netlink_unicast"}
			}
			record.Checks = append(record.Checks, c)
			record.Failures = append(record.Failures, observe.Failure{Call: call(), Errno: c.Errno, Command: word()})
		}
		for range r.IntN(3) {
			record.Execs = append(record.Execs, observe.Exec{Path: word(), Privileged: observe.Tristate(r.IntN(4)), Unobserved: r.IntN(3) == 0})
			record.IDChanges = append(record.IDChanges, observe.IDChange{PID: r.IntN(3), UID: r.Int64N(5) - 1, GID: r.Int64N(5) - 1, Command: word()})
		}
		return record
	}
	base := rootBase(nil)
	if r.IntN(2) == 0 {
		base = base.WithIdentity(uint32(r.IntN(3)), 7, nil)
	}
	reference := record()
	baseline := classify.NewBaseline(reference)
	in := Input{
		Program: []string{word(), word()}, Test: word(), Reset: word(), Base: base, UID: r.Uint32(), GID: r.Uint32(),
		Reference: NewRun("", reference, nil), Baseline: baseline, Executed: classify.Programs(reference),
		Identities: classify.Identities(reference), FileCapabilities: word(), Untraced: word(), Runs: map[int]Run{},
		NoNewPrivs: Attempt(r.IntN(5)), NoRoot: Attempt(r.IntN(5)), Took: time.Duration(r.Int64()),
	}
	need := cred.Caps(r.Uint64())
	for range 2 {
		need &= cred.Caps(r.Uint64()) // few capabilities
	}
	number := 0
	in.Search, _ = search.Minimize(t.Context(), func(_ context.Context, set cred.Caps) (search.Outcome, error) {
		number++
		reason := ""
		if !need.Intersect(base.Allowed()).SubsetOf(set) || r.IntN(200) == 0 {
			reason = word() + "x"
		}
		in.Runs[number] = NewRun(reason, record(), baseline)
		return in.Runs[number].Outcome(), nil
	}, search.Guess{Strong: cred.Caps(r.Uint64()), All: base.Allowed()}, search.WithLimit(1+r.IntN(40)))
	in.Interrupted = r.IntN(5) == 0
	return in
}

// checkReport checks that no text of a program has an effect: the profile means the same
// without its comments, and each output is printable.
func checkReport(t *testing.T, in Input) {
	t.Helper()
	r := Judge(in)
	var table, report bytes.Buffer
	if err := r.Table(&table); err != nil {
		t.Fatal(err)
	}
	checkLines(t, table.Bytes(), maxLine)
	for line := range bytes.Lines(table.Bytes()) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("::")) || bytes.Contains(line, []byte("##[")) || bytes.Contains(line, []byte("##vso[")) {
			t.Fatalf("a CI runner executes %q", line)
		}
	}
	if err := r.JSON(&report); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(report.Bytes()) || bytes.ContainsFunc(report.Bytes(), func(r rune) bool { return r < ' ' && r != '\n' || r > '~' }) {
		t.Fatalf("bad JSON %q", report.Bytes())
	}
	if !r.Works {
		return
	}
	plain, err := in.Base.Text(r.settings)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.ProfileText()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := policy.Parse("p", plain)
	got, found := policy.Parse("p", text)
	if got == nil || found != nil || !sameProfile(want, got) {
		t.Fatalf("the comments have an effect: %v\n%s", found, text)
	}
	var without []byte
	comments := 0
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("#")) {
			comments++
			checkLines(t, line, maxLine)
			for _, bad := range []string{" vim:", " vi:", " ex:", "-*-", "$schema"} {
				if bytes.Contains(line, []byte(bad)) {
					t.Fatalf("an editor reads %q", line)
				}
			}
			continue
		}
		without = append(without, line...)
	}
	if !bytes.Equal(without, plain) || comments > maxComments {
		t.Fatalf("%d comments; without them\n%s\nwant\n%s", comments, without, plain)
	}
}

// TestRandom checks reports about random recordings with hostile texts.
func TestRandom(t *testing.T) {
	for seed := range uint64(requires.Rounds(100, 1000)) {
		checkReport(t, randomInput(t, seed, hostile))
	}
}

func FuzzReport(f *testing.F) {
	for n, word := range hostile {
		f.Add(uint64(n), word, hostile[(n+7)%len(hostile)])
	}
	f.Fuzz(func(t *testing.T, seed uint64, a, b string) {
		checkReport(t, randomInput(t, seed, []string{a, b, a + b, "/x"}))
	})
}

// FuzzEmit: a profile that was read and written is the same.
func FuzzEmit(f *testing.F) {
	corpus(f, func(path string, p *policy.Profile) { f.Add(p.Source()) })
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 4096 {
			return // it takes long, and the written text can exceed the largest size
		}
		p, _ := policy.Read("p", src)
		if p == nil {
			return
		}
		text, _, err := profiletext.Write(p, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		again, _ := policy.Read("p", text)
		if again == nil || !sameProfile(p, again) {
			t.Fatalf("differs\n%s\n%s", src, text)
		}
	})
}

// TestMaxSize: comments do not make a profile too large.
func TestMaxSize(t *testing.T) {
	text := []byte("version: 1\ndescription: " + strings.Repeat("a", 4000) + "\n")
	for len(text) < policy.MaxSize-200 {
		text = append(text, "# "+strings.Repeat("x", 90)+"\n"...)
	}
	text = append(text, "caps: cap_kill=ep\n"...)
	lines := []string{"# " + strings.Repeat("y", 70), "# " + strings.Repeat("z", 150), "# w"}
	got, err := AddComments(text, lines)
	if err != nil || len(got) > policy.MaxSize || !bytes.Contains(got, []byte("yyy")) || bytes.Contains(got, []byte("zzz")) {
		t.Errorf("%v, %d bytes", err, len(got))
	}
	flow := []byte(`{version: 1, caps: cap_kill=ep}` + "\n")
	if got, err = AddComments(flow, lines); err != nil || !bytes.HasPrefix(got, []byte(lines[0]+"\n")) {
		t.Errorf("%v\n%s", err, got)
	}
}
