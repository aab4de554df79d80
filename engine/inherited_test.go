package engine

import (
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// compiled returns the plan of a profile, which must have one.
func compiled(t *testing.T, text string, caller cred.Cred, file cred.File) *Plan {
	t.Helper()
	plan, diagnostics := Compile(parse(t, text), caller, target(file))
	if plan == nil {
		t.Fatalf("%s\n%v", text, diagnostics)
	}
	return plan
}

// inherits reports whether the target inherits the attribute with this name.
func inherits(p *Plan, name string) bool {
	return slices.ContainsFunc(p.Inherited(), func(i Inherited) bool { return i.Name == name })
}

// TestInheritedKeys checks that a key of the profile removes its attributes from the list,
// and that the list names keys of a profile only.
func TestInheritedKeys(t *testing.T) {
	const allLimits = "rlimits: {cpu: 1, fsize: 1, data: 1, stack: 99999, core: 1, rss: 1, nproc: 1, nofile: 1, memlock: 1, as: 1, " +
		"locks: 1, sigpending: 1, msgqueue: 1, nice: 1, rtprio: 1, rttime: 1}"
	empty := compiled(t, "umask: \"0022\"", cred.Root(), cred.File{})
	for text, names := range map[string]string{
		"uid: 33\ngid: 33":                   "user ID, group ID, supplementary groups, session keyring, inheritable set, ambient set",
		"uid: 33\ngid: 33\nkeyring: inherit": "user ID, group ID, supplementary groups, inheritable set, ambient set",
		"caps: \"=\"":                        "inheritable set, ambient set, bounding set",
		"mode: NOPRIV":                       "inheritable set, ambient set, bounding set, securebits, no_new_privs",
		"secbits: [noroot]":                  "securebits",
		"no_new_privs: true":                 "no_new_privs",
		"new_session: true":                  "process group, session, controlling terminal",
		"chroot: /srv":                       "root directory, working directory",
		"cwd: /srv":                          "working directory",
		allLimits:                            "resource limits",
		"env: {keep: [PATH]}":                "variables",
		"env: {keep: [], set: {A: text}}":    "variables",
	} {
		plan := compiled(t, text, cred.Root(), cred.File{})
		var gone []string
		for _, i := range empty.Inherited() {
			if !inherits(plan, i.Name) && !inherits(plan, i.Name+" except those listed under environment") {
				gone = append(gone, i.Name)
			}
		}
		if got := strings.Join(gone, ", "); got != names {
			t.Errorf("%s sets %s, not %s", text, got, names)
		}
	}
	for _, row := range inheritedRows {
		_, found := policy.Parse("test.yaml", []byte("version: 1\n"+row.Key+": x\n"))
		unknown := func(d policy.Diagnostic) bool { return d.Rule == "unknown-key" }
		if row.Key != "" && slices.ContainsFunc(found, unknown) {
			t.Errorf("%s: unknown key %q", row.Name, row.Key)
		}
	}
	if inherits(empty, "umask") || !inherits(compiled(t, "cwd: /", cred.Root(), cred.File{}), "umask") {
		t.Error("umask")
	}
}

// TestInheritedDetails checks the details after the names of attributes.
func TestInheritedDetails(t *testing.T) {
	user := withCaps(0)
	setID := cred.File{Setuid: true, UID: 5}
	for _, c := range []struct {
		text string
		file cred.File
		name string
	}{
		{"", cred.File{}, "resource limits"},
		{"rlimits: {core: 0, nofile: 64}", cred.File{}, "resource limits except core, nofile"},
		{"rlimits: {core: 0}", setID, "resource limits except core; the soft limit of the stack is at most 8388608"},
		{"rlimits: {stack: 65536}", setID, "resource limits except stack"},
		{"rlimits: {stack: {hard: 65536}}", setID, "resource limits except hard stack; the soft limit of the stack is at most 8388608"},
		{"rlimits: {stack: {soft: 65536}}", setID, "resource limits except soft stack"},
		{"keep_fds: [3, 9]", cred.File{}, "descriptors 0 to 2 and 3, 9"},
		{"", cred.File{}, "descriptors 0 to 2"},
		{"", cred.File{}, "variables"},
		{"env: {unset: [A]}", cred.File{}, "variables except those listed under environment"},
		{"", setID, "personality without ADDR_NO_RANDOMIZE, ADDR_COMPAT_LAYOUT, MMAP_PAGE_ZERO and READ_IMPLIES_EXEC"},
		{"", cred.File{}, "personality"},
	} {
		plan := compiled(t, c.text, user, c.file)
		if !inherits(plan, c.name) {
			t.Errorf("%q: %q is not in %v", c.text, c.name, plan.Inherited())
		}
	}
}

// TestInheritedSupervised checks that with -init the target is a new process.
func TestInheritedSupervised(t *testing.T) {
	for _, supervised := range []bool{false, true} {
		to := OrdinaryTarget()
		to.Supervised, to.DeathSignal = supervised, machine.DeathSignal{Signal: 9, Parent: 1}
		plan, diagnostics := Compile(parse(t, ""), cred.Root(), to)
		if plan == nil {
			t.Fatal(diagnostics)
		}
		replaced := inherits(plan, "process ID")
		if replaced == supervised || inherits(plan, "process group") != replaced || !inherits(plan, "session") {
			t.Errorf("supervised %t: %v", supervised, plan.Inherited())
		}
	}
}

// TestStackHint: the hint writes a hard limit only if the profile has one.
func TestStackHint(t *testing.T) {
	setID := cred.File{Setuid: true, UID: 5}
	for text, want := range map[string]string{
		"{soft: 8388609}":                  "write stack: {soft: 8388608}",
		"{soft: 8388609, hard: unlimited}": "write stack: {soft: 8388608, hard: unlimited}",
	} {
		_, found := Compile(parse(t, "rlimits: {stack: "+text+"}"), withCaps(0), target(setID))
		if len(found) != 1 || found[0].Hint != want {
			t.Errorf("%s: %v, want the hint %q", text, found, want)
		}
	}
}
