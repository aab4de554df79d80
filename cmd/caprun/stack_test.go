package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestStackFirst: the stack grows before any package is initialised whose
// initialisation would make it grow.
func TestStackFirst(t *testing.T) {
	cmd := exec.Command(caprun(t), "version")
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	var trace strings.Builder
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(trace.String()) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "init" {
			t.Fatalf("not the trace of a package: %q", line)
		}
		// The runtime and what it is made of come before all others.
		switch name := fields[1]; {
		case name == "caprun/internal/stack":
			return
		case name != "runtime" && !strings.HasPrefix(name, "internal/"):
			t.Fatalf("%s is initialised before caprun/internal/stack", name)
		}
	}
	t.Fatalf("caprun/internal/stack is not in the trace:\n%s", trace.String())
}
