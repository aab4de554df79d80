package platformoracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/platform/export"
	"caprun/platform/oci"
	"caprun/policy"
	"caprun/profiles"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestExportedConfig: the types of the specification have every key of an exported
// configuration, and the values of the plan.
func TestExportedConfig(t *testing.T) {
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		p, found := policy.Parse(name, text)
		if p == nil {
			t.Fatal(found)
		}
		p.Command = []string{"/server", "<&>"}
		plan, found := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
		if plan == nil {
			t.Fatal(found)
		}
		r, err := export.OCI(plan)
		if err != nil {
			t.Fatal(err)
		}
		var spec specs.Spec
		d := json.NewDecoder(bytes.NewReader(r.Text))
		d.DisallowUnknownFields()
		if err := d.Decode(&spec); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, r.Text)
		}
		got, a := spec.Process, plan.AfterExec
		if got.User.UID != a.UID || got.User.GID != a.GID || !slices.Equal(got.User.AdditionalGids, a.Groups) || got.NoNewPrivileges != a.NoNewPrivs ||
			!slices.Equal(got.Args, p.Command) || setOf(got.Capabilities.Ambient) != a.Ambient || setOf(got.Capabilities.Inheritable) != a.Inheritable {
			t.Errorf("%s:\n%s", name, r.Text)
		}
	}
}

// setOf returns capabilities by their names.
func setOf(names []string) cred.Caps {
	var caps cred.Caps
	for _, name := range names {
		number, err := cap.FromName(strings.ToLower(name))
		if err != nil {
			panic(err)
		}
		caps = caps.With(int(number))
	}
	return caps
}

// randomProcess returns a process with values that a profile can have.
func randomProcess(r *rand.Rand) *specs.Process {
	set := func() []string {
		names := []string{}
		for n := range cap.NamedCount {
			if r.IntN(8) == 0 {
				names = append(names, strings.ToUpper(cap.Value(n).String()))
			}
		}
		return names
	}
	p := &specs.Process{Cwd: "/srv", NoNewPrivileges: r.IntN(2) == 0}
	p.User.UID, p.User.GID = uint32(r.IntN(2)*33), uint32(r.IntN(50))
	if r.IntN(2) == 0 {
		mask := uint32(r.IntN(0o1000))
		p.User.Umask = &mask
	}
	for range r.IntN(4) {
		p.User.AdditionalGids = append(p.User.AdditionalGids, r.Uint32()>>1)
	}
	for n := range r.IntN(4) {
		p.Args = append(p.Args, fmt.Sprintf("a%d \u00e9\U0001f600\"\\<&>$", n))
		p.Env = append(p.Env, fmt.Sprintf("V%d=\tx=%d \u4e2d'", n, n))
	}
	if r.IntN(4) > 0 {
		p.Capabilities = &specs.LinuxCapabilities{Bounding: set(), Effective: set(), Permitted: set(), Inheritable: set(), Ambient: set()}
	}
	for n, name := range []string{"RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_STACK"} {
		if r.IntN(2) == 0 {
			p.Rlimits = append(p.Rlimits, specs.POSIXRlimit{Type: name, Soft: uint64(n), Hard: uint64(n) + r.Uint64()>>2})
		}
	}
	return p
}

// TestReadConfig: the reader finds the values that the types of the specification decode.
func TestReadConfig(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		indent := strings.Repeat(" ", r.IntN(3))
		text, err := json.MarshalIndent(specs.Spec{Version: "1.2.0", Process: randomProcess(r), Root: &specs.Root{Path: "rootfs"}}, "", indent)
		if err != nil {
			t.Fatal(err)
		}
		var spec specs.Spec
		if err := json.Unmarshal(text, &spec); err != nil {
			t.Fatal(err)
		}
		res := oci.Read(declared.File{Name: "config.json", Text: text})
		if len(res.Processes) != 1 {
			t.Fatalf("%v\n%s", res.Findings, text)
		}
		if differ := differences(spec.Process, res.Processes[0]); differ != nil {
			t.Fatalf("%v\n%s", differ, text)
		}
	}
}

// differences returns the values in which the reader and the specification differ.
func differences(want *specs.Process, got *declared.Process) []string {
	var list []string
	same := func(what string, a, b any) {
		if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
			list = append(list, fmt.Sprintf("%s: %s, not %s", what, y, x))
		}
	}
	p := got.Profile
	same("uid", want.User.UID, *p.UID)
	same("gid", want.User.GID, p.GID.ID)
	var groups []uint32
	for _, g := range p.Groups {
		groups = append(groups, g.ID)
	}
	same("groups", want.User.AdditionalGids, groups)
	if want.User.Umask != nil {
		same("umask", *want.User.Umask, *p.Umask)
	}
	same("no_new_privs", want.NoNewPrivileges, p.NoNewPrivs)
	same("command", want.Args, p.Command)
	same("cwd", want.Cwd, p.Cwd)
	env := map[string]string{}
	for _, entry := range want.Env {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	same("env", env, maps.Collect(maps.All(p.Env.Set)))
	var limits []string
	for _, l := range p.Rlimits {
		limits = append(limits, fmt.Sprint("RLIMIT_", strings.ToUpper(l.Name), " ", l.Soft, " ", l.Hard))
	}
	var wanted []string
	for _, l := range want.Rlimits {
		wanted = append(wanted, fmt.Sprint(l.Type, " ", l.Soft, " ", l.Hard))
	}
	same("limits", wanted, limits)
	if c := want.Capabilities; c != nil {
		same("bounding", setOf(c.Bounding), got.Sets.Bounding)
		same("inheritable", setOf(c.Inheritable), got.Sets.Inheritable)
		same("ambient", setOf(c.Ambient).Intersect(setOf(c.Inheritable)).Intersect(setOf(c.Permitted)), got.Sets.Ambient)
	} else if got.Sets != (declared.Sets{}) {
		list = append(list, fmt.Sprintf("sets %v", got.Sets))
	}
	return list
}
