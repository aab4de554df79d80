package repository

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// The scripts of .github/workflows/release.yml, run as a runner runs them.

// built is the commit of the tag, as the program gh prints it.
const built = "c0ffee"

// releaseStep runs the script of the step with a name in dir, with programs gh and
// make that write their arguments to files with their names.
func releaseStep(t *testing.T, dir, name, tag string) (output string, err error) {
	t.Helper()
	var script string
	var names map[string]string
	for _, s := range readWorkflow(t, ".github/workflows/release.yml").steps() {
		if s.Name == name && s.Run != "" {
			script, names = s.Run, s.Env
		}
	}
	if script == "" {
		t.Fatalf("release.yml has no step %q with a script", name)
	}
	bin := t.TempDir()
	for _, program := range []string{"gh", "make"} {
		writeFile(t, filepath.Join(bin, program), "#!/bin/sh\nprintf '%s\\n' \"$@\" >>"+program+"\n[ \"$1\" != api ] || echo "+built+"\n", 0o755)
	}
	cmd := exec.Command(requires.Tool(t, "bash"), "--noprofile", "--norc", "-e", "-c", script)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "GITHUB_SHA=" + built}
	for name := range names {
		value := "x"
		if name == "TAG" {
			value = tag
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// releaseFiles makes the directory that the jobs of a release download.
func releaseFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var sums strings.Builder
	for _, name := range []string{"caprun-0.1.0-linux-amd64.cdx.json", "caprun_0.1.0_amd64.deb", "caprun-0.1.0-linux-amd64.tar.gz"} {
		writeFile(t, filepath.Join(dir, "dist", name), name, 0o644)
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(name)), name)
	}
	writeFile(t, filepath.Join(dir, "dist/SHA256SUMS"), sums.String(), 0o644)
	writeFile(t, filepath.Join(dir, "notes.md"), "- a change\n", 0o644)
	return dir
}

