//go:build linux

package platforms

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/test/launches"
	"caprun/platform/compose"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/export"
	"caprun/platform/kubernetes"
	"caprun/seal"

	"gopkg.in/yaml.v3"
)

// pod has the parts of a manifest that a container runtime gets.
type pod struct {
	Spec struct{ Containers []container }
}

// container is what a manifest says about its container.
type container struct {
	Command, Args   []string
	SecurityContext struct {
		RunAsUser                int64 `yaml:"runAsUser"`
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		Capabilities             struct{ Drop, Add []string }
	} `yaml:"securityContext"`
}

// composeFile has the same parts of a compose file.
type composeFile struct {
	Services map[string]struct {
		Entrypoint, Command []string
		User                string
		CapDrop             []string `yaml:"cap_drop"`
		CapAdd              []string `yaml:"cap_add"`
		SecurityOpt         []string `yaml:"security_opt"`
	}
}

// TestRecipes starts sealed launchers with the capabilities of the recipes, and without each
// of them: then the launcher does not lead to the state of the plan.
func TestRecipes(t *testing.T) {
	dir := t.TempDir()
	runtime := NewRuntime(t, "runc", dir)
	list := texts(t)
	for _, name := range slices.Sorted(maps.Keys(list)) {
		t.Run(name, func(t *testing.T) {
			bundle, root := writeBundle(t, dir, name)
			text := strings.ReplaceAll(list[name], "/srv/chroot", "/jail")
			writeProgram(t, filepath.Join(root, "jail", "creds"), credsProgram(t))
			plan := compile(t, text)
			r, err := export.Kubernetes(plan, name)
			if err != nil {
				t.Fatal(err)
			}
			if uid, _, _ := plan.KnownIDs(); !uid || plan.Profile.User != "" || plan.Profile.KeepFDs != nil {
				return // the launcher needs a user database, or a descriptor
			}
			if !strings.Contains(string(r.Text), "RUN caprun seal ") {
				startDirectly(t, runtime, bundle, plan, name, r)
				return
			}
			c := containerOf(t, plan, r)
			compareCompose(t, plan, name, c)
			// seal takes the text, not the command that compile sets.
			launcher, err := seal.Seal(plan.Profile, seal.Options{})
			if err != nil {
				t.Fatal(err)
			}
			writeProgram(t, filepath.Join(root, c.Command[0]), launcher)
			start := func(add []string) Container { return startAs(t, runtime, bundle, c, add) }

			got := start(c.SecurityContext.Capabilities.Add)
			if got.Status != 0 {
				t.Fatalf("status %d: %s\n%s", got.Status, got.Stderr, r.Text)
			}
			if faults := differences(plan, c.SecurityContext.Capabilities.Add, launches.ParseReport(got.Stdout)); faults != nil {
				t.Errorf("%v", faults)
			}
			for _, lacking := range c.SecurityContext.Capabilities.Add {
				add := slices.DeleteFunc(slices.Clone(c.SecurityContext.Capabilities.Add), func(other string) bool { return other == lacking })
				// Without SETGID it can keep root's empty list of groups.
				if got := start(add); got.Status == 0 && differences(plan, add, launches.ParseReport(got.Stdout)) == nil {
					t.Errorf("without %s the launcher leads to the same state:\n%s", lacking, got.Stdout)
				}
			}
		})
	}
}

func containerOf(t *testing.T, plan *engine.Plan, r *export.Result) container {
	t.Helper()
	var p pod
	if err := yaml.Unmarshal(r.Text, &p); err != nil {
		t.Fatalf("%v\n%s", err, r.Text)
	}
	c := p.Spec.Containers[0]
	s := c.SecurityContext
	if s.RunAsUser != 0 || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) || len(c.Command) != 1 {
		t.Fatalf("%s", r.Text)
	}
	args := make([]string, 0, len(c.Args))
	for _, a := range c.Args {
		args = append(args, strings.ReplaceAll(a, "$$", "$"))
	}
	if !slices.Equal(args, plan.Profile.Command) {
		t.Errorf("args %q, want %q", args, plan.Profile.Command)
	}
	c.Args = args
	return c
}

// compareCompose compares the compose file with the manifest.
func compareCompose(t *testing.T, plan *engine.Plan, name string, c container) {
	t.Helper()
	r, err := export.Compose(plan, name)
	if err != nil {
		t.Fatal(err)
	}
	var f composeFile
	if err := yaml.Unmarshal(r.Text, &f); err != nil || len(f.Services) != 1 {
		t.Fatalf("%v\n%s", err, r.Text)
	}
	for _, s := range f.Services {
		if s.User != "0:0" || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.CapAdd, c.SecurityContext.Capabilities.Add) ||
			!slices.Equal(s.Entrypoint, c.Command) || len(s.Command) != len(c.Args) || (s.SecurityOpt != nil) != plan.AfterExec.NoNewPrivs {
			t.Errorf("%s", r.Text)
		}
	}
}

