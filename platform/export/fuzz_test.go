package export

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/profiletext"
	"caprun/platform/declared"
	"caprun/platform/oci"
	"caprun/policy"

	"gopkg.in/yaml.v3"
)

// generate returns a random profile with the given texts; nil if no profile has them, or if
// it has no plan.
func generate(r *rand.Rand, word, value string) *engine.Plan {
	set := func() cred.Caps {
		return cred.Caps(r.Uint64()&r.Uint64()&r.Uint64()) & cred.FirstCaps(cap.NamedCount)
	}
	p := &policy.Profile{Command: []string{"/bin/" + strings.ReplaceAll(word, "\x00", ""), value, word}}
	uid := uint32(r.IntN(2) * 33)
	if r.IntN(4) > 0 {
		p.UID, p.GID = &uid, &policy.Group{ID: uint32(r.IntN(3))}
		for range r.IntN(3) {
			if g := (policy.Group{ID: uint32(r.IntN(9))}); !slices.Contains(p.Groups, g) {
				p.Groups = append(p.Groups, g)
			}
		}
	}
	granted := set()
	inheritable := granted
	if uid == 0 && r.IntN(2) > 0 {
		inheritable = set()
	}
	var err error
	if r.IntN(4) > 0 {
		p.Caps, err = policy.NewCaps(cap.SetOf(granted, granted, inheritable).Text(cap.NamedCount))
	} else {
		p.IAB, err = policy.NewIAB(cap.IABOf(inheritable, inheritable&granted&cred.Caps(r.Uint64()), set()).String())
	}
	if err != nil {
		return nil
	}
	if r.IntN(3) == 0 {
		bits := cap.Secbits(r.IntN(1 << 8))
		p.Secbits = &bits
	}
	p.NoNewPrivs = r.IntN(2) == 0
	p.Env = &policy.Env{Keep: []string{}, Set: map[string]string{"A": value, "HOME": word}}
	if r.IntN(2) == 0 {
		p.Cwd = "/" + word
	}
	if r.IntN(3) == 0 {
		p.Rlimits = []policy.Rlimit{{Name: "core", Soft: r.Uint64() >> 1, Hard: policy.Unlimited}}
	}
	text, _, err := profiletext.Write(p, nil)
	if err != nil {
		return nil
	}
	q, _ := policy.Parse("p.yaml", text)
	if q == nil {
		return nil
	}
	plan, _ := engine.Compile(q, cred.Root(), engine.OrdinaryTarget())
	return plan
}

// FuzzExport: each export of a profile is a text that reads back to the same values, with
// the state that the losses leave.
func FuzzExport(f *testing.F) {
	f.Add(uint64(1), "a b", "$HOME %h \"'\\")
	f.Add(uint64(2), ";", "line\n[Service]\nUser=root\\")
	f.Add(uint64(5), "\u00e9\ufdd0", "\t#$$(X)")
	for n := range uint64(30) {
		f.Add(n, "x", "y")
	}
	f.Fuzz(func(t *testing.T, seed uint64, word, value string) {
		plan := generate(rand.New(rand.NewPCG(seed, 1)), word, value)
		if plan == nil {
			return
		}
		checkOCI(t, plan)
		checkSystemd(t, plan)
		for _, recipe := range []func(*engine.Plan, string) (*Result, error){Kubernetes, Compose} {
			r, err := recipe(plan, word)
			if err != nil {
				continue
			}
			checkRecipe(t, plan, r)
		}
	})
}

// without returns c with the fields of the losses from another state.
func without(c, other cred.Cred, r *Result) cred.Cred {
	for _, l := range r.Losses {
		switch l.Field {
		case "Inheritable":
			c.Inheritable = other.Inheritable
		case "Permitted":
			c.Permitted = other.Permitted
		case "Effective":
			c.Effective = other.Effective
		case "Bounding":
			c.Bounding = other.Bounding
		case "Ambient":
			c.Ambient = other.Ambient
		case "Securebits":
			c.Securebits = other.Securebits
		}
	}
	return c
}

