package learned

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/outputs"
	"caprun/internal/test/requires"
	"caprun/policy"
)

// report is what the tests read of the output of learn -format json.
type report struct {
	Result        string
	First, Second *pass
	Comparison    string
	Profile       string
}

type pass struct {
	UID           uint32
	Capabilities  []string
	Proved        bool
	Confirmations int
	Runs          int
	Seconds       float64
	Verdicts      []struct {
		Capability, Verdict string
		Checks              int
	}
	Trials []struct {
		Run          int
		Capabilities []string
		Works        bool
		Reason       string
	}
}

// learn runs caprun learn in a box.
func learn(t *testing.T, p program, flags ...string) report {
	t.Helper()
	argv := slices.Concat([]string{caprun(t), "learn", "-format", "json"}, flags, p.flags, []string{"--"}, p.argv)
	out, errs, status := box{Dirs: p.dirs, Setup: p.setup, Argv: argv}.run(t)
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("status %d: %v\n%s%s", status, err, out, errs)
	}
	if status != 0 || r.Result != "confirmed" {
		t.Fatalf("status %d: %s\n%s", status, r.Result, errs)
	}
	if err := outputs.Validate("learn", []byte(out)); err != nil {
		t.Error(err)
	}
	if testing.Verbose() {
		t.Log("\n" + errs + "\n" + r.Profile)
	}
	return r
}

// TestPrograms learns what programs of Debian need, and then starts them with the learned
// profile, and without each of its capabilities.
func TestPrograms(t *testing.T) {
	requires.Heavy(t, "CAPRUN_TEST_PROGRAMS")
	requires.Root(t)
	only := os.Getenv("CAPRUN_TEST_PROGRAMS")
	for _, p := range programs {
		if !p.gate && only != "all" && only != p.name {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			for _, name := range p.needs {
				if _, err := exec.LookPath(name); err != nil {
					requires.Skip(t, fmt.Sprintf("program %s; apt-get install --no-install-recommends %s", name, p.packages))
				}
			}
			r := learn(t, p)
			compareWith(t, p.want, r.First)
			checkProof(t, r.First)
			row := fmt.Sprintf("%s | %s | %s | %d | %.0f", p.name, checked(r.First), short(r.First.Capabilities), r.First.Runs, r.First.Seconds)
			if p.as != nil {
				u, err := user.Lookup(p.user)
				if err != nil {
					t.Fatal(err)
				}
				if r.Second == nil || fmt.Sprint(r.Second.UID) != u.Uid {
					t.Fatalf("no second pass as uid %s", u.Uid)
				}
				compareWith(t, p.as, r.Second)
				checkProof(t, r.Second)
			}
			if r.Second != nil {
				row += fmt.Sprintf(" | uid %d | %s | %d | %.0f", r.Second.UID, short(r.Second.Capabilities), r.Second.Runs, r.Second.Seconds)
			}
			t.Log(row)
			if learned, found := policy.Parse("learned", []byte(r.Profile)); learned == nil {
				t.Fatalf("%v in\n%s", found, r.Profile)
			}
			proveByLaunches(t, p, r.Profile)
		})
	}
}

func compareWith(t *testing.T, want []string, p *pass) {
	t.Helper()
	if got := short(p.Capabilities); got != strings.Join(slices.Sorted(slices.Values(want)), " ") {
		t.Errorf("as uid %d: learned %q, want %q", p.UID, got, want)
	}
}

// checkProof checks that each capability was left out, and the result confirmed.
func checkProof(t *testing.T, p *pass) {
	t.Helper()
	if !p.Proved || p.Confirmations < 2 {
		t.Errorf("not proved: %+v", p)
	}
	confirmed := 0
	for _, trial := range p.Trials {
		if trial.Works && slices.Equal(trial.Capabilities, p.Capabilities) {
			confirmed++
		}
	}
	if confirmed < 2 {
		t.Errorf("%d runs with the result", confirmed)
	}
	for _, c := range p.Capabilities {
		rest := slices.DeleteFunc(slices.Clone(p.Capabilities), func(s string) bool { return s == c })
		failed := false
		for _, trial := range p.Trials {
			failed = failed || !trial.Works && slices.Equal(trial.Capabilities, rest)
		}
		if !failed {
			t.Errorf("no run without %s failed", c)
		}
	}
}

// short returns the names without "cap_", sorted.
func short(names []string) string {
	list := make([]string, len(names))
	for n := range names {
		list[n] = strings.TrimPrefix(names[n], "cap_")
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// checked returns the capabilities with a verdict.
func checked(p *pass) string {
	var names []string
	for _, v := range p.Verdicts {
		names = append(names, v.Capability)
	}
	return short(names)
}
