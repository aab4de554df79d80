package evidence

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/engine/review"
	"caprun/policy"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(want, got) {
		t.Errorf("%s: %v, got\n%s", path, err, got)
	}
}

// TestScenes compares the table, the profile and the JSON form of each scene with files.
func TestScenes(t *testing.T) {
	all := scenes()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			s := all[name]
			if name == "never" {
				// The reference run is not like the others.
				s.checks[0].cap = 40
			}
			in := s.input(t)
			if name == "never" {
				in.Search.Works, in.Search.Set, in.Search.Minimal = false, 0, false
			}
			r := Judge(in)
			var b bytes.Buffer
			if err := r.Table(&b); err != nil {
				t.Fatal(err)
			}
			checkLines(t, b.Bytes(), maxLine)
			golden(t, name+".txt", b.Bytes())
			b.Reset()
			if err := r.JSON(&b); err != nil {
				t.Fatal(err)
			}
			matchSchema(t, b.Bytes())
			if name == "sshd" || name == "interrupted" {
				b.Reset()
				if err := r.JSON(&b); err != nil {
					t.Fatal(err)
				}
				golden(t, name+".json", b.Bytes())
				again := new(Report)
				d := json.NewDecoder(bytes.NewReader(b.Bytes()))
				d.DisallowUnknownFields()
				if err := d.Decode(again); err != nil || again.Profile != r.Profile || len(again.Verdicts) != len(r.Verdicts) {
					t.Errorf("%v, %+v", err, again)
				}
			}
			text, err := r.ProfileText()
			if r.Works != (err == nil) {
				t.Fatalf("works: %v, error %v", r.Works, err)
			}
			if !r.Works {
				return
			}
			golden(t, name+".yaml", text)
			checkProfile(t, in, r, text)
		})
	}
}

// checkLines checks that a text has only printable ASCII and short lines.
func checkLines(t testing.TB, text []byte, limit int) {
	t.Helper()
	for line := range bytes.Lines(text) {
		line, _ = bytes.CutSuffix(line, []byte("\n"))
		if len(line) > limit || bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) || bytes.HasSuffix(line, []byte(" ")) {
			t.Errorf("bad line %q", line)
		}
	}
}

// expectedFindings are what check may report about a learned profile. None is an error.
var expectedFindings = []string{
	"amounts-to-root",      // if such a capability is necessary
	"drops-by-itself",      // a program that changes its user needs setuid and setgid
	"environment-passed",   // learn does not restrict the environment
	"no-new-privs-missing", // if it was not tried, or failed
	"noroot-missing",       // the same
	"root-owns-files",      // if the program starts as uid 0
	"root-keeps-power",     // if it needs every capability
}

// checkProfile checks that a profile grants the set, and that check reports nothing
// unexpected about it.
func checkProfile(t testing.TB, in Input, r *Report, text []byte) {
	t.Helper()
	p, found := policy.Parse("learned.yaml", text)
	if p == nil || found != nil {
		t.Fatalf("%v\n%s", found, text)
	}
	if p.Caps == nil || p.Caps.Effective != in.Search.Set || p.Caps.Permitted != in.Search.Set {
		t.Errorf("the profile does not grant %v\n%s", in.Search.Set, text)
	}
	for _, f := range review.Check("learned.yaml", text, review.Options{Today: time.Unix(0, 0)}).Findings {
		if f.Severity == policy.Error || !slices.Contains(expectedFindings, f.Rule) {
			t.Errorf("check: %s\n%s", f, text)
		}
	}
}

// TestVerdicts checks the verdicts of scenes, apart from their texts.
func TestVerdicts(t *testing.T) {
	all := scenes()
	kinds := func(name string) string {
		var b strings.Builder
		for _, v := range Judge(all[name].input(t)).Verdicts {
			b.WriteString(v.Capability + " " + string(v.Kind) + "\n")
		}
		return b.String()
	}
	for name, want := range map[string]string{
		"nginx":       "cap_dac_override needed\ncap_setgid needed\ncap_setuid needed\ncap_net_bind_service needed\ncap_chown first-run-only\ncap_sys_resource not-needed\n",
		"sshd":        "cap_setgid needed\ncap_setuid needed\ncap_net_bind_service needed\ncap_sys_chroot needed\ncap_kill call-fails\ncap_audit_write not-needed\n",
		"date":        "cap_sys_time needed\n",
		"nothing":     "cap_sys_resource not-needed\n",
		"interrupted": "cap_dac_override unconfirmed\ncap_setgid unconfirmed\ncap_setuid unconfirmed\ncap_net_bind_service unconfirmed\ncap_chown first-run-only\ncap_sys_resource not-needed\n",
		"untraced":    "cap_dac_override needed\ncap_setgid needed\ncap_setuid needed\ncap_net_bind_service needed\n",
	} {
		if got := kinds(name); got != want {
			t.Errorf("%s:\n%swant\n%s", name, got, want)
		}
	}
}

