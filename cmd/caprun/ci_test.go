package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"

	"gopkg.in/yaml.v3"
)

// Tests of the files that GitHub, pre-commit and other CI systems read.

type action struct {
	Name, Description string
	Inputs            map[string]struct {
		Description, Default string
		Required             bool
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, If, Uses, Shell, Run string
			With, Env                map[string]string
		}
	}
}

func readAction(t *testing.T) action {
	t.Helper()
	var a action
	decode(t, "../../action.yml", &a)
	return a
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// script returns the script of the action and its environment variables.
func (a action) script(t *testing.T) (run string, env map[string]string) {
	t.Helper()
	for _, s := range a.Runs.Steps {
		if s.Run != "" {
			if run != "" || s.Shell != "bash" {
				t.Fatal("the action is not one script of bash")
			}
			run, env = s.Run, s.Env
		}
	}
	return run, env
}

// TestAction: every input is declared and used, and none is expanded in the script,
// which would execute it.
func TestAction(t *testing.T) {
	a := readAction(t)
	run, env := a.script(t)
	if strings.Contains(run, "${{") {
		t.Errorf("the script has an expression")
	}
	for name, value := range env {
		input := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "INPUT_"), "_", "-"))
		if want := "${{ inputs." + input + " }}"; value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
		if _, ok := a.Inputs[input]; !ok {
			t.Errorf("missing input %s", input)
		}
		if !strings.Contains(run, "$"+name) {
			t.Errorf("the script does not use %s", name)
		}
	}
	if len(env) != len(a.Inputs) {
		t.Errorf("%d inputs and %d variables", len(a.Inputs), len(env))
	}
	for name, in := range a.Inputs {
		if in.Description == "" || name != "paths" && name != "format" && name != "fail-on" && name != "base-fail-on" && in.Default != "" {
			t.Errorf("input %s: %+v", name, in)
		}
	}
	if a.Name == "" || a.Runs.Using != "composite" || a.Outputs["status"].Value != "${{ steps.check.outputs.status }}" {
		t.Errorf("%+v", a)
	}
}

