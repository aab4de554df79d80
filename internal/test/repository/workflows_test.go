package repository

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/markdown"

	"gopkg.in/yaml.v3"
)

// A workflow is what these tests read of a workflow and of action.yml.
type workflow struct {
	On          yaml.Node
	Permissions map[string]string
	Jobs        map[string]struct {
		RunsOn      string `yaml:"runs-on"`
		Timeout     int    `yaml:"timeout-minutes"`
		Permissions map[string]string
		Steps       []workflowStep
	}
	Runs struct{ Steps []workflowStep }
}

type workflowStep struct {
	Uses yaml.Node
	Name string
	Run  string
	With map[string]string
	Env  map[string]string
}

// steps returns all steps, in the order of the jobs' names.
func (w workflow) steps() []workflowStep {
	all := slices.Clone(w.Runs.Steps)
	for _, name := range slices.Sorted(maps.Keys(w.Jobs)) {
		all = append(all, w.Jobs[name].Steps...)
	}
	return all
}

func readWorkflow(t *testing.T, file string) workflow {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(text, &w); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return w
}

// workflowFiles returns the workflows of this repository, relative to it.
func workflowFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for n, file := range files {
		files[n] = filepath.ToSlash(file[len(root)+1:])
	}
	return files
}

var (
	pinnedAction  = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+@[0-9a-f]{40}$`)
	actionVersion = regexp.MustCompile(`^# v[0-9]+\.[0-9]+\.[0-9]+$`)
)

// unpinned reports what is wrong with the action that a step uses: a branch or tag can
// be moved to another commit after a review, and a commit without its version cannot be
// compared with an advisory.
func unpinned(uses yaml.Node) string {
	switch {
	case strings.HasPrefix(uses.Value, "./"):
		return ""
	case !pinnedAction.MatchString(uses.Value):
		return "no commit of 40 hexadecimal digits"
	case !actionVersion.MatchString(uses.LineComment):
		return "no comment with the version"
	}
	return ""
}

// TestWorkflowActions: each action is pinned to a commit, the same one everywhere, and
// no script contains an expression, which would put text of others into the script.
func TestWorkflowActions(t *testing.T) {
	pins := map[string]string{}
	found := 0
	for _, file := range append(workflowFiles(t), "action.yml") {
		for _, s := range readWorkflow(t, file).steps() {
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: the script of a step contains an expression; use env", file)
			}
			if s.Uses.Value == "" {
				continue
			}
			found++
			if problem := unpinned(s.Uses); problem != "" {
				t.Errorf("%s: %s: %s", file, s.Uses.Value, problem)
			}
			action, commit, _ := strings.Cut(s.Uses.Value, "@")
			if other, ok := pins[action]; ok && other != commit {
				t.Errorf("%s: %s has two commits, %s and %s", file, action, commit, other)
			}
			pins[action] = commit
			if action == "actions/checkout" && s.With["persist-credentials"] != "false" {
				t.Errorf("%s: %s leaves the token in .git/config; set persist-credentials: false", file, action)
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d steps with an action were found", found)
	}
}

// TestPageActions: the examples of docs/ci.md, which readers copy, pin actions, too.
func TestPageActions(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, part := range markdown.Split(string(text)) {
		if part.Kind != "yaml" {
			continue
		}
		_, body, _ := strings.Cut(part.Text, "\n")
		body, _, _ = strings.Cut(body, "```")
		var w workflow
		if err := yaml.Unmarshal([]byte(body), &w); err != nil {
			continue // not a workflow
		}
		for _, s := range w.steps() {
			if s.Uses.Value == "" {
				continue
			}
			found++
			if problem := unpinned(s.Uses); problem != "" {
				t.Errorf("docs/ci.md:%d: %s: %s", part.Line, s.Uses.Value, problem)
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d steps with an action were found", found)
	}
}

// TestUnpinned shows which references are reported.
func TestUnpinned(t *testing.T) {
	const commit = "3d3c42e5aac5ba805825da76410c181273ba90b1"
	for uses, want := range map[string]string{
		"actions/checkout@" + commit + " # v7.0.1":                  "",
		"github/codeql-action/upload-sarif@" + commit + " # v4.0.0": "",
		"./.caprun":                                     "",
		"actions/checkout@" + commit:                    "no comment with the version",
		"actions/checkout@" + commit + " # v7":          "no comment with the version",
		"actions/checkout@v7":                           "no commit of 40 hexadecimal digits",
		"actions/checkout@main # v7.0.1":                "no commit of 40 hexadecimal digits",
		"actions/checkout@" + commit[:39] + " # v7.0.1": "no commit of 40 hexadecimal digits",
		"docker://alpine:3 # v3.0.0":                    "no commit of 40 hexadecimal digits",
	} {
		var s workflowStep
		if err := yaml.Unmarshal([]byte("uses: "+uses), &s); err != nil {
			t.Fatal(err)
		}
		if got := unpinned(s.Uses); got != want {
			t.Errorf("%s: %q, want %q", uses, got, want)
		}
	}
}

// writePermissions are all permissions to write: by file, job and scope.
var writePermissions = []string{
	".github/workflows/release.yml attest attestations",
	".github/workflows/release.yml attest id-token",
	".github/workflows/release.yml publish contents",
}

// TestWorkflowPermissions: a workflow begins without permission to write, no job gets
// more than it needs, and no event runs with the token of this repository what others
// wrote.
func TestWorkflowPermissions(t *testing.T) {
	var writes []string
	for _, file := range workflowFiles(t) {
		w := readWorkflow(t, file)
		if w.Permissions == nil {
			t.Errorf("%s: no permissions at the top: the repository's default can write", file)
		}
		for scope, access := range w.Permissions {
			if scope != "contents" || access != "read" {
				t.Errorf("%s: permission %s: %s for every job", file, scope, access)
			}
		}
		events := map[string]bool{}
		for n := 0; n < len(w.On.Content); n++ {
			events[w.On.Content[n].Value] = true
		}
		for _, event := range []string{"pull_request_target", "workflow_run", "issue_comment", "issues"} {
			if events[event] || w.On.Value == event {
				t.Errorf("%s: event %s", file, event)
			}
		}
		for name, job := range w.Jobs {
			if job.Timeout == 0 || job.Timeout > 60 {
				t.Errorf("%s: job %s: timeout-minutes is %d", file, name, job.Timeout)
			}
			if job.RunsOn == "" || strings.HasSuffix(job.RunsOn, "-latest") {
				t.Errorf("%s: job %s: runs-on %q has no version", file, name, job.RunsOn)
			}
			for scope, access := range job.Permissions {
				if access != "read" {
					writes = append(writes, fmt.Sprintf("%s %s %s", file, name, scope))
				}
			}
		}
	}
	slices.Sort(writes)
	if !slices.Equal(writes, writePermissions) {
		t.Errorf("permissions to write:\n%s\nwant\n%s", strings.Join(writes, "\n"), strings.Join(writePermissions, "\n"))
	}
}

// TestReleaseWithoutCheckout: the jobs of the release that can write execute nothing of
// the repository.
func TestReleaseWithoutCheckout(t *testing.T) {
	w := readWorkflow(t, ".github/workflows/release.yml")
	for _, name := range []string{"attest", "publish"} {
		if len(w.Jobs[name].Steps) == 0 {
			t.Errorf("job %s has no steps", name)
		}
		for _, s := range w.Jobs[name].Steps {
			if strings.HasPrefix(s.Uses.Value, "actions/checkout@") || strings.Contains(s.Run, "make ") {
				t.Errorf("job %s executes code of the repository", name)
			}
		}
	}
}
