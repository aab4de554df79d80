package review

import (
	"fmt"
	"slices"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// checkLaunches follows hints about launches by callers with few privileges, of programs
// with file capabilities, and on old kernels.
func checkLaunches(t *testing.T, h *hintCheck) {
	plain := launch{"", cred.Root(), engine.OrdinaryTarget()}
	h.uncovers = func(text string, before, after policy.Diagnostic) bool {
		// The caller, the target and the profile can each be a further cause. What
		// the kernel does not have is reported before all others.
		if before.Rule == after.Rule && (before.Rule != "caller-conflict" || before.Message == after.Message) {
			return false
		}
		own := slices.ContainsFunc(plain.find(text), func(f Finding) bool { return f.Rule == after.Rule })
		return own || before.Rule == "capability-not-in-kernel" || slices.Contains(surroundings, after.Rule)
	}
	for _, l := range launches(t) {
		for n, text := range launched {
			h.check(fmt.Sprintf("%s, profile %d", l.name, n), text, l.find)
		}
	}
}

// surroundings are the rules about the caller and the target.
var surroundings = []string{"missing-capability", "caller-conflict", "secbits-conflict", "target-conflict", "identity-lost", "ambient-lost"}

// launched are profiles that have a plan for some callers.
var launched = [...]string{
	"version: 1\ncaps: cap_bpf=eip\niab: ^cap_bpf\n", "version: 1\nchroot: /srv\n", "version: 1\nkeep_fds: [3]\n", "version: 1\nkeep_fds: [4]\n", "version: 1\nnew_session: true\n", "version: 1\nrlimits: {nofile: {soft: 5, hard: 2000000}}\n", "version: 1\nrlimits: {nofile: 3000}\n", "version: 1\nrlimits: {nofile: {soft: 3000}}\n", "version: 1\nrlimits: {nofile: {hard: 5}}\n", "version: 1\nrlimits:\n  nofile:\n    soft: 4000\n", "version: 1\nrlimits: {nofile: 2147483647}\n", "version: 1\nrlimits: {core: {soft: 5, hard: 7}}\n",
	"version: 1\ncaps: \"=\"\n", "version: 1\ncaps: \"=\"\nno_new_privs: true\n", "version: 1\ncaps: cap_kill=eip\n", "version: 1\ncaps: cap_kill=eip\nno_new_privs: true\n",
	"version: 1\ncaps: cap_kill=p\n", "version: 1\ncaps: cap_kill=ep\n", "version: 1\ncaps: all=ep\n", "version: 1\ncaps: =ep cap_setpcap-ep\n", "version: 1\ncaps: cap_kill,cap_chown=eip\nmode: NOPRIV\n",
	"version: 1\ncaps: cap_kill=eip\nmode: PURE1E\n", "version: 1\ncaps: \"=\"\nmode: NOPRIV\n", "version: 1\nmode: PURE1E_INIT\niab: ^cap_kill\n", "version: 1\ncaps: cap_bpf=eip\n", "version: 1\niab: ^cap_bpf,!cap_perfmon\n",
	"version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\n", "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=eip\n", "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=ep\n", "version: 1\nuid: 33\ngid: 33\ncaps: all=eip\n", "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=eip\nmode: NOPRIV\n",
	"version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=eip\niab: ^cap_chown\n", "version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=eip\niab: ^cap_kill\n", "version: 1\nuid: 33\ngid: 33\niab: \"!cap_kill\"\n", "version: 1\nuid: 33\ngid: 33\nmode: NOPRIV\n",
	"version: 1\nuid: 33\ngid: 33\n", "version: 1\nuid: 33\ngid: 33\ngroups: [33, 34]\n", "version: 1\nuid: 1000\ngid: 1000\ncaps: \"=\"\n", "version: 1\nuid: 1000\ngid: 1000\ngroups: [5]\nno_new_privs: true\n", "version: 1\nuid: 0\ngid: 0\ncaps: cap_kill=ep\nsecbits: [noroot]\n",
	"version: 1\nsecbits: [noroot, noroot_locked]\n", "version: 1\nsecbits: []\n", "version: 1\nsecbits: [exec_restrict_file, exec_restrict_file_locked]\n", "version: 1\nuid: 0\ngid: 0\ncaps: cap_kill=i\n",
	"version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=eip\nsecbits: [no_cap_ambient_raise]\n", "version: 1\nrlimits: {stack: unlimited}\n", "version: 1\nrlimits:\n  stack: {soft: 16777216, hard: unlimited}\n", "version: 1\nuid: 33\ngid: 33\nenv: {keep: [LD_PRELOAD, PATH]}\n",
	"version: 1\nuid: 33\ngid: 33\nenv:\n  keep:\n  - TMPDIR\n", "version: 1\nuid: 33\ngid: 33\nenv: {keep: [TMPDIR], set: {A: b}}\n", "version: 1\nuid: 33\ngid: 33\nnew_session: true\nchroot: /srv\n", "version: 1\nrlimits: {nofile: 100000, core: unlimited}\nkeep_fds: [5]\n",
}

// A launch finds the diagnostics of a launch of a profile.
type launch struct {
	name   string
	caller cred.Cred
	target engine.Target
}

func launches(t *testing.T) []launch {
	t.Helper()
	ordinary := engine.OrdinaryTarget()
	file := func(f cred.File) engine.Target {
		target := engine.OrdinaryTarget()
		target.FilePath, target.File = "/usr/bin/x", f
		return target
	}
	kill := cred.CapsOf(int(cap.KILL))
	doubtful := file(cred.File{Setuid: true})
	doubtful.Alternatives = []machine.Alternative{{File: cred.File{Setuid: true, NoSuid: true}, Unknown: "its mount is unknown", Hint: "mount it nosuid"}}
	targets := map[string]engine.Target{
		"ordinary": ordinary, "set-user-ID": file(cred.File{Setuid: true}), "set-group-ID": file(cred.File{Setgid: true, GroupExec: true, GID: 5}),
		"file capabilities": file(cred.File{HasCaps: true, Permitted: kill, Effective: true}), "inheritable file capabilities": file(cred.File{HasCaps: true, Inheritable: kill}),
		"empty file capabilities": file(cred.File{HasCaps: true}), "an alternative": doubtful,
	}
	var all []launch
	for _, kernel := range []engine.Kernel{engine.LatestKernel(), {Major: 5, Minor: 4}} {
		for _, text := range []string{
			"root", "uid=1000 gid=1000", "uid=1000 gid=1000 groups=5", "cap_setuid,cap_setgid,cap_setpcap=ep", "cap_setuid,cap_setgid=ep", "cap_kill=ep", "uid=1000 gid=1000 cap_kill=eip ambient=cap_kill",
			"uid=1000 gid=1000 cap_setgid,cap_setuid=ep", "uid=1000 gid=1000 cap_setpcap=ep", "uid=1000 gid=1000 bounding=cap_kill no_new_privs", "bounding=cap_kill", "no_new_privs",
			"secbits=noroot,noroot_locked", "secbits=no_cap_ambient_raise,no_cap_ambient_raise_locked", "secbits=keep_caps_locked,no_setuid_fixup_locked",
		} {
			caller, err := kernel.ParseCaller(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			for name, target := range targets {
				target.KernelRules = kernel.Rules()
				all = append(all, launch{fmt.Sprintf("%s starts one with %s on %v", text, name, kernel), caller, target})
			}
		}
	}
	nofile, _ := machine.RlimitNumber("nofile")
	core, _ := machine.RlimitNumber("core")
	poor := engine.OrdinaryTarget()
	poor.Resources = &machine.Resources{
		Limits: map[int]machine.Limit{nofile: {Soft: 1024, Hard: 2048}, core: {}}, HardLimitsFixed: true, NrOpen: 1048576,
		Descriptors: map[int]machine.Descriptor{0: {Open: true, Directory: true}, 3: {}, 4: {Open: true, CloseOnExec: true}}, Terminal: &machine.Terminal{}, Keys: cap.KeysFixed,
	}
	nested, denied := cred.Root(), cred.Root()
	nested.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Count: 1}}, GIDs: []cred.Extent{{Count: 1}}}
	denied.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Count: 65536}}, GIDs: []cred.Extent{{Count: 65536}}, SetgroupsDenied: true}
	return append(all, launch{"root with few resources", cred.Root(), poor}, launch{"nested", nested, ordinary}, launch{"setgroups denied", denied, ordinary})
}

func (l launch) find(text string) []Finding {
	p, found := policy.Parse("launch.yaml", []byte(text))
	if p != nil {
		var refused []policy.Diagnostic
		_, refused = engine.Compile(p, l.caller, l.target)
		found = append(found, refused...)
	}
	var findings []Finding
	for _, d := range found {
		findings = append(findings, Finding{Diagnostic: d})
	}
	return findings
}
