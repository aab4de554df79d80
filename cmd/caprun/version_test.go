package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/internal/render"
	"caprun/internal/test/outputs"
	"caprun/internal/version"
	"caprun/policy"
)

// runVersion returns what version prints.
func runVersion(t *testing.T, args ...string) string {
	t.Helper()
	var out, messages bytes.Buffer
	c := &Command{Env: render.Env{Stdout: &out, Stderr: &messages}}
	if status := c.Main(append([]string{"version"}, args...)); status != exitOK || messages.Len() > 0 {
		t.Fatalf("status %d: %s", status, &messages)
	}
	return out.String()
}

// TestVersion: version prints the number of the source in its first line, and in JSON.
func TestVersion(t *testing.T) {
	first, _, _ := strings.Cut(runVersion(t), "\n")
	if fields := strings.Fields(first); len(fields) != 4 || fields[0] != "caprun" || fields[1] != version.Number {
		t.Errorf("the first line is %q", first)
	}
	var report versionReport
	if err := json.Unmarshal([]byte(runVersion(t, "-format", "json")), &report); err != nil {
		t.Fatal(err)
	}
	if report.Caprun != version.Number || report.Format != render.FormatVersion || report.LastCap != "cap_checkpoint_restore" {
		t.Errorf("%+v", report)
	}
}

// TestManualVersion: the footers of the manual pages have the number of the source.
func TestManualVersion(t *testing.T) {
	for _, name := range []string{"caprun.1", "caprun-profile.5"} {
		if !strings.Contains(manPage(t, name), "\n.Os caprun "+version.Number+"\n") {
			t.Errorf("%s: the footer is not .Os caprun %s", name, version.Number)
		}
	}
}

// TestInstallVersion: docs/install.md has the number of the source, and no other.
func TestInstallVersion(t *testing.T) {
	page, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`\bcaprun[-_ ]([0-9]+\.[0-9]+\.[0-9]+)`).FindAllStringSubmatch(string(page), -1)
	for _, match := range found {
		if match[1] != version.Number {
			t.Errorf("the page has %q, and the version is %s", match[0], version.Number)
		}
	}
	if len(found) == 0 {
		t.Error("the page has no version")
	}
}

// TestProfileFormat: the reader takes the version of the format that is printed, and not
// the next.
func TestProfileFormat(t *testing.T) {
	for text, want := range map[string]bool{"version: 1\n": true, "version: 2\n": false} {
		_, diagnostics := policy.Parse("x.yaml", []byte(text))
		refused := slices.ContainsFunc(diagnostics, func(d policy.Diagnostic) bool { return d.Rule == "bad-version" })
		if refused == want || want != (text == "version: "+string('0'+rune(profileFormat))+"\n") {
			t.Errorf("%q: %v", text, diagnostics)
		}
	}
}

// TestKernelsOfPage: docs/kernels.md has the kernels that version prints, the newest
// first, and no others.
func TestKernelsOfPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/kernels.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## What is tested\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var found []engine.Kernel
	for _, match := range regexp.MustCompile(`(?m)^\| ([0-9]+\.[0-9]+)\b`).FindAllStringSubmatch(section, -1) {
		k, err := engine.ParseKernel(match[1])
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, k)
	}
	slices.Reverse(found)
	if !slices.Equal(found, engine.ComparedKernels()) {
		t.Errorf("the page has %v, and the model was compared with %v", found, engine.ComparedKernels())
	}
	if !strings.Contains(string(page), "Linux "+engine.OldestKernel().String()+" and later") {
		t.Errorf("the page does not say that caprun runs on Linux %v and later", engine.OldestKernel())
	}
}

// TestVersionSchema: the published schema and the type have the same properties.
func TestVersionSchema(t *testing.T) { outputs.Agree(t, "version", "", versionReport{}) }
