package export

import (
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/platform/compose"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/kubernetes"
	"caprun/policy"
	"caprun/profiles"
)

// TestRecipesRead: the readers of manifests and compose files find no mistake in a recipe,
// and the container starts with the capabilities of the recipe and no others.
func TestRecipesRead(t *testing.T) {
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		p, found := policy.Parse(name, text)
		if p == nil {
			t.Fatal(found)
		}
		plan, found := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
		if plan == nil {
			t.Fatal(found)
		}
		r, err := newRecipe(plan, name)
		if err != nil {
			t.Fatal(err)
		}
		pod, err := Kubernetes(plan, name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := Compose(plan, name)
		if err != nil {
			t.Fatal(err)
		}
		for kind, res := range map[string]declared.Result{
			"Kubernetes": kubernetes.Read(declared.File{Name: "pod.yaml", Text: pod.Text}),
			"compose":    compose.Read(declared.File{Name: "compose.yaml", Text: file.Text}, containers.Docker),
		} {
			if len(res.Processes) != 1 || len(res.Findings) != 0 {
				t.Fatalf("%s: %s: %v", name, kind, res.Findings)
			}
			process := res.Processes[0]
			for _, f := range process.Findings {
				t.Errorf("%s: %s: %s", name, kind, f)
			}
			d, err := process.Document()
			if err != nil {
				t.Fatal(err)
			}
			p, found := policy.Parse("p", d.Text)
			if p == nil {
				t.Fatal(found)
			}
			start, found := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
			if start == nil {
				t.Fatalf("%v\n%s", found, d.Text)
			}
			want := r.launcher.Union(r.granted)
			if a := start.AfterExec; a.UID != 0 || a.Permitted != want || a.Bounding != want || a.Inheritable != 0 || a.NoNewPrivs != plan.AfterExec.NoNewPrivs {
				t.Errorf("%s: %s: uid %d, permitted %s, bounding %s, want %s", name, kind, a.UID, a.Permitted, a.Bounding, want)
			}
		}
	}
}
