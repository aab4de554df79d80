package policy

import (
	"fmt"
	"strings"
	"testing"
)

// TestOtherTools: keys and values that are right in other tools have a hint that says what
// to write instead. TestHints of package review follows these hints.
func TestOtherTools(t *testing.T) {
	const examples = "write names and flags, for example caps: cap_kill,cap_net_raw=eip"
	for text, want := range map[string]string{
		// Lists of capabilities. All flags are right for any user: the ambient set
		// requires the flag i.
		"caps: [NET_RAW]":                        "write caps: cap_net_raw=eip",
		"caps: [CAP_NET_RAW, cap_kill]":          "write caps: cap_net_raw,cap_kill=eip",
		"caps: {add: [NET_RAW], drop: [ALL]}":    "write caps: cap_net_raw=eip",
		"caps: {add: NET_RAW}":                   "write caps: cap_net_raw=eip",
		"caps: {drop: [ALL]}":                    `write caps: "="`,
		"caps: {drop: [KILL]}":                   examples,
		"caps: {add: [KILL], x: [CHOWN]}":        examples,
		"caps: {permitted: [KILL], ambient: []}": examples,
		"caps: {effective: [CAP_KILL], permitted: [CAP_KILL], inheritable: [], bounding: [CAP_CHOWN]}": "write caps: cap_kill=eip",
		"caps: ALL":              "write caps: all=eip",
		"caps: all":              "write caps: all=eip",
		"caps: [ALL]":            "write caps: all=eip",
		"caps: none":             `write caps: "="`,
		"caps: NONE":             `write caps: "="`,
		"caps: []":               `write caps: "="`,
		"caps: \"\"":             `write caps: "=" to grant none, or remove the key`,
		"caps: NET_BIND_SERVICE": "write caps: cap_net_bind_service=eip",
		"caps: cap_net_raw":      "write caps: cap_net_raw=eip",
		"caps: +net_raw":         "write caps: cap_net_raw=eip",
		"caps: -all,+net_raw":    "write caps: cap_net_raw=eip",

		// What is to be removed must not become what is granted.
		"caps: -net_raw":          examples,
		"caps: ~CAP_KILL":         examples,
		"caps: \"!kill\"":         examples,
		"caps: -all":              examples,
		"caps: \"!cap_kill=eip\"": "",

		"caps: ^cap_net_raw":                          "write iab: ^cap_net_raw instead of caps",
		"caps: \"!cap_kill\"":                         `write iab: "!cap_kill" instead of caps`,
		"caps: [\"^cap_kill\", \"!cap_chown\"]":       `write iab: "^cap_kill,!cap_chown" instead of caps`,
		"iab: cap_kill=eip":                           "write caps: cap_kill=eip instead of iab",
		"caps: \"!cap_kill\"\niab: ^cap_chown":        examples,
		"caps: cap_kill=eip\niab: \"cap_chown=eip\"":  "write marks and names, for example iab: ^cap_net_raw,!cap_kill",
		"capabilities: [NET_RAW]":                     "write caps: cap_net_raw=eip",
		"capabilities: {add: [KILL], drop: [ALL]}":    "write caps: cap_kill=eip",
		"cap_add: [KILL]":                             "write caps: cap_kill=eip",
		"AmbientCapabilities: CAP_KILL CAP_CHOWN":     "write caps: cap_kill,cap_chown=eip",
		"ambient: [kill]":                             "write caps: cap_kill=eip",
		"cap_drop: [ALL]":                             `write caps: "="`,
		"cap_drop: all":                               `write caps: "="`,
		"cap_drop: [KILL]":                            "declare caps with only the capabilities that the target needs; it has no others then",
		"cap_drop: [ALL]\ncap_add: [5]":               "remove it; the target has only what caps or iab gives it",
		"CapabilityBoundingSet: CAP_KILL":             "declare caps with only the capabilities that the target needs; the bounding set follows from it",
		"CapabilityBoundingSet: CAP_KILL\niab: \"\"":  "remove it; the bounding set follows from caps or iab",
		"inheritable: [CAP_KILL]":                     "write iab: cap_kill",
		"inheritable: all":                            "write the names of capabilities, for example iab: cap_kill,cap_net_raw",
		"inheritable: x":                              "write the names of capabilities, for example iab: cap_kill,cap_net_raw",
		"inheritable: [CAP_KILL]\ncaps: cap_kill=eip": "remove it; caps or iab declares the inheritable set",
		"effective: [KILL]\ncaps: cap_kill=eip":       "remove it; caps is on line 3",
		"effective: [KILL]\npermitted: [KILL]":        "write caps: cap_kill=eip",

		// Users and groups: what a key requires, or which other key is that.
		"runAsUser: 33":                         "the key is uid, but uid requires gid: without it the target keeps the caller's group",
		"runAsUser: 33\ngid: 33":                "did you mean uid?",
		"runAsUser: 33\nrunAsGroup: 33":         "the key is uid, and runAsGroup on line 3 is gid",
		"reuid: www-data":                       "did you mean user?",
		"reuid: \"33\"\ngid: 33":                "write uid: 33",
		"group: 33":                             "the key is gid, but gid requires uid or user",
		"group: 33\nUser: x":                    "the key is gid, and User on line 3 is user",
		"Group: www-data\nuser: x":              "did you mean gid?",
		"runAsGroup: [www-data]\nuser: x":       "write gid: www-data",
		"SupplementaryGroups: adm 3\nuser: x":   "write groups: [adm, 3]",
		"fsGroup: 33\nuser: x":                  "write groups: [33]",
		"fsGroup: 33":                           "write groups: [33], but groups requires uid and gid, or user",
		"group_add: [33]\nuser: x":              "did you mean groups?",
		"supplementary_groups: 3 4\nuser: x":    "write groups: [3, 4]",
		"additionalGids: [3]\nuser: x\ngid: 3":  "did you mean groups?",
		"fsGroup: 3\nuser: x\ngroups: [4]":      "move its value to groups on line 4",
		"User: x\nuid: 3\ngid: 3":               "the key is user, but user and uid are mutually exclusive (user is on line 2)",
		"securebits: [noroot]\nmode: HYBRID":    "the key is secbits, but secbits and mode are mutually exclusive (secbits is on line 2)",
		"NoNewPrivileges: true":                 "did you mean no_new_privs?",
		"NoNewPrivileges: \"yes\"":              "write no_new_privs: true",
		"NoNewPrivileges: false":                "remove it; no_new_privs is true or absent",
		"allowPrivilegeEscalation: false":       "write no_new_privs: true",
		"allowPrivilegeEscalation: true":        "remove it; only no_new_privs: true forbids it",
		"security_opt: [no-new-privileges]":     "write no_new_privs: true",
		"security_opt: [seccomp=x.json]":        "remove it; caprun sets neither a seccomp filter nor a security label",
		"security_opt: no-new-privileges:false": "remove it; caprun sets neither a seccomp filter nor a security label",
		"privileged: true":                      "remove it; caps lists the capabilities that the target has",

		"WorkingDirectory: /srv/":    "write cwd: /srv",
		"working_dir: /srv":          "did you mean cwd?",
		"RootDirectory: /srv":        "did you mean chroot?",
		"UMask: 0027":                `write umask: "0027"`,
		"ExecStart: /bin/x -a":       "write command: [/bin/x, -a]",
		"ExecStart: -/bin/x":         `the key is command, and its value is wrong too: command must be a list, not text; write the program and each argument as an item of a list, for example [/bin/sh, -c, "echo a b"]`,
		"entrypoint: [/bin/x]":       "did you mean command?",
		"args: [-a]\ncommand: [x]":   "move its value to command on line 3",
		"environment: {A: b}":        "write env: {set: {A: b}}",
		"environment: [A=b]":         "write env: {set: {A: b}}",
		"env: {A: b, PORT: 80}":      `write env: {set: {A: b, PORT: "80"}}`,
		"env: {A: b, keep: [C]}":     "the keys of env are keep, set and unset; variables to set belong below set",
		"env: {A: [b]}":              "the keys of env are keep, set and unset; variables to set belong below set",
		"env: [A=b]":                 "write env: {set: {A: b}}",
		"env: A=b":                   "write env: {set: {A: b}}",
		"env: [A]":                   "write env: {keep: [A]}",
		"nice: 5":                    "remove it; start caprun with nice(1), or set Nice= in the unit",
		"oom_score_adj: 5":           "remove it; start caprun with choom(1), or set OOMScoreAdjust= in the unit",
		"EnvironmentFile: /etc/x":    "remove it; write the variables below env.set, or set EnvironmentFile= in the unit",
		"runtime_directory: x":       "remove it; create the directory before the launch, or set RuntimeDirectory= in the unit",
		"include: x.yaml":            "remove it; a profile is one file: write the keys of the other file here",
		"securityContext: {x: 1}":    "move its keys to the top level of the profile",
		"readOnlyRootFilesystem: no": "remove it; caprun mounts nothing: start it in a container with a read-only root, or set ProtectSystem=strict in the unit",

		"rlimits: {nofile: 65536:131072}":                            "write {soft: 65536, hard: 131072}",
		"rlimits: {nofile: \"65536:131072\"}":                        "write {soft: 65536, hard: 131072}",
		"rlimits: {nofile: 10:59}":                                   "write {soft: 10, hard: 59}", // in base 60 to some readers
		"rlimits: {nofile: 1024:unlimited}":                          "write {soft: 1024, hard: unlimited}",
		"rlimits: {nofile: 5:4}":                                     "write a whole number, or write unlimited",
		"rlimits: {nofile: -1}":                                      "write unlimited",
		"rlimits: {nofile: infinity}":                                "write unlimited",
		"rlimits: [nofile=1024:2048, core=0]":                        "write rlimits: {nofile: {soft: 1024, hard: 2048}, core: 0}",
		"rlimits: [nofile=1, nofile=2]":                              "write a mapping, for example rlimits: {nofile: 1024}",
		"rlimits: [{type: RLIMIT_NOFILE, soft: 1, hard: 2}]":         "write rlimits: {nofile: {soft: 1, hard: 2}}",
		"rlimits: [{type: RLIMIT_NOFILE, soft: 1, hard: 2, x: 3}]":   "write a mapping, for example rlimits: {nofile: 1024}",
		"rlimits: [{type: RLIMIT_NOFILE, soft: 2, hard: 1}, core=0]": "write a mapping, for example rlimits: {nofile: 1024}",
		"rlimits: {RLIMIT_RSS: 5}":                                   "did you mean rss?",
		"rlimits: {rtpri: 5}":                                        "did you mean rtprio?",
		"ulimits: {nofile: 5}":                                       "did you mean rlimits?",
		"LimitNOFILE: 65536":                                         "write rlimits: {nofile: 65536}",
		"LimitNOFILE: 65536:131072":                                  "write rlimits: {nofile: {soft: 65536, hard: 131072}}",
		"LimitNOFILE: x":                                             "write a number for the limit, for example rlimits: {nofile: 1024}",
		"LimitNPROC: infinity\nrlimits: {nofile: 5}":                 "remove it, and add nproc: unlimited to rlimits",
		"RLIMIT_RTPRIO: 1":                                           "write rlimits: {rtprio: 1}",
	} {
		_, found := Parse("x.yaml", []byte("version: 1\n"+text+"\n"))
		if len(found) == 0 || found[0].Hint != want {
			t.Errorf("%s: want %q\n%s", text, want, listing([]byte("version: 1\n"+text+"\n"), found))
		}
	}
	accepted(t, "version: 1\ncaps: cap_net_raw+ep\n")
	for text, want := range map[string]string{
		"env: {A: b, B: %s}":         "the keys of env are keep, set and unset; variables to set belong below set",
		"environment: [A=%s]":        "the key is env, and its value is wrong too: env must be a mapping of keys to values, not a list; write a mapping, for example env: {keep: [PATH, LANG]}",
		"inheritable: [all, \"%s\"]": "write the names of capabilities, for example iab: cap_kill,cap_net_raw",
	} {
		text = fmt.Sprintf("version: 1\n"+text+"\n", strings.Repeat("x", maxShown))
		if _, found := Parse("x.yaml", []byte(text)); len(found) == 0 || found[0].Hint != want {
			t.Errorf("want %q\n%s", want, listing([]byte(text), found))
		}
	}
}

// TestMeantTwice: of two keys of other tools for one key, the second has its own hint.
func TestMeantTwice(t *testing.T) {
	for text, want := range map[string]string{
		"effective: [KILL]\npermitted: [KILL]\n":                "remove it; effective on line 2 becomes caps",
		"entrypoint: /bin/x\ncmd: [-a]\n":                       "move its value to entrypoint on line 2, which becomes command",
		"LimitNOFILE: 5\nLimitNPROC: 6:7\n":                     "remove it, and add nproc: {soft: 6, hard: 7} to rlimits",
		"NoNewPrivileges: true\nsecurity_opt: [nnp]\n":          "remove it; caprun sets neither a seccomp filter nor a security label",
		"no_new_privs: true\nsecurity_opt: no-new-privileges\n": "remove it; no_new_privs is on line 2",
	} {
		_, found := Parse("x.yaml", []byte("version: 1\n"+text))
		if len(found) == 0 || found[len(found)-1].Hint != want {
			t.Errorf("%s%s", text, listing([]byte("version: 1\n"+text), found))
		}
	}
}
