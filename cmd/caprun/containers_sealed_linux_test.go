package main

import (
	"path/filepath"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/policy"
	"caprun/seal"
)

// launcherOf returns the path of the sealed launcher of a profile in the image.
func launcherOf(profile string) string {
	name := strings.TrimPrefix(profile, "builtin:")
	return "/sealed-" + strings.TrimSuffix(filepath.Base(name), ".yaml")
}

// writeLaunchers writes the sealed launchers of all profiles to an image.
func writeLaunchers(t *testing.T, image string) {
	t.Helper()
	for _, s := range containerStarts(t) {
		p, found := policy.Parse(s.profile, containerText(t, s.profile))
		if p == nil {
			t.Fatal(found)
		}
		file, err := seal.Seal(p, seal.Options{})
		if err != nil {
			t.Fatalf("%s: %v", s.profile, err)
		}
		writeFile(t, filepath.Join(image, launcherOf(s.profile)), file, 0o755)
	}
}

// testSealed starts the container with the sealed launcher of the profile as its
// entrypoint. The target has the state that explain predicts, as with caprun, or the
// launcher refuses, with the step that failed.
func (s containerStart) testSealed(t *testing.T, r ociRuntime, config ociConfig, p *policy.Profile, plan *engine.Plan) {
	t.Helper()
	if s.configMap {
		return // the profile is not mounted
	}
	config.Process.Args = []string{launcherOf(s.profile), "/creds"}
	got := r.run(t, config)
	if s.refused != nil {
		name := p.Name
		if name == "" {
			name = "caprun"
		}
		if want := name + ": " + s.sealed + "\n"; got.Status != exitRefused || got.Stdout != "" || got.Stderr != want {
			t.Errorf("the sealed launcher: status %d, output %q, message %q, want %q", got.Status, got.Stdout, got.Stderr, want)
		}
		return
	}
	if got.Status != 0 || got.Stderr != "" {
		t.Errorf("the sealed launcher: status %d: %s", got.Status, got.Stderr)
		return
	}
	testTarget(t, plan, got)
}
