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
		direct, err := newDirect(plan, name, "x")
		if err != nil {
			t.Fatal(err)
		}
		for kind, start := range map[string]*engine.Plan{"Kubernetes": readPod(t, pod.Text), "compose": readCompose(t, file.Text)} {
			if direct != nil {
				compareDirect(t, plan, start)
				continue
			}
			want := r.launcher.Union(r.granted)
			if a := start.AfterExec; a.UID != 0 || a.Permitted != want || a.Bounding != want || a.Inheritable != 0 || a.NoNewPrivs != plan.AfterExec.NoNewPrivs {
				t.Errorf("%s: %s: uid %d, permitted %s, bounding %s, want %s", name, kind, a.UID, a.Permitted, a.Bounding, want)
			}
		}
	}
}

func readPod(t *testing.T, text []byte) *engine.Plan {
	t.Helper()
	return readBack(t, text, kubernetes.Read(declared.File{Name: "pod.yaml", Text: text}))
}

func readCompose(t *testing.T, text []byte) *engine.Plan {
	t.Helper()
	return readBack(t, text, compose.Read(declared.File{Name: "compose.yaml", Text: text}, containers.Docker))
}

// readBack returns the plan of the only process of a recipe, in which the reader finds no
// mistake.
func readBack(t *testing.T, text []byte, res declared.Result) *engine.Plan {
	t.Helper()
	if len(res.Processes) != 1 || len(res.Findings) != 0 || len(res.Processes[0].Findings) != 0 {
		t.Fatalf("%v %v\n%s", res.Findings, res.Processes, text)
	}
	d, err := res.Processes[0].Document()
	if err != nil {
		t.Fatal(err)
	}
	p, found := policy.Parse("p", d.Text)
	if p == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	plan, found := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	return plan
}
