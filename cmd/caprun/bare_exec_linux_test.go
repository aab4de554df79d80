package main

import (
	"fmt"
	"maps"
	"math/bits"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// bareSettings are properties that an exec passes on and that a Go program might change:
// settings of internal/test/runas.
func bareSettings() []string {
	const all = "1,2,3,10,12,13,14,15,17,18,20,21,22,23,28,29,35,64"
	return []string{
		"umask=037", "nofile=300", "soft-nofile=200", "nice=7", "batch", "cpu=0", "oom=321", "core-filter=0x11",
		"slack=123456", "nothp", "personality=0x0040000", "pdeathsig=10", "subreaper",
		"block=" + all, "ignore=" + all,
	}
}

// TestBareExec starts a program that is not a Go program directly and through caprun,
// from the same state, and compares everything that the kernel reports about it.
func TestBareExec(t *testing.T) {
	grep := requires.Tool(t, "grep")
	runas := program(t, "caprun/internal/test/runas")
	profile := profileFile(t, plainProfile)
	// A shell changes its own signals.
	args := []string{"-sH", ""}
	for _, file := range strings.Fields("status limits stat timerslack_ns personality oom_score_adj coredump_filter cgroup autogroup mountinfo loginuid attr/current") {
		args = append(args, "/proc/self/"+file)
	}
	report := func(through ...string) map[string]string {
		out, errs, status := outcome(t, exec.Command(runas, slices.Concat(bareSettings(), []string{"--"}, through, []string{grep}, args)...))
		// Status 2: not every kernel has all of the files.
		if status != 0 && status != 2 {
			t.Fatalf("%v: status %d\n%s", through, status, errs)
		}
		return bareFields(out)
	}
	bare, launched := report(), report(caprun(t), "-profile", profile, "--")
	if len(bare) < 60 {
		t.Fatalf("only %d fields: %v", len(bare), bare)
	}
	for _, key := range slices.Sorted(maps.Keys(bare)) {
		if bare[key] == launched[key] {
			continue
		}
		switch key {
		case "NoNewPrivs":
			// Declared.
		case "SigIgn", "SigBlk":
			var before, after uint64
			_, err1 := fmt.Sscanf(bare[key], "%x", &before)
			_, err2 := fmt.Sscanf(launched[key], "%x", &after)
			if err1 != nil || err2 != nil || after&^before != 0 {
				t.Errorf("%s is %s, not %s", key, launched[key], bare[key])
			}
			// Changes of the Go runtime before main, see docs/limits.md.
			if got, want := signalLines(before&^after), lostSignals[key]; got != want {
				t.Errorf("%s: lost %s, not %s", key, got, want)
			}
		default:
			t.Errorf("%s is %q, not %q", key, launched[key], bare[key])
		}
	}
	if launched["NoNewPrivs"] != "1" || bare["SigIgn"] == launched["SigIgn"] {
		t.Error("the target does not have the declared state")
	}
}

var lostSignals = map[string]string{
	"SigIgn": "3 10 12 13 14 15 17 23 28 29 35 64",
	"SigBlk": "1 2 3 15 17 23",
}

func signalLines(set uint64) string {
	var list []string
	for ; set != 0; set &= set - 1 {
		list = append(list, fmt.Sprint(bits.TrailingZeros64(set)+1))
	}
	return strings.Join(list, " ")
}

// bareFields returns the fields of the report that are the same in every run, by key.
func bareFields(out string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(out) {
		file, text, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "/proc/self/"), ":")
		key, value := file, text
		if file == "status" {
			key, value, _ = strings.Cut(text, ":")
		}
		value = strings.Join(strings.Fields(value), " ")
		switch {
		case strings.HasPrefix(key, "Vm"), strings.HasPrefix(key, "Rss"), strings.HasSuffix(key, "ctxt_switches"),
			slices.Contains([]string{"Pid", "PPid", "Tgid", "Ngid", "NStgid", "NSpid", "NSpgid", "NSsid", "HugetlbPages", "State", "FDSize", "SigQ", "SigPnd", "ShdPnd", "Threads"}, key):
		case key == "stat":
			// proc_pid_stat(5): the process group, session, terminal,
			// priority, nice value, exit signal, real-time priority, policy.
			_, rest, _ := strings.Cut(value, ") ")
			list := strings.Fields(rest)
			for _, n := range []int{5, 6, 7, 8, 18, 19, 38, 40, 41} {
				fields[fmt.Sprintf("stat %d", n)] = list[n-3]
			}
		case key == "limits", key == "mountinfo", key == "cgroup":
			fields[key+" "+value] = value
		default:
			fields[key] = value
		}
	}
	return fields
}

// TestBareExecThread compares properties of a thread that are not in /proc, and that a
// new thread would not have.
func TestBareExecThread(t *testing.T) {
	runas := program(t, "caprun/internal/test/runas")
	profile := profileFile(t, plainProfile)
	for range 20 {
		out, errs, status := outcome(t, exec.Command(runas, "pdeathsig=10", "subreaper", "--", caprun(t), "-profile", profile, "--", program(t, "caprun/internal/test/creds")))
		if status != 0 || !strings.Contains(out, "\npdeathsig: 10\n") || !strings.Contains(out, "\nsubreaper: 1\n") || !strings.Contains(out, "\ndumpable: 1\n") {
			t.Fatalf("status %d\n%s%s", status, out, errs)
		}
	}
}
