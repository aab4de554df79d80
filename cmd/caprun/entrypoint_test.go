package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"caprun/internal/need"
)

// TestEntrypointLinks: the entrypoint build has neither the packages that it is
// to do without, nor what only they need.
func TestEntrypointLinks(t *testing.T) {
	cmd := exec.Command(need.Tool(t, "go"), "list", "-deps", "-tags=entrypoint", command)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, pkg := range strings.Fields(string(out)) {
		linked[pkg] = true
	}
	if !linked["caprun/policy"] || !linked["caprun/engine"] {
		t.Fatalf("not the packages of the command: %s", out)
	}
	for _, pkg := range []string{
		"caprun/schema", "github.com/santhosh-tekuri/jsonschema/v5", "caprun/engine/review", "caprun/docs/rules",
		"encoding/json", "net", "net/url", "text/template", "os/exec", "os/user", "C", "runtime/cgo",
	} {
		if linked[pkg] {
			t.Errorf("%s is linked", pkg)
		}
	}
}