// runAction runs the script of the action in dir as a runner does, with inputs instead
// of some defaults.
func runAction(t *testing.T, dir string, inputs map[string]string) (stdout, stderr, output string, status int) {
	t.Helper()
	bash := requires.Tool(t, "bash")
	a := readAction(t)
	run, env := a.script(t)
	temp := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(temp, "script.sh")
	outputs := filepath.Join(temp, "output")
	for file, text := range map[string]string{script: run, outputs: ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(bash, "--noprofile", "--norc", "-e", "-o", "pipefail", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GITHUB_ACTION_PATH="+root, "GITHUB_OUTPUT="+outputs, "GITHUB_STEP_SUMMARY="+filepath.Join(temp, "summary"), "RUNNER_TEMP="+temp)
	for name := range env {
		input := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "INPUT_"), "_", "-"))
		value, ok := inputs[input]
		if !ok {
			value = a.Inputs[input].Default
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(outputs)
	if err != nil {
		t.Fatal(err)
	}
	return o.String(), e.String(), string(text), cmd.ProcessState.ExitCode()
}

// profileTree creates a directory with a good, a risky and an invalid profile.
func profileTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"profiles/good.yaml":       "version: 1\ncaps: \"=\"\nno_new_privs: true\n",
		"profiles/risky.yaml":      "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\n",
		"bad/with space, two.yaml": "version: 1\nno_new_privis: true\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestActionRuns runs the action's script on profiles.
func TestActionRuns(t *testing.T) {
	dir := profileTree(t)
	with := func(inputs map[string]string) map[string]string {
		inputs["caprun"] = caprun(t)
		return inputs
	}

	stdout, stderr, output, status := runAction(t, dir, with(map[string]string{"paths": "profiles\nbad/with space, two.yaml\n"}))
	if status != exitFindings || output != "status=1\n" || stderr != "" ||
		!strings.Contains(stdout, "::error file=bad/with space%2C two.yaml,line=2,") || !strings.Contains(stdout, "::warning file=profiles/risky.yaml,") {
		t.Errorf("status %d, output %q, stderr %q:\n%s", status, output, stderr, stdout)
	}

	stdout, _, output, status = runAction(t, dir, with(map[string]string{"paths": "profiles", "fail-on": "error", "format": "oneline"}))
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if status != exitOK || output != "status=0\n" || !strings.HasPrefix(lines[0], "::add-matcher::") || len(lines) < 4 ||
		!slices.Equal(lines[len(lines)-2:], []string{"::remove-matcher owner=caprun::", "::remove-matcher owner=caprun-info::"}) {
		t.Errorf("status %d, output %q:\n%s", status, output, stdout)
	}
	if _, err := os.Stat(strings.TrimPrefix(lines[0], "::add-matcher::")); err != nil {
		t.Error(err)
	}

	stdout, _, output, status = runAction(t, dir, with(map[string]string{"paths": "profiles", "fail-on": "never", "format": "sarif", "output": "a log.sarif"}))
	log, err := os.ReadFile(filepath.Join(dir, "a log.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	if status != exitOK || output != "status=0\n" || stdout != "" || !json.Valid(log) {
		t.Errorf("status %d, output %q, log %s:\n%s", status, output, log, stdout)
	}

	for name, inputs := range map[string]map[string]string{
		"no paths":  {"paths": ""},
		"no file":   {"paths": "nowhere.yaml"},
		"no format": {"paths": "profiles", "format": "xml"},
	} {
		if _, stderr, output, status := runAction(t, dir, with(inputs)); status != exitError || output != "status=2\n" || stderr == "" {
			t.Errorf("%s: status %d, output %q, stderr %q", name, status, output, stderr)
		}
	}
}

// TestActionBase: with a base, the action also compares the profiles with those of a git
// revision, and fails where a profile grants more.
func TestActionBase(t *testing.T) {
	git := requires.Tool(t, "git")
	dir := profileTree(t)
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(git, append([]string{"-c", "user.name=nobody", "-c", "user.email=nobody@example.org"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	run("init", "-q")
	run("add", ".")
	run("commit", "-q", "-m", "one")
	inputs := map[string]string{"paths": "profiles", "fail-on": "never", "base": "HEAD", "caprun": caprun(t)}
	if stdout, stderr, output, status := runAction(t, dir, inputs); status != exitOK || stderr != "" || !strings.HasPrefix(output, "status=0\ndiff-status=0\ndiff=/") {
		t.Errorf("no change: status %d, output %q\n%s%s", status, output, stdout, stderr)
	}
	wider := "version: 1\ncaps: \"=\"\n"
	if err := os.WriteFile(filepath.Join(dir, "profiles/good.yaml"), []byte(wider), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, output, status := runAction(t, dir, inputs)
	if status != exitFindings || stderr != "" || !strings.HasPrefix(output, "status=0\ndiff-status=1\ndiff=/") || !strings.Contains(stdout, "| widened | `profiles/good.yaml` |") {
		t.Errorf("a widening: status %d, output %q\n%s%s", status, output, stdout, stderr)
	}
	inputs["base-fail-on"] = "never"
	if stdout, stderr, output, status := runAction(t, dir, inputs); status != exitOK || stderr != "" || !strings.Contains(output, "diff-status=0") {
		t.Errorf("approved: status %d, output %q\n%s%s", status, output, stdout, stderr)
	}
	inputs["base"] = "nowhere"
	if stdout, stderr, output, status := runAction(t, dir, inputs); status != exitError || !strings.Contains(stderr, `revision "nowhere": unknown revision`) {
		t.Errorf("no revision: status %d, output %q\n%s%s", status, output, stdout, stderr)
	}
}

// TestActionBuilds: the action builds caprun from its own checkout.
func TestActionBuilds(t *testing.T) {
	requires.Heavy(t)
	requires.Tool(t, "go")
	dir := profileTree(t)
	if stdout, stderr, output, status := runAction(t, dir, map[string]string{"paths": "profiles/good.yaml"}); status != exitOK || output != "status=0\n" {
		t.Errorf("status %d, output %q:\n%s%s", status, output, stdout, stderr)
	}
}

// TestActionExecutesNoInput gives each input text that a shell would execute. A program
// instead of caprun receives the words unchanged.
func TestActionExecutesNoInput(t *testing.T) {
	requires.Heavy(t)
	for _, evil := range []string{
		"$(touch x)", "`touch x`", "; touch x", "\"; touch x; \"", "'; touch x; '", "a && touch x", "| touch x", "${IFS}touch${IFS}x", "*", "-fail-on=never", "--help", "\\", "$HOME",
	} {
		for _, input := range []string{"paths", "format", "fail-on", "ceiling", "output", "base", "base-fail-on", "caprun"} {
			dir := t.TempDir()
			fake := filepath.Join(dir, "fake")
			if err := os.WriteFile(fake, []byte("#!/bin/sh\nprintf '<%s>' \"$@\" >>args\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			inputs := map[string]string{"paths": "p", "ceiling": "c", "base": "b", "caprun": fake}
			inputs[input] = evil
			if input == "output" && strings.Contains(evil, "/") {
				continue
			}
			_, _, _, status := runAction(t, dir, inputs)
			if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
				t.Fatalf("%s %q was executed", input, evil)
			}
			args, err := os.ReadFile(filepath.Join(dir, "args"))
			if input == "caprun" {
				if err == nil || status == 0 {
					t.Errorf("caprun %q: status %d, %s", evil, status, args)
				}
				continue
			}
			words := map[string]string{"format": "github", "fail-on": "warning", "base-fail-on": "widen"}
			for name, value := range inputs {
				words[name] = value
			}
			want := fmt.Sprintf("<check><-format><%s><-fail-on><%s><-ceiling><%s><--><%s>", words["format"], words["fail-on"], words["ceiling"], words["paths"])
			want += fmt.Sprintf("<diff><-base><%s><-fail-on><%s><-format><markdown><--><%s>", words["base"], words["base-fail-on"], words["paths"])
			if string(args) != want || status != 0 {
				t.Errorf("%s %q: status %d, got %s, want %s", input, evil, status, args, want)
			}
		}
	}
}

// TestPreCommitHook runs the command of the hook as pre-commit does, with the names of
// the matching files.
func TestPreCommitHook(t *testing.T) {
	var hooks []struct {
		ID, Name, Description, Language, Entry, Files string
		Args, Types                                   []string
		RequireSerial                                 bool `yaml:"require_serial"`
	}
	decode(t, "../../.pre-commit-hooks.yaml", &hooks)
	if len(hooks) != 1 || hooks[0].ID != "caprun-check" || hooks[0].Language != "golang" || hooks[0].Entry != "caprun check" {
		t.Fatalf("%+v", hooks)
	}
	files := regexp.MustCompile(hooks[0].Files)
	for name, want := range map[string]bool{
		"profiles/web.yaml": true, "profiles/a/b.yml": true, "etc/caprun/web.yaml": true,
		"compose.yaml": false, "myprofiles/web.yaml": false, "profiles/web.txt": false, ".github/workflows/ci.yml": false,
	} {
		if got := files.MatchString(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	dir := profileTree(t)
	for names, want := range map[string]int{
		"profiles/good.yaml": exitOK, "profiles/good.yaml profiles/risky.yaml": exitFindings,
		// A missing file, not a flag.
		"-fail-on=never profiles/risky.yaml": exitError,
	} {
		cmd := exec.Command(caprun(t), slices.Concat(strings.Fields(hooks[0].Entry)[1:], hooks[0].Args, strings.Fields(names))...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: status %d, %v\n%s", names, got, err, out)
		}
	}
}
