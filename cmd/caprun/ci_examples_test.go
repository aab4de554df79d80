package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/test/requires"

	"gopkg.in/yaml.v3"
)

// Tests of the files in examples/ci, which readers copy.

// changes are the changes of a branch that the examples are tried on, with the exit status
// and words of the output.
var changes = []struct {
	name, file, text string
	status           int
	words            string
}{
	{"none", "", "", exitOK, "1 unchanged"},
	{"narrower", "profiles/web.yaml", "version: 1\ncaps: \"=\"\nno_new_privs: true\n# a comment\n", exitOK, ""},
	{"wider", "profiles/web.yaml", "version: 1\nuid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\nno_new_privs: true\n", exitFindings, "cap_net_bind_service"},
	{"another profile", "profiles/new.yaml", "version: 1\ncaps: \"=\"\nno_new_privs: true\n", exitFindings, "new.yaml"},
	{"a mistake", "profiles/web.yaml", "version: 1\nno_new_privis: true\n", exitError, "unknown-key"},
	// Text that a shell would execute.
	{"a name", "profiles/$(touch x).yaml", "version: 1\nno_new_privis: true\n", exitError, "unknown-key"},
}

// changedRepository makes a repository with the branch main, and a branch with a change of
// one file, on which it is. main has a wider profile than the merge base.
func changedRepository(t *testing.T, file, text string) (dir, base string) {
	t.Helper()
	git := requires.Tool(t, "git")
	dir = t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(git, append([]string{"-C", dir, "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run("init", "-q", "-b", "main")
	write("profiles/web.yaml", "version: 1\ncaps: \"=\"\nno_new_privs: true\n")
	run("add", ".")
	run("commit", "-q", "-m", "one")
	base = run("rev-parse", "HEAD")
	run("checkout", "-q", "-b", "change")
	if file != "" {
		write(file, text)
	}
	run("add", ".")
	run("commit", "-q", "--allow-empty", "-m", "two")
	run("checkout", "-q", "main")
	write("profiles/web.yaml", "version: 1\nno_new_privs: true\n")
	run("commit", "-q", "-a", "-m", "three")
	run("checkout", "-q", "change")
	return dir, base
}

// checksum returns the SHA-256 of a file, in hexadecimal digits.
func checksum(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// archive makes an archive as a release has it. It contains a script that starts caprun,
// which is small.
func archive(t *testing.T) string {
	t.Helper()
	return archiveOf(t, "#!/bin/sh\nexec '"+caprun(t)+"' \"$@\"\n")
}

// archiveOf makes an archive with a text as the program.
func archiveOf(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "caprun_0.1.0"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "caprun_0.1.0/caprun"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "caprun.tar.gz")
	if out, err := exec.Command(requires.Tool(t, "tar"), "-czf", file, "-C", dir, "caprun_0.1.0").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// TestCheckScript runs examples/ci/check.sh on each change, with the archive of a release.
func TestCheckScript(t *testing.T) {
	sh := requires.Tool(t, "sh")
	requires.Tool(t, "curl")
	script, err := filepath.Abs("../../examples/ci/check.sh")
	if err != nil {
		t.Fatal(err)
	}
	file := archive(t)
	good := map[string]string{"CAPRUN_URL": "file://" + file, "CAPRUN_SHA256": checksum(t, file), "CAPRUN_BASE": "main"}
	temp := t.TempDir()
	run := func(dir string, variables map[string]string, args ...string) (string, int) {
		cmd := exec.Command(sh, append([]string{script}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "TMPDIR="+temp)
		for name, value := range variables {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	for _, c := range changes {
		dir, _ := changedRepository(t, c.file, c.text)
		out, status := run(dir, good, "profiles")
		if status != c.status || !strings.Contains(out, c.words) {
			t.Errorf("%s: status %d, want %d and %q\n%s", c.name, status, c.status, c.words, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
			t.Errorf("%s: a name was executed", c.name)
		}
	}
	dir, _ := changedRepository(t, "", "")
	for name, c := range map[string]struct {
		variable, value, words string
	}{
		"no URL":               {"CAPRUN_URL", "", "CAPRUN_URL is not set"},
		"no checksum":          {"CAPRUN_SHA256", "", "CAPRUN_SHA256 is not set"},
		"no base":              {"CAPRUN_BASE", "", "CAPRUN_BASE is not set"},
		"a missing file":       {"CAPRUN_URL", "file:///nowhere", "the download of CAPRUN_URL failed"},
		"another checksum":     {"CAPRUN_SHA256", strings.Repeat("0", 64), "the archive does not have the checksum"},
		"a malformed checksum": {"CAPRUN_SHA256", "x", "the archive does not have the checksum"},
		"an unknown base":      {"CAPRUN_BASE", "nowhere", "no merge base"},
		"a flag as the base":   {"CAPRUN_BASE", "--all", "no merge base"},
	} {
		variables := map[string]string{}
		for k, v := range good {
			variables[k] = v
		}
		variables[c.variable] = c.value
		if out, status := run(dir, variables, "profiles"); status != exitError || !strings.Contains(out, c.words) {
			t.Errorf("%s: status %d\n%s", name, status, out)
		}
	}
	if out, status := run(dir, good); status != exitError || !strings.Contains(out, "no paths") {
		t.Errorf("no paths: status %d\n%s", status, out)
	}
	if out, status := run(dir, good, "-fail-on=never"); status != exitError {
		t.Errorf("a flag as a path: status %d\n%s", status, out)
	}
	// A program for another processor.
	other := archiveOf(t, "\x7fELF of another processor")
	variables := map[string]string{"CAPRUN_URL": "file://" + other, "CAPRUN_SHA256": checksum(t, other), "CAPRUN_BASE": "main"}
	if out, status := run(dir, variables, "profiles"); status != exitError {
		t.Errorf("a program for another processor: status %d\n%s", status, out)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("temporary files remain: %v %v", left, err)
	}
}

// TestGitLabExample runs the scripts of examples/ci/gitlab-ci.yml on each change, as a
// runner does. Instead of apt-get, a program copies caprun.
func TestGitLabExample(t *testing.T) {
	bash := requires.Tool(t, "bash")
	requires.Tool(t, "jq")
	requires.Tool(t, "curl")
	text, err := os.ReadFile("../../examples/ci/gitlab-ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Caprun struct {
			Variables map[string]string
			Before    []string `yaml:"before_script"`
			Script    []string
			Artifacts struct {
				Reports struct{ Codequality string }
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	job := file.Caprun
	bin := t.TempDir()
	installer := "#!/bin/sh\nfor last; do :; done\ncase $last in *.deb) cp \"$PACKAGED\" \"${0%/*}/caprun\" ;; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "apt-get"), []byte(installer), 0o755); err != nil {
		t.Fatal(err)
	}
	packaged := filepath.Join(t.TempDir(), "caprun.deb")
	if err := os.WriteFile(packaged, []byte("a package"), 0o644); err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	run := func(dir, base, sum string) (string, int) {
		// The example writes the package to /tmp: here to a directory of the test.
		lines := strings.ReplaceAll(strings.Join(append(job.Before, job.Script...), "\n"), "/tmp/", temp+"/")
		cmd := exec.Command(bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", lines)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "PACKAGED="+caprun(t))
		for name, value := range job.Variables {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		cmd.Env = append(cmd.Env, "CAPRUN_URL=file://"+packaged, "CAPRUN_SHA256="+sum, "CI_MERGE_REQUEST_DIFF_BASE_SHA="+base)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	sum := checksum(t, packaged)
	for _, c := range changes {
		dir, base := changedRepository(t, c.file, c.text)
		out, status := run(dir, base, sum)
		if status != c.status || !strings.Contains(out, c.words) {
			t.Errorf("%s: status %d, want %d and %q\n%s", c.name, status, c.status, c.words, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
			t.Errorf("%s: a name was executed", c.name)
		}
		report, err := os.ReadFile(filepath.Join(dir, job.Artifacts.Reports.Codequality))
		if err != nil {
			t.Fatal(err)
		}
		var problems []struct {
			Description, Severity, Fingerprint string
			Check                              string `json:"check_name"`
			Location                           struct {
				Path  string
				Lines struct{ Begin int }
			}
		}
		if err := json.Unmarshal(report, &problems); err != nil {
			t.Fatalf("%s: %v\n%s", c.name, err, report)
		}
		if mistake := strings.Contains(c.words, "-key"); mistake != (len(problems) > 0) {
			t.Errorf("%s: %s", c.name, report)
		}
		for _, p := range problems {
			if p.Description == "" || p.Severity != "major" || p.Fingerprint == "" || p.Check != "unknown-key" || p.Location.Path != c.file || p.Location.Lines.Begin != 2 {
				t.Errorf("%s: %+v", c.name, p)
			}
		}
	}
	// A change with a link at the place of the report: the job must not write to caprun,
	// which then would execute text of the report.
	wider := changes[2]
	dir, base := changedRepository(t, wider.file, wider.text)
	if err := os.Symlink(filepath.Join(bin, "caprun"), filepath.Join(dir, job.Artifacts.Reports.Codequality)); err != nil {
		t.Fatal(err)
	}
	if out, status := run(dir, base, sum); status != wider.status || !strings.Contains(out, wider.words) {
		t.Errorf("links: status %d, want %d and %q\n%s", status, wider.status, wider.words, out)
	}
	dir, base = changedRepository(t, "", "")
	if err := os.Remove(filepath.Join(bin, "caprun")); err != nil {
		t.Fatal(err)
	}
	if out, status := run(dir, base, strings.Repeat("0", 64)); status == 0 {
		t.Errorf("another checksum: status %d\n%s", status, out)
	}
	if _, err := os.Stat(filepath.Join(bin, "caprun")); err == nil {
		t.Error("a package with another checksum was installed")
	}
}
