package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

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
				Hooks []struct{ ID string }
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
			if used++; repo.Hooks[0].ID != "caprun-check" {
				t.Errorf("there is no hook %s", repo.Hooks[0].ID)
			}
		}
	}
	if used != 4 {
		t.Errorf("%d examples use the action or the hook", used)
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
