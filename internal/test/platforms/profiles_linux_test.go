//go:build linux

package platforms

import (
	"os"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
	"caprun/profiles"
)

// isLong reports whether CAPRUN_TEST_PLATFORMS=all enables all profiles.
func isLong() bool { return os.Getenv("CAPRUN_TEST_PLATFORMS") == "all" }

// shortProfiles are those of the short form of the tests.
var shortProfiles = map[string]bool{"web": true, "surroundings": true}

// ownProfiles are profiles next to the ready-made ones. ALL stands for the capabilities that
// this machine has.
var ownProfiles = map[string]string{
	"ambient":        "uid: 33\ngid: 33\ngroups: [4, 27]\ncaps: cap_kill,cap_net_bind_service=eip\n",
	"root-all":       "uid: 0\ngid: 0\ncaps: ALL=ep\n",
	"root-all-eip":   "uid: 0\ngid: 0\ncaps: ALL=eip\n",
	"root-some":      "uid: 0\ngid: 5\ncaps: cap_chown,cap_kill=ep\nno_new_privs: true\n",
	"root-inherits":  "uid: 0\ngid: 0\n",
	"root-withheld":  "uid: 0\ngid: 0\ncaps: cap_kill=ep\niab: \"!cap_sys_admin\"\nno_new_privs: true\n",
	"inheritable":    "uid: 33\ngid: 33\ncaps: cap_kill=i\n",
	"wide-bounding":  "uid: 33\ngid: 33\ncaps: cap_kill=eip\niab: \"^cap_kill,!cap_chown,!cap_sys_admin\"\n",
	"ids-only":       "uid: 33\ngid: 33\n",
	"gid-root":       "uid: 33\ngid: 0\ncaps: \"=\"\n",
	"empty-groups":   "uid: 33\ngid: 33\ngroups: []\ncaps: \"=\"\n",
	"many-groups":    "uid: 33\ngid: 33\ngroups: [0, 4, 27, 100, 2147483647]\ncaps: \"=\"\nno_new_privs: true\n",
	"locked-bits":    "uid: 33\ngid: 33\ncaps: cap_kill=eip\nsecbits: [noroot, noroot_locked, no_setuid_fixup, no_setuid_fixup_locked]\n",
	"keep-caps-lock": "uid: 33\ngid: 33\ncaps: cap_kill=eip\nsecbits: [noroot, keep_caps_locked]\n",
	"every-lock":     "uid: 0\ngid: 0\ncaps: \"=\"\nsecbits: [noroot, noroot_locked, no_setuid_fixup, no_setuid_fixup_locked, keep_caps_locked, no_cap_ambient_raise, no_cap_ambient_raise_locked]\n",
	"exec-bits":      "uid: 33\ngid: 33\ncaps: \"=\"\nsecbits: [exec_restrict_file, exec_deny_interactive]\n",
	"pure1e-init":    "mode: PURE1E_INIT\nuid: 33\ngid: 33\n",
	"hybrid":         "mode: HYBRID\nuid: 33\ngid: 33\ncaps: \"=\"\n",
	"session":        "uid: 33\ngid: 33\ncaps: \"=\"\nnew_session: true\nkeyring: inherit\n",
	"every-limit": "command: [/creds, \"-limits\"]\nuid: 33\ngid: 33\ncaps: \"=\"\nrlimits: {as: unlimited, core: 0, cpu: 17592186044415, data: unlimited, fsize: 9223372036854775807, locks: 5, memlock: 4097, " +
		"msgqueue: 7, nice: 0, nofile: 100, nproc: 5000, rss: 11, rtprio: 0, rttime: 9223372036854775807, sigpending: {soft: 9, hard: 10}, stack: {soft: 1048576, hard: 8388608}}\n",
	"half-limits":     "uid: 33\ngid: 33\ncaps: \"=\"\nrlimits: {core: {soft: 0}, fsize: {hard: unlimited}}\n",
	"kept-descriptor": "uid: 33\ngid: 33\ncaps: \"=\"\nkeep_fds: [3]\n",
	"surroundings": `uid: 33
gid: 33
caps: "="
umask: "0137"
cwd: /srv
rlimits: {core: 0, cpu: 60, fsize: 1073741824, stack: {soft: 4194304, hard: unlimited}}
command: [/creds, "-x", "a b", "$HOME ${HOME} $$", "%n %% 100%", ";", "", "\"q'", "back\\slash\\", "line\nfeed\ttab", "\u00e9\u4e2d\U0001f600", "#", "<&>"]
env:
  keep: [TERM]
  set: {PATH: /bin, QUOTED: "a \"b\" 'c' $HOME ${X} %h %% \\ \\", LINES: "1\n2\t3", EMPTY: "", UNICODE: "\u00e9\u4e2d", Comment: "# ; x", lower_1: "<&>"}
  unset: [INVOCATION_ID]
`,
	"removed-home": "uid: 33\ngid: 33\ncaps: \"=\"\nenv: {keep: [], set: {A.b: x, C: why}, unset: [HOME]}\n",
	"named":        "user: www-data\ncaps: cap_net_bind_service=eip\n",
	"named-root":   "user: root\ncaps: cap_kill=ep\n",
	"number-root":  "user: 0\ncaps: cap_kill=ep\n",
	"user-number":  "user: 33\ncaps: \"=\"\n",
}

// caller returns root with the capabilities that this machine has.
func caller(t *testing.T) cred.Cred {
	t.Helper()
	now, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	c := cred.Root()
	c.Bounding = c.Bounding.Intersect(now.Bounding)
	c.Permitted, c.Effective = c.Bounding, c.Bounding
	return c
}

// texts returns the profiles of the tests by name: all of them, or those of the short form.
func texts(t *testing.T) map[string]string {
	t.Helper()
	all := caller(t).Bounding
	list := map[string]string{}
	for name, text := range ownProfiles {
		text = strings.ReplaceAll(text, "ALL=eip", `"`+cap.SetOf(all, all, all).Text(cap.NamedCount)+`"`)
		text = strings.ReplaceAll(text, "ALL=ep", `"`+cap.SetOf(all, all, 0).Text(cap.NamedCount)+`"`)
		list[name] = "version: 1\nname: " + name + "\n" + text
	}
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		list[name] = string(text)
	}
	for name := range list {
		if !isLong() && !shortProfiles[name] {
			delete(list, name)
		}
	}
	return list
}

// compile returns the plan of a profile. Its command is /creds if it has none.
func compile(t *testing.T, text string) *engine.Plan {
	t.Helper()
	p, found := policy.Parse("profile.yaml", []byte(text))
	if p == nil {
		t.Fatalf("%v\n%s", found, text)
	}
	if p.Command == nil {
		p.Command = []string{"/creds"}
	}
	plan, found := engine.Compile(p, caller(t), engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%v\n%s", found, text)
	}
	return plan
}
