package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/test/requires"
	"gopkg.in/yaml.v3"
)

// TestCIDocs: the examples in docs/ci.md use inputs of the action and the hook.
func TestCIDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	inputs := readAction(t).Inputs
	for name := range inputs {
		if !strings.Contains(string(text), "| `"+name+"` |") {
			t.Errorf("docs/ci.md does not describe the input %s", name)
		}
	}
	type step struct {
		Uses string
		With map[string]string
	}
	used := 0
	blocks := strings.Split(string(text), "```")
	for n := 1; n < len(blocks); n += 2 {
		kind, body, _ := strings.Cut(blocks[n], "\n")
		if kind != "yaml" {
			continue
		}
		var workflow struct {
			Jobs  map[string]struct{ Steps []step }
			Repos []struct {
				Repo  string
				Hooks []localHook
			}
		}
		if err := yaml.Unmarshal([]byte(body), &workflow); err != nil {
			t.Errorf("%v:\n%s", err, body)
		}
		for _, job := range workflow.Jobs {
			for _, s := range job.Steps {
				if s.Uses != "./.caprun" {
					continue
				}
				used++
				for name := range s.With {
					if _, ok := inputs[name]; !ok {
						t.Errorf("missing input %s", name)
					}
				}
			}
		}
		for _, repo := range workflow.Repos {
			used++
			if repo.Repo == "local" {
				checkLocalHooks(t, repo.Hooks)
				continue
			}
			if repo.Hooks[0].ID != "caprun-check" {
				t.Errorf("there is no hook %s", repo.Hooks[0].ID)
			}
		}
	}
	if used != 5 {
		t.Errorf("%d examples use the action or the hook", used)
	}
}

// A localHook is a hook of pre-commit that starts an installed program.
type localHook struct {
	ID            string
	Entry         string
	PassFilenames *bool `yaml:"pass_filenames"`
}

// checkLocalHooks runs hooks before a commit that grants more: check accepts the profile,
// diff rejects the change.
func checkLocalHooks(t *testing.T, hooks []localHook) {
	t.Helper()
	dir := t.TempDir()
	script := `set -e
git init -q
mkdir profiles
printf 'version: 1\nuid: 33\ngid: 33\ncaps: cap_net_raw=eip\nno_new_privs: true\n' >profiles/web.yaml
git add .
git -c user.name=x -c user.email=x@localhost commit -qm x
sed -i 's/cap_net_raw/cap_net_raw,cap_kill/' profiles/web.yaml
git add .
`
	run := func(script string) int {
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(caprun(t))+":"+os.Getenv("PATH"), "HOME="+dir)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		t.Logf("%s\n%s", script, out)
		return cmd.ProcessState.ExitCode()
	}
	requires.Tool(t, "git")
	if run(script) != 0 {
		t.Fatal("git failed")
	}
	want := map[string]int{"caprun-check": 0, "caprun-diff": 1}
	for _, hook := range hooks {
		command := hook.Entry
		if hook.PassFilenames == nil || *hook.PassFilenames {
			command += " profiles/web.yaml"
		}
		status, ok := want[hook.ID]
		if got := run(command); !ok || got != status {
			t.Errorf("the hook %s ended with %d, want %d", hook.ID, got, status)
		}
		delete(want, hook.ID)
	}
	if len(want) > 0 {
		t.Errorf("no hook %v", want)
	}
}

// TestCheckJSONDocs: docs/check.md explains every key of the JSON output.
func TestCheckJSONDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(caprun(t), "check", "-fail-on", "never", "-format", "json", ".")
	cmd.Dir = profileTree(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var printed any
	if err := json.Unmarshal(out, &printed); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys(printed) {
		if !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("the key %s is not explained", key)
		}
	}
}

// keys returns the keys of all objects in a value.
func keys(v any) []string {
	var all []string
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			all = append(append(all, key), keys(value)...)
		}
	case []any:
		for _, value := range v {
			all = append(all, keys(value)...)
		}
	}
	return all
}
