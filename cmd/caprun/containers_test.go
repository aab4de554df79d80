package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/internal/render"
	"caprun/policy"

	"gopkg.in/yaml.v3"
)

const containerExample = "../../examples/container/"

// recipe is how a file of a platform starts a container.
type recipe struct {
	Drop, Add []string
	User      string // uid, or uid:gid
}

// composeRecipe reads the compose file.
func composeRecipe(t *testing.T) recipe {
	t.Helper()
	var file struct {
		Services map[string]struct {
			Build struct {
				Context, Dockerfile string
			}
			User         string
			Drop         []string `yaml:"cap_drop"`
			Add          []string `yaml:"cap_add"`
			SecurityOpts []string `yaml:"security_opt"`
		}
	}
	readExample(t, "compose.yaml", &file)
	web, ok := file.Services["web"]
	if !ok || len(file.Services) != 1 {
		t.Fatalf("compose.yaml: services %v", file.Services)
	}
	dockerfile := filepath.Join(containerExample, web.Build.Context, web.Build.Dockerfile)
	if _, err := os.Stat(dockerfile); err != nil {
		t.Error(err)
	}
	return recipe{web.Drop, web.Add, web.User}
}

// kubernetesRecipe reads the manifest.
func kubernetesRecipe(t *testing.T) recipe {
	t.Helper()
	var file struct {
		Spec struct {
			Template struct {
				Spec struct {
					SecurityContext map[string]any `yaml:"securityContext"`
					Containers      []struct {
						SecurityContext struct {
							RunAsUser    *uint32 `yaml:"runAsUser"`
							RunAsGroup   *uint32 `yaml:"runAsGroup"`
							RunAsNonRoot bool    `yaml:"runAsNonRoot"`
							Capabilities struct{ Drop, Add []string }
						} `yaml:"securityContext"`
					}
				}
			}
		}
	}
	readExample(t, "kubernetes.yaml", &file)
	pod := file.Spec.Template.Spec
	if len(pod.Containers) != 1 || len(pod.SecurityContext) != 0 {
		t.Fatalf("kubernetes.yaml: %+v", pod)
	}
	c := pod.Containers[0].SecurityContext
	if c.RunAsUser == nil || *c.RunAsUser != 0 || c.RunAsGroup == nil || *c.RunAsGroup != 0 || c.RunAsNonRoot {
		t.Errorf("kubernetes.yaml does not start as root: %+v", c)
	}
	return recipe{c.Capabilities.Drop, c.Capabilities.Add, "0:0"}
}

// readExample reads a file with one YAML document.
func readExample(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(containerExample + name)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := d.Decode(new(yaml.Node)); err == nil {
		t.Fatalf("%s has a second document", name)
	}
}

// caller returns the caller of caprun in the container, for explain -as.
func (r recipe) caller() string {
	names := make([]string, len(r.Add))
	for n, name := range r.Add {
		names[n] = "cap_" + strings.ToLower(name)
	}
	return strings.Join(names, ",") + "=ep"
}

// planFor compiles a profile for a caller, as explain -as reads it.
func planFor(t *testing.T, p *policy.Profile, caller string) (*engine.Plan, []policy.Diagnostic) {
	t.Helper()
	from, err := engine.ParseCaller(caller)
	if err != nil {
		t.Fatalf("%s: %v", caller, err)
	}
	return engine.Compile(p, from, engine.OrdinaryTarget())
}

// TestContainerExample: the files of the example add exactly the capabilities that a
// launch needs.
func TestContainerExample(t *testing.T) {
	var text []byte
	for _, name := range []string{"users.yaml", "web.yaml"} {
		var err error
		if text, err = os.ReadFile(containerExample + name); err != nil {
			t.Fatal(err)
		}
		if found := review.Check(name, text, review.Options{}).Findings; len(found) > 0 {
			t.Fatalf("check reports %v", found)
		}
	}
	p, _ := policy.Parse("web.yaml", text)
	for name, r := range map[string]recipe{"compose.yaml": composeRecipe(t), "kubernetes.yaml": kubernetesRecipe(t)} {
		if !slices.Equal(r.Drop, []string{"ALL"}) || r.User != "0:0" {
			t.Errorf("%s drops %v, user %q", name, r.Drop, r.User)
		}
		plan, found := planFor(t, p, r.caller())
		if plan == nil {
			t.Fatalf("%s: no plan for %s: %v", name, r.caller(), found)
		}
		grant := cred.Caps(0).With(int(cap.NET_BIND_SERVICE))
		if a := plan.AfterExec; a.UID != 65532 || a.Effective != grant || a.Permitted != grant || a.Inheritable != grant || a.Bounding != grant {
			t.Errorf("%s leads to %+v", name, a)
		}
		for n, left := range r.Add {
			fewer := recipe{Add: slices.Delete(slices.Clone(r.Add), n, n+1)}
			plan, found := planFor(t, p, fewer.caller())
			if plan != nil {
				t.Errorf("%s: %s is not needed", name, left)
				continue
			}
			about := found[0].Message + "; " + found[0].Hint
			if !strings.Contains(about, "cap_"+strings.ToLower(left)) || !strings.Contains(about, "a container: cap_add") {
				t.Errorf("%s: without %s the message is %s", name, left, about)
			}
		}
	}

	// Both comments name the capability that a profile with chroot needs, too.
	jailed, found := policy.Parse("jail.yaml", append(text, "chroot: /srv\n"...))
	if jailed == nil {
		t.Fatal(found)
	}
	r := composeRecipe(t)
	if plan, _ := planFor(t, jailed, r.caller()); plan != nil {
		t.Error("a profile with chroot needs no other capability")
	}
	r.Add = append(r.Add, "SYS_CHROOT")
	if plan, found := planFor(t, jailed, r.caller()); plan == nil {
		t.Errorf("a profile with chroot has no plan with SYS_CHROOT: %v", found)
	}
}

