package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// TestInheritedByTarget starts programs that change at their exec what others inherit,
// and compares with what "explain -target" says.
func TestInheritedByTarget(t *testing.T) {
	requires.Root(t)
	const (
		cleared   = " without ADDR_NO_RANDOMIZE, ADDR_COMPAT_LAYOUT, MMAP_PAGE_ZERO and READ_IMPLIES_EXEC"
		lowStack  = "; the soft limit of the stack is at most 8388608"
		noLayout  = "262144" // ADDR_NO_RANDOMIZE
		highStack = "16777216"
	)
	runas := program(t, "caprun/internal/test/runas")
	dir := scriptRoot(t)
	copyOf := func(name, settings string) string {
		path := filepath.Join(dir, name)
		args := []string{"copy=" + program(t, "caprun/internal/test/attributes") + ":" + path}
		for setting := range strings.FieldsSeq(settings) {
			args = append(args, setting+":"+path)
		}
		if out, errs, status := outcome(t, exec.Command(runas, args...)); status != 0 {
			t.Fatal(out, errs)
		}
		return path
	}
	for _, c := range []struct {
		name, caller, target, profile string
		personality, limits           string // what explain adds to the names
		signal                        bool   // the parent-death signal is inherited
	}{
		{name: "an ordinary program", caller: "uid=1000", signal: true},
		{name: "declared limits", profile: "rlimits: {core: 0, nofile: 64}", limits: " except core, nofile", signal: true},
		{name: "a set-user-ID program", caller: "uid=1000", target: "owner=5.0 mode=4755", personality: cleared, limits: lowStack},
		{name: "a set-user-ID program of the user", caller: "uid=1000", target: "owner=1000.0 mode=4755", personality: cleared, signal: true},
		{name: "a set-group-ID program", caller: "uid=1000", target: "owner=0.5 mode=2755", personality: cleared, limits: lowStack},
		{name: "under no_new_privs", caller: "uid=1000", target: "owner=5.0 mode=4755", profile: "no_new_privs: true", signal: true},
		{name: "file capabilities", caller: "uid=1000", target: "filecaps=0x400,0,e", personality: cleared, limits: lowStack},
		{name: "root gains nothing under no_new_privs", profile: "caps: \"=\"\niab: \"\"\nno_new_privs: true", personality: cleared, signal: true},
		{name: "a declared stack", caller: "uid=1000", target: "owner=5.0 mode=4755", profile: "rlimits: {stack: 4194304}", personality: cleared, limits: " except stack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := append([]string{"limit=3:" + highStack + ":67108864", "personality=" + noLayout, "pdeathsig=10"}, strings.Fields(c.caller)...)
			// The change of the user clears the signal.
			settings = append(settings, "pdeathsig=10")
			target := copyOf(strings.ReplaceAll(c.name, " ", "-"), c.target)
			profile := profileFile(t, "version: 1\n"+c.profile)
			run := func(args ...string) string {
				t.Helper()
				out, errs, status := outcome(t, exec.Command(runas, append(append(settings, "--", caprun(t)), args...)...))
				if status != 0 {
					t.Fatalf("status %d\n%s", status, errs)
				}
				return out
			}
			var plan struct{ Inherited []struct{ Name string } }
			if err := json.Unmarshal([]byte(run("explain", "-as", "current", "-format", "json", "-target", target, profile)), &plan); err != nil {
				t.Fatal(err)
			}
			signal := false
			for _, row := range plan.Inherited {
				if detail, ok := strings.CutPrefix(row.Name, "personality"); ok && detail != c.personality {
					t.Errorf("personality: %q", detail)
				}
				if detail, ok := strings.CutPrefix(row.Name, "resource limits"); ok && detail != c.limits {
					t.Errorf("limits: %q", detail)
				}
				signal = signal || row.Name == "parent-death signal"
			}
			if signal != c.signal {
				t.Errorf("parent-death signal: %v", signal)
			}

			report := map[string]string{}
			for line := range strings.Lines(run("-profile", profile, "--", target)) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				report[key] = value
			}
			personality, stack, death := noLayout, highStack, "10"
			if c.personality != "" {
				personality = "0"
			}
			if strings.Contains(c.limits, lowStack) {
				stack = "8388608"
			}
			if strings.Contains(c.limits, "stack") && !strings.Contains(c.limits, lowStack) {
				stack = "4194304"
			}
			if !c.signal {
				death = "0"
			}
			if report["personality"] != personality || report["stack"] != stack || report["parent-death signal"] != death {
				t.Errorf("%s, %s, %s", report["personality"], report["stack"], report["parent-death signal"])
			}
		})
	}
}
