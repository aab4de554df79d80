package learned

import (
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/internal/test/outputs"
	"caprun/internal/test/requires"
)

// floods are programs that cause more capability checks than a busy machine can record.
var floods = []program{
	{
		// The checks of cap_mknod and cap_sys_admin come between those of cap_chown, that
		// of cap_sys_chroot comes after them.
		name: "chown", needs: []string{"chown", "mknod", "hostname", "chroot"},
		setup: `for d in a b c d; do mkdir $d; (cd $d; touch $(seq 4000)); done
cat >program <<'END'
pids=
for d in a b c d; do chown -R 33 $d & pids="$pids $!"; done
mknod device c 1 3 || exit 1
hostname other 2>/dev/null
for p in $pids; do wait $p || exit 1; done
chroot / true || exit 1
END`,
		flags: []string{"-timeout", "2m", "-reset", "chown -R 0 a b c d; rm -f device"},
		argv:  []string{"sh", "program"},
		want:  []string{"chown", "mknod", "sys_chroot"},
	},
	{
		name: "tar", needs: []string{"tar"}, packages: "tar",
		setup: "for d in a b c d; do mkdir -p in/$d; (cd in/$d; touch $(seq 1500)); done; chown -R 33:33 in; chmod 700 in; tar -C in -cf all.tar .",
		flags: []string{"-timeout", "2m", "-reset", "rm -rf out; mkdir out"},
		argv:  []string{"tar", "-C", "out", "-xpf", "all.tar"},
		want:  []string{"chown", "fowner"},
	},
}

// busy starts learn on a busy machine, with what a container often lacks: the reader of the
// events has no higher priority than other processes, and small rings.
const busy = `
n=0
while [ $n -lt $LOAD ]; do
	while :; do :; done &
	n=$((n+1))
done
ulimit -l 64
exec setpriv --bounding-set -sys_nice,-sys_resource,-ipc_lock "$@"
`

// lossyReport is what TestLostEvents reads of a report, besides that of other tests.
type lossyReport struct {
	First struct {
		NoNewPrivs string `json:"no_new_privs"`
		NoRoot     string
		Limits     []struct{ Code string }
		Verdicts   []struct {
			Capability, Verdict string
			Without             *struct {
				Run        int
				Incomplete bool
			}
		}
	}
}

// stepLine matches the line of a run: its number, what it tries, and the number of lost
// events.
var stepLine = regexp.MustCompile(`(?m)^run ([0-9]+), (.*?): (?:works|fails).*?(?:; events not recorded: ([0-9]+))? \([0-9.]+ s\)$`)

// TestLostEvents: on a busy machine the kernel drops events of programs of Debian. Then learn
// says so, its result is the same and proved, and nothing follows from the events that are
// missing.
func TestLostEvents(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	requires.Tool(t, "setpriv")
	for _, p := range floods {
		t.Run(p.name, func(t *testing.T) {
			for _, name := range p.needs {
				requires.Tool(t, name)
			}
			argv := slices.Concat([]string{"env", fmt.Sprintf("LOAD=%d", 2*runtime.NumCPU()), "sh", "-c", busy, "sh", caprun(t), "learn", "-format", "json"}, p.flags, []string{"--"}, p.argv)
			out, errs, status := box{Setup: p.setup, Argv: argv}.run(t)
			var r report
			var lossy lossyReport
			for _, part := range []any{&r, &lossy} {
				if err := json.Unmarshal([]byte(out), part); err != nil {
					t.Fatalf("status %d: %v\n%s%s", status, err, out, errs)
				}
			}
			t.Log("\n" + errs + r.Profile)
			if status != 0 || r.Result != "confirmed" {
				t.Fatalf("status %d: %s", status, r.Result)
			}
			if err := outputs.Validate("learn", []byte(out)); err != nil {
				t.Error(err)
			}
			compareWith(t, p.want, r.First)
			checkProof(t, r.First)
			checkLosses(t, &r, &lossy, errs)
		})
	}
}

// checkLosses checks that the report agrees with the events that were lost.
func checkLosses(t *testing.T, r *report, lossy *lossyReport, errs string) {
	t.Helper()
	lostIn, purposes, searched := map[int]int{}, map[string]int{}, 0
	for _, m := range stepLine.FindAllStringSubmatch(errs, -1) {
		number, _ := strconv.Atoi(m[1])
		lostIn[number], _ = strconv.Atoi(m[3])
		purposes[m[2]] = number
	}
	if len(lostIn) != r.First.Runs {
		t.Fatalf("the lines of %d runs, want %d", len(lostIn), r.First.Runs)
	}
	reference := lostIn[1]
	for _, trial := range r.First.Trials {
		searched += lostIn[trial.Run]
	}
	if reference+searched == 0 {
		t.Error("no event was lost: the load is too small")
	}
	reported := slices.ContainsFunc(lossy.First.Limits, func(l struct{ Code string }) bool { return l.Code == "incomplete" })
	if reported != (reference+searched > 0) {
		t.Errorf("lost events are reported: %v", reported)
	}
	if reported != strings.Contains(r.Profile, "# Note: The evidence is incomplete: caprun did not record ") {
		t.Errorf("the profile says that events were lost: %v", !reported)
	}
	if reference > 0 && (strings.Contains(r.Profile, "now fails") || regexp.MustCompile(`checked (once|[0-9]+ times) in the first run`).MatchString(r.Profile)) {
		t.Error("the profile takes the first run for complete")
	}
	for purpose, result := range map[string]string{"with no_new_privs": lossy.First.NoNewPrivs, "with noroot": lossy.First.NoRoot} {
		number, tried := purposes[purpose]
		if result == "passed" && (!tried || reference+lostIn[number] > 0) {
			t.Errorf("%s: passed, although %d and %d events were lost", purpose, reference, lostIn[number])
		}
	}
	for _, v := range lossy.First.Verdicts {
		if v.Verdict == "first-run-only" && searched > 0 {
			t.Errorf("%s: %s, although later runs lost events", v.Capability, v.Verdict)
		}
		if w := v.Without; w != nil && w.Incomplete != (lostIn[w.Run] > 0) {
			t.Errorf("%s, run %d: incomplete %v, and %d events were lost", v.Capability, w.Run, w.Incomplete, lostIn[w.Run])
		}
	}
}