// TestDockerfiles compares each Dockerfile with the other files.
func TestDockerfiles(t *testing.T) {
	for name, c := range map[string]struct {
		stages     []string
		entrypoint []string
		lines      []string
	}{
		"Dockerfile": {
			[]string{"golang:1.26", "scratch"}, []string{"/web"},
			[]string{"RUN go run -buildvcs=false ./cmd/caprun seal -o /out/web examples/container/web.yaml", "COPY --from=build /out/ /"},
		},
		"Dockerfile.caprun": {
			[]string{"golang:1.26", "scratch"}, []string{"/caprun", "-profile", "/etc/caprun/web.yaml", "--"},
			[]string{"RUN install -D -m 0644 examples/container/web.yaml /out/etc/caprun/web.yaml", "COPY --from=build /out/ /"},
		},
		"Dockerfile.users": {
			[]string{"debian:bookworm-slim", "golang:1.26", "base"}, []string{"entrypoint.sh"},
			[]string{
				"COPY --from=base /etc/passwd /etc/group /rootfs/etc/",
				"RUN go run -buildvcs=false ./cmd/caprun seal -root /rootfs -o /out/web examples/container/users.yaml",
				"COPY --from=build /out/ /usr/local/bin/",
			},
		},
	} {
		text, err := os.ReadFile(containerExample + name)
		if err != nil {
			t.Fatal(err)
		}
		stages, entrypoint := readDockerfile(t, name, string(text))
		if !slices.Equal(stages, c.stages) || !slices.Equal(entrypoint, c.entrypoint) {
			t.Errorf("%s: the stages are %q, the entrypoint is %q", name, stages, entrypoint)
		}
		for _, line := range c.lines {
			if !strings.Contains(string(text), "\n"+line+"\n") {
				t.Errorf("%s: missing line %s", name, line)
			}
		}
	}
}

// readDockerfile returns the base images and the entrypoint. It reports what not every
// builder supports, and files that do not exist.
func readDockerfile(t *testing.T, name, text string) (stages, entrypoint []string) {
	t.Helper()
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		// The builder of Docker before version 23, which docker-compose 1 also uses, refuses
		// these.
		for _, word := range []string{"--chmod", "--mount", "--link", "<<"} {
			if strings.Contains(line, word) {
				t.Errorf("%s: not every builder supports %s: %s", name, word, line)
			}
		}
		switch words[0] {
		case "FROM":
			stages = append(stages, words[1])
		case "USER":
			t.Errorf("%s: the image starts as another user: %s", name, line)
		case "ENTRYPOINT":
			if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "ENTRYPOINT")), &entrypoint); err != nil {
				t.Errorf("%s: %s: %v", name, line, err)
			}
		case "RUN", "COPY":
			for _, word := range words[1:] {
				if !strings.HasPrefix(word, "./") && !strings.HasPrefix(word, "examples/") {
					continue
				}
				if _, err := os.Stat(filepath.Join("../..", word)); err != nil {
					t.Errorf("%s: %s: %v", name, words[0], err)
				}
			}
		}
	}
	return stages, entrypoint
}

// TestContainerDocs compares docs/containers.md with the example and the compiler.
func TestContainerDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/containers.md")
	if err != nil {
		t.Fatal(err)
	}
	docs, r := string(text), composeRecipe(t)
	if want := "caprun explain -as '" + r.caller() + "' web.yaml\n"; !strings.Contains(docs, want) {
		t.Errorf("missing line %s", want)
	}
	for _, name := range append(r.Add[:3:3], "SYS_CHROOT") {
		if !strings.Contains(docs, name) {
			t.Errorf("missing %s", name)
		}
	}

	profile, err := os.ReadFile(containerExample + "web.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := policy.Parse("/etc/caprun/web.yaml", profile)
	_, found := planFor(t, p, "uid=1000 gid=1000 bounding="+strings.TrimSuffix(r.caller(), "=ep"))
	if len(found) != 1 {
		t.Fatalf("another user: %v", found)
	}
	d := found[0]
	if want := "caprun: " + render.Located(d.File, d.Position, render.WithHint(d.Message, d.Hint)) + "\n"; !strings.Contains(docs, want) {
		t.Errorf("missing message for another user: %s", want)
	}

	_, block, _ := strings.Cut(docs, "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	p, found = policy.Parse("ambient.yaml", []byte(block))
	if p == nil {
		t.Fatal(found)
	}
	const ambient = "uid=1000 gid=1000 cap_net_bind_service=eip ambient=cap_net_bind_service bounding=cap_net_bind_service"
	if plan, found := planFor(t, p, ambient); plan == nil {
		t.Errorf("the profile for ambient capabilities has no plan: %v", found)
	}
}