func checkOCI(t *testing.T, plan *engine.Plan) {
	r, err := OCI(plan)
	if err != nil || !json.Valid(r.Text) {
		t.Fatalf("%v %s", err, r.Text)
	}
	res := oci.Read(declared.File{Name: "config.json", Text: r.Text})
	if len(res.Processes) != 1 || policy.HasErrors(res.Processes[0].Findings) {
		t.Fatalf("%v\n%s", res, r.Text)
	}
	d, err := res.Processes[0].Document()
	if err != nil {
		t.Fatal(err)
	}
	p, found := policy.Parse("p", d.Text)
	if p == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	again, found := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	if again == nil {
		t.Fatalf("%v\n%s\n%s", found, plan.Profile.Text(), d.Text)
	}
	want := without(plan.AfterExec, again.AfterExec, r)
	want.Groups = again.AfterExec.Groups // the reader adds the gid
	if !again.AfterExec.Equal(want) || !again.AfterExec.Permitted.SubsetOf(plan.AfterExec.Permitted) {
		t.Fatalf("%v differ\n%s\n%s", again.AfterExec.Diff(want), plan.Profile.Text(), d.Text)
	}
	if !slices.Equal(p.Command, plan.Profile.Command) || fmt.Sprint(p.Env.Set) != fmt.Sprint(plan.Profile.Env.Set) || plan.Profile.Cwd != "" && p.Cwd != plan.Profile.Cwd {
		t.Fatalf("%q %q %q\n%s", p.Command, p.Env.Set, p.Cwd, r.Text)
	}
}

// checkSystemd reads a unit back: only the settings that export writes, and the words of the
// command and of the variables.
func checkSystemd(t *testing.T, plan *engine.Plan) {
	r, err := Systemd(plan, "x")
	if err != nil {
		t.Fatal(err)
	}
	var command []string
	env := map[string]string{}
	for line := range strings.Lines(string(r.Text)) {
		line = strings.TrimSuffix(line, "\n")
		key, value, ok := strings.Cut(line, "=")
		switch {
		case strings.HasSuffix(line, `\`):
			t.Fatalf("the line continues: %q", line)
		case line == "" || line[0] == '#' || line == "[Unit]" || line == "[Service]":
		case !ok || strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "":
			t.Fatalf("line %q in\n%s", line, r.Text)
		case key == "ExecStart":
			command = words(t, strings.TrimPrefix(value, ":"))
		case key == "Environment":
			name, v, _ := strings.Cut(words(t, value)[0], "=")
			env[name] = v
		case key == "WorkingDirectory":
			if got := strings.ReplaceAll(value, "%%", "%"); got != plan.Profile.Cwd || strings.TrimSpace(value) != value {
				t.Fatalf("%q, not %q", got, plan.Profile.Cwd)
			}
		}
	}
	lost := func(key string) bool { return slices.ContainsFunc(r.Losses, func(l Loss) bool { return l.Key == key }) }
	if !slices.Equal(command, plan.Profile.Command) && !lost("command") {
		t.Fatalf("%q, not %q", command, plan.Profile.Command)
	}
	if fmt.Sprint(env) != fmt.Sprint(plan.Profile.Env.Set) && !lost("env.set") {
		t.Fatalf("%q, not %q", env, plan.Profile.Env.Set)
	}
}

// words splits a value into words in double quotes, as systemd does.
func words(t *testing.T, value string) []string {
	var list []string
	for value != "" {
		if value[0] != '"' {
			t.Fatalf("%q is not quoted", value)
		}
		var word strings.Builder
		n := 1
		for ; value[n] != '"'; n++ {
			if value[n] == '\\' {
				n++
				switch value[n] {
				case 'n':
					word.WriteByte('\n')
				case 't':
					word.WriteByte('\t')
				case '\\', '"':
					word.WriteByte(value[n])
				default:
					t.Fatalf("escape in %q", value)
				}
				continue
			}
			if value[n] == '%' {
				if n++; value[n] != '%' {
					t.Fatalf("specifier in %q", value)
				}
			}
			word.WriteByte(value[n])
		}
		list = append(list, word.String())
		value = strings.TrimPrefix(value[n+1:], " ")
	}
	return list
}

// checkRecipe reads a manifest or a compose file back.
func checkRecipe(t *testing.T, plan *engine.Plan, r *Result) {
	var f struct {
		Spec struct {
			Containers []struct{ Command, Args []string }
		}
		Services map[string]struct{ Entrypoint, Command []string }
	}
	if err := yaml.Unmarshal(r.Text, &f); err != nil {
		t.Fatalf("%v\n%s", err, r.Text)
	}
	direct, err := newDirect(plan, "x", "x")
	if err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, c := range f.Spec.Containers {
		if args = c.Args; direct != nil {
			args = c.Command
			compareDirect(t, plan, readPod(t, r.Text))
		}
	}
	for _, s := range f.Services {
		if args = s.Command; direct != nil {
			args = s.Entrypoint
			compareDirect(t, plan, readCompose(t, r.Text))
		}
	}
	for n := range args {
		args[n] = strings.ReplaceAll(args[n], "$$", "$")
	}
	if !slices.Equal(args, plan.Profile.Command) {
		t.Fatalf("%q, not %q\n%s", args, plan.Profile.Command, r.Text)
	}
}
