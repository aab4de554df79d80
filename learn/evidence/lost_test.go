package evidence

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"caprun/learn/classify"
	"caprun/learn/observe"
	"caprun/learn/search"
)

// verdictOn returns the verdict on a capability.
func verdictOn(t *testing.T, r *Report, name string) Verdict {
	t.Helper()
	n := slices.IndexFunc(r.Verdicts, func(v Verdict) bool { return v.Capability == name })
	if n < 0 {
		t.Fatalf("no verdict on %s: %+v", name, r.Verdicts)
	}
	return r.Verdicts[n]
}

// tableOf returns the table of a report.
func tableOf(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.Table(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestLostOfReference: what the first run did not record may have happened.
func TestLostOfReference(t *testing.T) {
	for name, want := range map[string][]string{
		"nginx": {
			"cap_chown               first run only      5+",
			"cap_setuid              needed              1+",
			"at least 212 checks of cap_sys_admin",
			"uid 33, gid 33 (at least 2 processes)",
		},
		"sshd": {
			"cap_kill                a call fails        1+",
			"    without it: kill(4711, SIGALRM): EPERM",
			"    events of the first run were lost: this call may fail there, too",
		},
	} {
		in := scenes()[name].input(t)
		before := Judge(in)
		in.Reference.Lost = 9
		r := Judge(in)
		table, comments := tableOf(t, r), strings.Join(r.Comments(), "\n")
		for _, text := range want {
			if !strings.Contains(table, text) {
				t.Errorf("%s: no %q in\n%s", name, text, table)
			}
		}
		for _, text := range []string{"now fail", "checked once in the first run", "checked 5 times"} {
			if strings.Contains(table, text) || strings.Contains(comments, text) {
				t.Errorf("%s: %q in\n%s\n%s", name, text, table, comments)
			}
		}
		if !strings.Contains(comments, "checked at least once in the first run") {
			t.Errorf("%s: %s", name, comments)
		}
		if !r.Proved || !slices.Equal(r.Capabilities, before.Capabilities) {
			t.Errorf("%s: %v", name, r.Capabilities)
		}
	}
}

// TestLostLater: a check that no later run recorded may have been lost there.
func TestLostLater(t *testing.T) {
	in := scenes()["nginx"].input(t)
	run := in.Runs[2]
	run.Lost = 1
	in.Runs[2] = run
	r := Judge(in)
	v := verdictOn(t, r, "cap_chown")
	if v.Kind != NotNeeded || v.Checks != 5 {
		t.Errorf("%+v", v)
	}
	const hint = "no later run recorded a check, but events were lost there: see -reset"
	if table := tableOf(t, r); !strings.Contains(table, hint) || strings.Contains(table, "first run only") || !strings.Contains(table, "did not record 1 event of 1 run.") {
		t.Error(table)
	}
	if v := verdictOn(t, r, "cap_setuid"); v.Kind != Needed || v.Checks != 1 {
		t.Errorf("%+v", v)
	}
}

// TestUnknownHardening: a run that lost events does not show that no call fails.
func TestUnknownHardening(t *testing.T) {
	in := scenes()["date"].input(t)
	in.NoNewPrivs, in.HardeningLost = NotTried, true
	r := Judge(in)
	if !slices.ContainsFunc(r.Limits, func(l Limit) bool { return l.Code == "hardening-unknown" }) || strings.Contains(r.Profile, "\nno_new_privs: true") {
		t.Errorf("%+v\n%s", r.Limits, r.Profile)
	}
}

// TestLostDenial: a run that lost the denied check is not explained by a call that fails in
// runs that work, too; and a run with the check is preferred.
func TestLostDenial(t *testing.T) {
	in := scenes()["sshd"].input(t)
	without := in.Search.Necessary[10] // net_bind_service
	lost := in.Runs[without.Run]
	lost.Lost, lost.Uses = 3, maps.Clone(lost.Uses)
	delete(lost.Uses, 10)
	lost.Failed.List = []classify.Call{
		{Call: observe.Call{Name: "kill"}, Errno: 1, Count: 1}, // cap_kill is not in the result
		{Call: observe.Call{Name: "bind", Args: "0.0.0.0:22"}, Errno: 13, Count: 1},
	}
	complete := in.Runs[without.Run]
	in.Runs[without.Run] = lost
	f := verdictOn(t, Judge(in), "cap_net_bind_service").Without
	want := []string{
		fmt.Sprintf("without it (run %d): bind(0.0.0.0:22): EACCES; events of this run were lost", f.Run),
		fmt.Sprintf("run %d: ssh: connect to host localhost port 22: Connection refused", f.Run),
	}
	if !f.Incomplete || !slices.Equal(f.lines(), want) {
		t.Errorf("%q, want %q", f.lines(), want)
	}
	lost.Failed.List = lost.Failed.List[:1]
	in.Runs[without.Run] = lost
	f = verdictOn(t, Judge(in), "cap_net_bind_service").Without
	want[0] = fmt.Sprintf("without it (run %d): no denied check was recorded; events of this run were lost", f.Run)
	if !slices.Equal(f.lines(), want) {
		t.Errorf("%q, want %q", f.lines(), want)
	}
	// The repeated run has the check.
	again := without
	again.Run, again.Purpose = 100, search.Repeat
	in.Search.Trials = append(in.Search.Trials, again)
	complete.Number = 101
	in.Runs[100] = complete
	f = verdictOn(t, Judge(in), "cap_net_bind_service").Without
	if f.Incomplete || f.Run != 101 || len(f.Denied) != 1 || f.Denied[0].Text != "bind(0.0.0.0:22)" {
		t.Errorf("%+v", f)
	}
}