// TestFirstRunOnly: without recordings of later runs, nothing is said about them.
func TestFirstRunOnly(t *testing.T) {
	in := scenes()["nginx"].input(t)
	in.Runs = nil
	for _, v := range Judge(in).Verdicts {
		if v.Kind == FirstRunOnly {
			t.Errorf("%+v", v)
		}
	}
}

// TestLimits: each scene has the limits that apply, and no other.
func TestLimits(t *testing.T) {
	all := scenes()
	for name, want := range map[string][]string{
		"nginx":       {"file-ownership", "changes-user", "memory-accounting"},
		"nginx-user":  {"memory-accounting"},
		"lost":        {"incomplete", "executed-unknown", "memory-accounting"},
		"interrupted": {"interrupted", "file-ownership", "changes-user", "memory-accounting"},
		"unstable":    {"unstable", "file-ownership", "changes-user", "memory-accounting"},
		"sshd":        {"executed-privileged", "changes-user", "memory-accounting"},
		"nothing":     {"nothing-needed", "memory-accounting"},
		"nft":         {"netlink"},
		"backup":      {"file-ownership", "alternatives", "other-namespaces"},
		"untraced":    {"no-tracing"},
		"ping":        {"file-capabilities", "executed-privileged", "unobserved"},
	} {
		var codes []string
		for _, l := range Judge(all[name].input(t)).Limits {
			codes = append(codes, l.Code)
		}
		if !slices.Equal(codes, want) {
			t.Errorf("%s: %v, want %v", name, codes, want)
		}
	}
}

// TestUnconfirmed: neither an interrupted nor an unstable search proves anything.
func TestUnconfirmed(t *testing.T) {
	all := scenes()
	for _, name := range []string{"interrupted", "unstable"} {
		if r := Judge(all[name].input(t)); r.Proved || !strings.Contains(strings.Join(r.Comments(), "\n"), "UNCONFIRMED") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for run := 1; run < 11; run++ {
		s := *all["nginx"]
		s.stopAfter = run
		if r := Judge(s.input(t)); r.Proved || slices.ContainsFunc(r.Verdicts, func(v Verdict) bool { return v.Kind == Needed }) {
			t.Errorf("interrupted in run %d: %+v", run, r)
		}
	}
}

// TestInterruptedEarly: the reference run, which worked, is not a run of the search.
func TestInterruptedEarly(t *testing.T) {
	r := Judge(Input{Interrupted: true})
	if text := r.proofText(); text != "No profile: no run of the search was complete." {
		t.Error(text)
	}
	if len(r.Limits) == 0 || !strings.Contains(r.Limits[0].Text, "after 0 runs of the search, so the result is unconfirmed. The search had found no set that works.") {
		t.Errorf("%+v", r.Limits)
	}
}

// TestInterruptedLate: an interruption after the search does not change its result.
func TestInterruptedLate(t *testing.T) {
	in := scenes()["date"].input(t)
	in.Interrupted = true
	if r := Judge(in); !r.Proved || r.Verdicts[0].Kind != Needed || r.Limits[0].Code != "interrupted" {
		t.Errorf("%+v", r)
	}
}

// TestPaths: only absolute paths without a meaning to a shell are part of a command.
func TestPaths(t *testing.T) {
	for args, want := range map[string]string{
		`"/var/log/x"`:               "/var/log/x",
		`AT_FDCWD, "/etc/shadow", 0`: "/etc/shadow",
		`"relative"`:                 "",
		`"/cut"...`:                  "",
		`33, 33`:                     "",
		`"/open`:                     "",
		`"/a\"b"`:                    `/a"b`,
	} {
		if got := pathIn(args); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	for _, path := range []string{"/a b", "/$(id)", "/a;b", "/a\nb", "/a'b", "/a~", "/é", "/a*"} {
		if isShellSafe(path) {
			t.Errorf("%q is not safe", path)
		}
	}
}