// arguments returns what a program was called with in dir, or "".
func arguments(dir, program string) string {
	text, err := os.ReadFile(filepath.Join(dir, program))
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

// TestReleaseTag: the version that is built and the draft are those of the tag, whose text
// is not executed. The draft has every file of dist.
func TestReleaseTag(t *testing.T) {
	const files = "dist/SHA256SUMS dist/caprun-0.1.0-linux-amd64.cdx.json dist/caprun-0.1.0-linux-amd64.tar.gz dist/caprun_0.1.0_amd64.deb --draft --verify-tag --title"
	for tag, want := range map[string]struct{ make, gh string }{
		"v0.1.0":      {"dist VERSION=0.1.0", "api repos/x/commits/v0.1.0 --jq .sha release create v0.1.0 " + files + " caprun 0.1.0 --notes-file notes.md"},
		"v0.1.0-rc.1": {"dist VERSION=0.1.0-rc.1", "api repos/x/commits/v0.1.0-rc.1 --jq .sha release create v0.1.0-rc.1 " + files + " caprun 0.1.0-rc.1 --notes-file notes.md --prerelease"},
		"v0$(touch${IFS}x)": {"dist VERSION=0$(touch${IFS}x)",
			"api repos/x/commits/v0$(touch${IFS}x) --jq .sha release create v0$(touch${IFS}x) " + files + " caprun 0$(touch${IFS}x) --notes-file notes.md"},
	} {
		dir := releaseFiles(t)
		for step, c := range map[string]struct{ program, want string }{"Build": {"make", want.make}, "Make the draft": {"gh", want.gh}} {
			out, err := releaseStep(t, dir, step, tag)
			if got := arguments(dir, c.program); err != nil || got != c.want {
				t.Errorf("tag %s: %v\n%s\n got %s\nwant %s", tag, err, out, got, c.want)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
			t.Errorf("tag %s was executed", tag)
		}
	}
}

// TestReleaseMovedTag: no draft is made for a tag that is another commit now.
func TestReleaseMovedTag(t *testing.T) {
	dir := releaseFiles(t)
	script := ""
	for _, s := range readWorkflow(t, ".github/workflows/release.yml").steps() {
		if s.Name == "Make the draft" {
			script = s.Run
		}
	}
	if !strings.Contains(script, "\"$commit\" != \"$GITHUB_SHA\"") {
		t.Fatal("the step does not compare the commit")
	}
	writeFile(t, filepath.Join(dir, "dist/SHA256SUMS"), "x\n", 0o644)
	if out, err := releaseStep(t, dir, "Make the draft", "v0.1.0"); err == nil || strings.Contains(arguments(dir, "gh"), "create") {
		t.Errorf("a draft with wrong checksums: %s", out)
	}
}

// TestReleaseFiles: files are attested only if SHA256SUMS lists each and is right.
func TestReleaseFiles(t *testing.T) {
	const step = "Check the files"
	if out, err := releaseStep(t, releaseFiles(t), step, ""); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for name, change := range map[string]func(dir string){
		"a changed file":       func(dir string) { writeFile(t, filepath.Join(dir, "dist/caprun_0.1.0_amd64.deb"), "other", 0o644) },
		"a missing file":       func(dir string) { os.Remove(filepath.Join(dir, "dist/caprun_0.1.0_amd64.deb")) },
		"a file without a sum": func(dir string) { writeFile(t, filepath.Join(dir, "dist/extra"), "x", 0o644) },
		"a malformed line":     func(dir string) { writeFile(t, filepath.Join(dir, "dist/SHA256SUMS"), "x\n", 0o644) },
		"no sums":              func(dir string) { os.Remove(filepath.Join(dir, "dist/SHA256SUMS")) },
	} {
		dir := releaseFiles(t)
		change(dir)
		if out, err := releaseStep(t, dir, step, ""); err == nil {
			t.Errorf("%s: no error\n%s", name, out)
		}
	}
}

// releaseNotes runs .github/release-notes.
func releaseNotes(t *testing.T, changes string, args ...string) (notes, message string, err error) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(root, ".github/release-notes"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(requires.Tool(t, "sh"), append([]string{script}, args...)...)
	cmd.Stdin = strings.NewReader(changes)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err = cmd.Run()
	return o.String(), e.String(), err
}

// TestReleaseNotes: the notes are the section of the tag.
func TestReleaseNotes(t *testing.T) {
	const changes = "# Changes\n\nText.\n\n## [Unreleased]\n\n- later\n\n## [0.1.1] - 2027-01-02\n\n### Fixed\n\n- a line\n  and its end\n\n### Added\n\n- `x`\n\n" +
		"## [0.1.0] - 2026-11-30\n\n- first [page](docs/check.md)\n\n[Unreleased]: https://example.org/a\n[0.1.0]: https://example.org/b\n"
	for tag, want := range map[string]string{
		"v0.1.1": "### Fixed\n\n- a line\n  and its end\n\n### Added\n\n- `x`\n",
		"v0.1.0": "- first [page](docs/check.md)\n",
	} {
		if got, message, err := releaseNotes(t, changes, tag); err != nil || got != want || message != "" {
			t.Errorf("%s: %v, %q, %q", tag, err, got, message)
		}
	}
	for _, c := range []struct{ changes, tag, want string }{
		{changes, "v0.2.0", "0 sections"},
		{changes, "v0.1", "0 sections"},
		{changes, "v0.1.0] - 2026-11-30", "0 sections"},
		{changes, "Unreleased", "invalid tag"},
		{changes, "-f", "invalid tag"},
		{changes, `v0\n`, "0 sections"},
		{"## 0.1.0\n\n- a\n", "v0.1.0", "0 sections"},
		{"## [0.1.0] - unreleased\n\n- a\n", "v0.1.0", "with a date and text"},
		{"## [0.1.0] - 2026-11-30\n\n## [0.0.1] - 2026-11-29\n\n- a\n", "v0.1.0", "with a date and text"},
		{"## [0.1.0] - 2026-11-30\n\n- a\n\n## [0.1.0] - 2026-11-29\n\n- b\n", "v0.1.0", "2 sections"},
		{"", "v0.1.0", "0 sections"},
	} {
		if _, message, err := releaseNotes(t, c.changes, c.tag); err == nil || !strings.Contains(message, c.want) {
			t.Errorf("%q of %q: %v, %q; want %q", c.tag, c.changes, err, message, c.want)
		}
	}
	if _, message, err := releaseNotes(t, changes); err == nil || !strings.HasPrefix(message, "usage: ") {
		t.Errorf("without a tag: %v, %q", err, message)
	}
}

// TestReleaseNotesOfChangelog: each released version in CHANGELOG.md has notes.
func TestReleaseNotesOfChangelog(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		version, _, ok := strings.Cut(strings.TrimPrefix(line, "## ["), "]")
		if !strings.HasPrefix(line, "## [") || !ok || strings.EqualFold(version, "unreleased") {
			continue
		}
		if _, message, err := releaseNotes(t, string(text), "v"+version); err != nil {
			t.Errorf("%s: %v\n%s", version, err, message)
		}
	}
}
