package stability

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/internal/render"
	"caprun/internal/test/outputs"
	"caprun/policy"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the profiles mean; only for new profiles and new properties")

// kernel is the version whose rules apply, so that a newer model does not change what the
// profiles mean.
const kernel = "6.12"

// profiles returns the files of the archive.
func profiles(t *testing.T) []txtar.File {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/profiles.history")
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.Files) < 200 {
		t.Fatalf("the archive has only %d profiles", len(archive.Files))
	}
	return archive.Files
}

// refused returns the rules of the errors in profiles that are refused, by name.
func refused(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/refused.txt")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]string{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) != 2 || rules[fields[0]] != "" {
			t.Fatalf("refused.txt: invalid line %q: want the name of a profile and its rules", line)
		}
		rules[fields[0]] = fields[1]
	}
	return rules
}

// compile returns the plan of a profile for a launch by root, or the rules of the errors.
func compile(t *testing.T, f txtar.File) (plan *engine.Plan, rules string) {
	t.Helper()
	version, err := engine.ParseKernel(kernel)
	if err != nil {
		t.Fatal(err)
	}
	caller, err := version.ParseCaller("root")
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(f.Name, "@")
	p, found := policy.Parse(path.Base(name), f.Data)
	if p != nil {
		plan, found = engine.Compile(p, caller, engine.OrdinaryTarget())
	}
	if plan != nil {
		return plan, ""
	}
	var list []string
	for _, d := range found {
		if d.Severity == policy.Error && !slices.Contains(list, d.Rule) {
			list = append(list, d.Rule)
		}
	}
	return nil, strings.Join(list, ",")
}

// TestMeaning compares what each profile means with the golden file. A profile that is
// refused must be in the list of these.
func TestMeaning(t *testing.T) {
	const golden = "testdata/meaning.golden"
	without := refused(t)
	nothing, _ := compile(t, txtar.File{Name: "nothing", Data: []byte("version: 1\n")})
	anotherUser, _ := compile(t, txtar.File{Name: "another user", Data: []byte("version: 1\nuid: 33\ngid: 33\n")})
	all := strings.Join(anotherUser.EnvironChange().Loader, " ")
	defaults := meaning(nothing, all)
	got := map[string]string{nothingDeclared: strings.Join(defaults, ""), allLoader: strings.ReplaceAll(all, " ", "\n") + "\n"}
	names := []string{nothingDeclared, allLoader}
	for _, f := range profiles(t) {
		plan, rules := compile(t, f)
		if want := without[f.Name]; rules != want {
			t.Errorf("%s: refused by the rules %q, want %q", f.Name, rules, want)
		}
		delete(without, f.Name)
		if plan != nil {
			names = append(names, f.Name)
			declared := slices.DeleteFunc(meaning(plan, all), func(line string) bool { return slices.Contains(defaults, line) })
			got[f.Name] = strings.Join(declared, "")
		}
	}
	for name := range without {
		t.Errorf("refused.txt: unknown profile %s", name)
	}
	if *update {
		archive := &txtar.Archive{Comment: []byte(header)}
		for _, name := range names {
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
		}
		if err := os.WriteFile(golden, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	archive, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		if text, ok := got[f.Name]; !ok {
			t.Errorf("%s: has no meaning any more", f.Name)
		} else if text != string(f.Data) {
			t.Errorf("%s: the meaning changed: got\n%swant\n%s", f.Name, text, f.Data)
		}
		delete(got, f.Name)
	}
	for name := range got {
		t.Errorf("%s: not in %s; after adding a profile, run go test -update", name, golden)
	}
}

// nothingDeclared is the name of the profile whose only key is the version.
const nothingDeclared = "a profile that declares nothing"

// allLoader is the name of the list of the loader variables that a launch removes.
const allLoader = "all loader variables"

const header = `What each profile means for a launch by root. A difference breaks the promise of version: 1.
The first one declares nothing; the others have only the lines that differ from it. The
list of all loader variables is below the first one.

`

// meaning returns what a launch does, one property on a line. It has no text that is
// written for people, except the values of a comparison. loader is the list of all loader
// variables.
func meaning(p *engine.Plan, loader string) (lines []string) {
	line := func(name string, value any) { lines = append(lines, fmt.Sprintf("%s: %v\n", name, value)) }
	for _, d := range compare.Compare(p, p).Differences {
		if d.Dimension != compare.Caller {
			line(string(d.Dimension), d.New)
		}
	}
	line("route", p.Route)
	line("at_secure", p.SecureExec)
	env := p.EnvironChange()
	line("identity variables", fmt.Sprint(env.NewUser, " ", env.Identity))
	switch removed := strings.Join(env.Loader, " "); removed {
	case loader:
		line("loader variables", "all")
	default:
		line("loader variables", removed)
	}
	line("command", fmt.Sprintf("%q", p.Profile.Command))
	line("cwd", p.Profile.Cwd)
	if p.Profile.Umask != nil {
		line("umask", fmt.Sprintf("%04o", *p.Profile.Umask))
	}
	var steps []string
	for _, s := range p.Steps {
		if !s.NoOp {
			steps = append(steps, s.Name())
		}
	}
	line("steps", strings.Join(steps, " "))
	return lines
}

// TestSchemas: the JSON output about each profile, and about each two that follow each
// other, matches the published schemas.
func TestSchemas(t *testing.T) {
	var last *engine.Plan
	for _, f := range profiles(t) {
		plan, _ := compile(t, f)
		if plan == nil {
			continue
		}
		var b bytes.Buffer
		err := render.PlanJSON(&b, plan, render.PlanView{As: "root"})
		if err == nil {
			err = outputs.Validate("explain", b.Bytes())
		}
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if last != nil {
			b.Reset()
			if err = render.NewDifference(last, plan).JSON(&b); err == nil {
				err = outputs.Validate("diff", b.Bytes())
			}
		}
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		last = plan
	}
}

// TestCaller: a profile that gives the target no capability and no other user starts for an
// ordinary user, who gets no capability from it.
func TestCaller(t *testing.T) {
	version, err := engine.ParseKernel(kernel)
	if err != nil {
		t.Fatal(err)
	}
	caller, err := version.ParseCaller("uid=1000")
	if err != nil {
		t.Fatal(err)
	}
	started := 0
	for _, f := range profiles(t) {
		plan, _ := compile(t, f)
		if plan == nil || plan.Profile.User != "" || plan.Profile.UID != nil || plan.AfterExec.Permitted != 0 {
			continue
		}
		if p, _ := engine.Compile(plan.Profile, caller, engine.OrdinaryTarget()); p != nil {
			started++
			if p.AfterExec.Permitted != 0 {
				t.Errorf("%s: an ordinary user gets %v", f.Name, p.AfterExec.Permitted)
			}
		}
	}
	if started == 0 {
		t.Error("no profile for an ordinary user")
	}
}