// startDirectly starts the container of a program without capabilities, with the user and the
// sets that the readers find in the manifest and in the compose file. The plan has no other
// state, but for a bounding set.
func startDirectly(t *testing.T, runtime Runtime, bundle string, plan *engine.Plan, name string, pod *export.Result) {
	t.Helper()
	file, err := export.Compose(plan, name)
	if err != nil {
		t.Fatal(err)
	}
	for kind, found := range map[string]declared.Result{
		"Kubernetes": kubernetes.Read(declared.File{Name: "pod.yaml", Text: pod.Text}),
		"compose":    compose.Read(declared.File{Name: "compose.yaml", Text: file.Text}, containers.Docker),
	} {
		if len(found.Processes) != 1 || len(found.Processes[0].Findings) > 0 {
			t.Fatalf("%s: %v", kind, found)
		}
		p := found.Processes[0].Profile
		user := map[string]any{"uid": *p.UID, "gid": p.GID.ID}
		groups := []uint32{p.GID.ID} // the engines add it
		for _, g := range p.Groups {
			groups = append(groups, g.ID)
		}
		user["additionalGids"] = groups
		sets := found.Processes[0].Sets
		got := startWith(t, runtime, bundle, p.Command, user, p.NoNewPrivs, map[string]any{
			"bounding": upperNames(sets.Bounding), "permitted": upperNames(sets.Bounding), "effective": upperNames(sets.Bounding),
			"inheritable": upperNames(sets.Inheritable), "ambient": upperNames(sets.Ambient),
		})
		if got.Status != 0 {
			t.Fatalf("%s: status %d: %s", kind, got.Status, got.Stderr)
		}
		if faults := differences(plan, nil, launches.ParseReport(got.Stdout)); faults != nil {
			t.Errorf("%s: %v", kind, faults)
		}
	}
}

// upperNames returns the names of capabilities as config.json has them.
func upperNames(caps cred.Caps) []string {
	names := []string{}
	for _, name := range caps.Names() {
		names = append(names, strings.ToUpper(name))
	}
	return names
}

// startAs starts the container as Kubernetes does: root with these capabilities.
func startAs(t *testing.T, runtime Runtime, bundle string, c container, add []string) Container {
	t.Helper()
	names := []string{}
	for _, name := range add {
		names = append(names, "CAP_"+name)
	}
	allowed := c.SecurityContext.AllowPrivilegeEscalation
	return startWith(t, runtime, bundle, slices.Concat(c.Command, c.Args), map[string]any{"uid": 0, "gid": 0}, allowed != nil && !*allowed,
		map[string]any{"bounding": names, "permitted": names, "effective": names})
}

// startWith starts a container with a user and capability sets.
func startWith(t *testing.T, runtime Runtime, bundle string, args []string, user map[string]any, noNewPrivs bool, sets map[string]any) Container {
	t.Helper()
	config := map[string]any{
		"ociVersion": "1.0.2",
		"root":       map[string]any{"path": "rootfs"},
		"mounts":     []any{map[string]any{"destination": "/proc", "type": "proc", "source": "proc"}},
		"process": map[string]any{
			"args": args, "cwd": "/", "env": []string{"PATH=/"}, "user": user, "capabilities": sets, "noNewPrivileges": noNewPrivs,
		},
		"linux": map[string]any{"namespaces": []any{map[string]any{"type": "mount"}, map[string]any{"type": "pid"}}},
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return runtime.Run(t, bundle)
}

// differences compares the program with the plan. A bounding set, and with a profile
// without caps the sets of root, have only what the container has.
func differences(plan *engine.Plan, add []string, got launches.Report) []string {
	var has cred.Caps
	for n := range 64 {
		if slices.Contains(add, strings.ToUpper(strings.TrimPrefix(cred.CapsOf(n).Join(), "cap_"))) {
			has = has.With(n)
		}
	}
	want := plan.AfterExec
	want.Bounding = want.Bounding.Intersect(has)
	if plan.Profile.Caps == nil {
		want.Permitted, want.Effective = want.Permitted.Intersect(has), want.Effective.Intersect(has)
	}
	return got.Compare(launches.Expect(want, plan.SecureExec))
}
