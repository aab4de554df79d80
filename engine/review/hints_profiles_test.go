package review

import (
	"fmt"
	"regexp"
	"strings"
)

const user33 = "version: 1\nuid: 33\ngid: 33\nno_new_privs: true\n"

// mistakes are lines with mistakes, for a profile that begins with user33.
var mistakes = [...]string{
	"caps: CAP_NET_RAW=eip\n", "caps: net_raw,Kill=eip\n", "caps: 013=eip\n", "caps: all=eip cap_kill=p\n",
	"caps: cap_kill=eip cap_net_raw=eip\n", "caps: cap_kill=p cap_net_raw=eip cap_chown=ei\n", "caps: cap_kill=p cap_chown=i\n",
	"caps: \"= cap_kill+e cap_kill+ip\"\n", "caps: =eip-eip\n", "caps: cap_kill\n", "caps: cap_kill cap_chown\n", "caps: cap_kill, cap_chown=eip\n",
	"caps: cap_kill cap_chown=eip\n", "caps: CAP_KILL CAP_CHOWN\n", "caps: [CAP_KILL, net_raw]\n", "caps: [cap_kill=eip, cap_chown=eip]\n", "caps: [all]\n", "caps: cap_kill=ex\n",
	"caps: |\n  cap_kill=eip\n  cap_chown=eip\n", "caps: >\n  cap_kil=eip\n", "caps: cap_kill+p =\n", "caps: \"=e cap_kill=p\"\n",
	"iab: \"^10,!cap_kill,^!%10\"\n", "iab: ^cap_kill cap_chown\n", "iab: [^cap_kill, cap_chown]\n", "iab: [cap_kil]\n", "iab: ^^\n", "iab: !cap_kill\n", "iab: !cap_kill x\n",
	"umask: 022\n", "umask: 0o27\n", "umask: \"7\"\n", "umask: 18\n", "umask: [022]\n",
	"cwd: /srv//x/../y/\n", "cwd: \"/a b/\"\n", "cwd: \"/a: b/\"\n", "cwd: \"/a/ #b//c\"\n", "cwd: [/srv/]\n", "chroot: [/srv, /x]\n", "cwd: ~/x\n",
	"groups: [010, 1_0, +5, 3.0, 0o7, 1e1]\n", "groups: [33, \"33\", 033]\n", "groups: [010, 8, 10]\n", "groups: docker\n", "groups: 33 34\n", "groups: 33,34\n", "groups: keep\n", "groups: [yes]\n", "groups: none\n", "groups: [adm, [adm], [x], adm]\n", "groups: [\":33\", 5adm, +adm]\n", "groups: adm, a:b\n",
	"env: {keep: PATH}\n", "env: {keep: PATH LANG}\n", "env: {keep: \"PATH, LANG\"}\n", "env: {keep: none}\n", "env: {keep: yes}\n", "env: {keep: true}\n", "env: {unset: all}\n", "env: {unset: LANG}\n",
	"env: {keep: [A=B, A]}\n", "env: [PATH, LANG]\n", "env: [A=b, \"C=d e\", E=]\n", "env: [A=b, A=c]\n", "env: A=b\n", "env: PATH\n", "env: all\n", "env: [A=5, B=yes, C=x:y]\n",
	"env: {MODE: production}\n", "env: {set: [A=b]}\n", "env: {set: A=b}\n", "env: {set: {A: }}\n", "env: {set: {A: 5, B: yes, C: [x], D: {x: y}}}\n", "env:\n  set:\n", "env:\n  keep: [A]\n  unset:\n  - A\n", "env:\n  unset: [A, A]\n  set:\n    A: b\n",
	"secbits: [norot, NOROOT, noroot_locked, SECBIT_NO_SETUID_FIXUP]\n", "secbits: noroot noroot-locked\n", "secbits: noroot_locked\n", "secbits: NOROOT, NOROOT_LOCKED\n", "secbits: keep_caps\n", "secbits: [keep_caps]\n",
	"secbits: [NOROOT_LOCKED]\n", "secbits: +noroot,+noroot_locked\n", "secbits: \"0x1\"\n", "secbits:\n- noroot_locked\n", "secbits: [exec_restrict_file, exec_deny_interactive]\n", "secbits:\n- keep_caps\n", "secbits: [nothing]\n",
	"rlimits: {nofiles: 1, cpu: -1, core: {soft: 3}}\n", "rlimits: {core: infinity, as: 1:2, cpu: 5:4, data: [1, unlimited], nproc: 1k}\n", "rlimits: {core: {sotf: 1, hard: 2}, nofile: {soft: 1, hard: 2, max: 3}}\n",
	"rlimits: [nofile=3]\n", "rlimits: {nofile: {}}\n", "rlimits: {nofile: {soft: 9, hard: 3}}\n", "rlimits: {nofile: {soft: x, hard: 3}}\n", "rlimits: {nofile: {hard: x}}\n", "rlimits:\n  nofile:\n    soft: 9\n    hard: 3\n", "rlimits: {nofile: {soft: \"1:2\", hard: 3}}\n", "rlimits: {NOFILE: x}\n",
	"rlimits: {stack: {soft: 8192, hard: 8192}, memlock: {soft: 64, hard: unlimited}, as: 0, cpu: 0, rttime: 0}\n", "caps: cap_ipc_lock,cap_sys_nice=eip\nrlimits: {memlock: 1048576, nice: 5, rss: 5, locks: 3}\n",
	"keep_fds: 3,4\n", "keep_fds: [0, 3, \"3\", 04]\n", "keep_fds:\n- 1\n", "keep_fds: stdin\n",
	"capabilities: \"=\"\nEnv: {sett: {A: b}}\nlint: {ignor: []}\n", "capabilities: [NET_RAW]\n", "caps: \"=\"\ncapabilities: \"=\"\n", "group: www-data\n", "securebits: [noroot]\nmode: HYBRID\n", "username: x\n", "cmd: a b\n", "environment: [A=b]\n", "zzz: 1\n", "lint: {ignroe: x}\n",
	"mode: pure1e\n", "mode: [pure1e]\n", "mode: full\n", "mode: UNCERTAIN\n", "mode: PURE1E\nsecbits: []\n", "mode: NOPRIV\ncaps: cap_kill=eip\n",
	"new_session: false\n", "new_session: yes\n", "new_session: \"true\"\n", "new_session: [true]\n",
	"command: /bin/x\n", "command: /bin/bash /opt/run.sh\n", "command: /bin/echo a,b 80 yes x:y\n", "command: /bin/sh -c \"x | y\"\n", "command: A=b /bin/x\n", "command: {a: b}\n", "command: []\n", "command: [\"\", x]\n", "command: [x, 5, yes, [y], ~]\n", "command: 'x \"y z\"'\n", "command: true\n", "command: $HOME/x\n",
	"command: [/bin/bash /opt/run.sh]\ncaps: cap_kill=eip\n", "caps: \"=\"\ncommand: [/usr/bin/vim]\n",
	"lint:\n  ignore:\n    - {rule: no-new-priv-missing, reason: x}\n    - rule: umask-open\n      reason: x\n", "lint: {ignore: [{rule: shell-command, reason: x}]}\n",
	"lint: {ignore: umask-open}\n", "lint: {ignore: [umask-open, {rule: umask-open, reason: x}]}\n", "lint: [{rule: umask-open, reason: x}]\n", "lint: {ignore: {rule: umask-open, reason: x}}\n", "lint: umask-open\n",
	"lint: {ignore: [{rule: bounding-wider, reason: x, caps: cap_kill CAP_CHOWN}]}\n", "lint: {ignore: [{rule: bounding-wider, reason: x, caps: [net_raw, cap_net_raw, 010, 8]}]}\n", "lint: {ignore: [{rule: bounding-wider, reason: x, caps: []}]}\n",
	"lint: {ignore: [{rule: x-y, reason: 5, until: 2027/01/31}, {rule: x-y, reason: a}, {rule: \"\", reason: \"\"}]}\n", "lint: {ignore: [{rule: umask-open, reason: x}, {rule: umask-open, reason: x}]}\n",
	"lint: {ignore: [{rule: bounding-wider, reason: x, caps: [cap_kill]}, {rule: bounding-wider, reason: x, caps: [cap_kill]}]}\n", "lint:\n  ignore:\n  - reason: x\n  - rule: umask-open\n", "lint: {ignore: [{rule: umask-open}, {reason: x}, {}]}\n",
	"lint:\n  ignore: [{rule: umask-open, reason: x}, {rule: shell-command, reason: x}]\ncaps: \"=\"\n", "lint:\n  ignore:\n  - {rule: umask-open, reason: x} # why\n  - rule: é-x\n    reason: é\ncaps: \"=\"\n",
	"name: [x]\n", "name: 5\n", "name: a b\n", "name: {x: y}\n", "description: 5\n", "description: [x, y]\n", "name:\n", "name: x\nname: y\n", "name: !!str 5\n", "name: !x y\n", "? [a]\n: b\n", "y: 1\n", "name: \"a\\u202eb\"\n", "name: a\u202eb\n", "name: a\u2028b\n",
	"caps: cap_kill=ep\n", "caps: cap_kill=p\nsecbits: [noroot]\n", "caps: cap_kill=eip\niab: ^cap_chown\n", "caps: cap_kill=eip\nmode: NOPRIV\n",
	"caps: \"=\"\nlint: {ignore: [{rule: bounding-wider, reason: x, caps: [10, cap_kill]}]}\n", "caps: cap_chown=eip\nenv: {keep: [PYTHONPATH]}\n", "caps: cap_sys_resource=eip\nrlimits: {nofile: 5}\n", "chroot: /tmp/x\ncaps: \"=\"\n",
	"caps: all=eip\n", "caps: all=eip cap_kill-eip\n", "caps: \"=\"\ncommand: [x, --password=hunter22]\n", "caps: cap_chown,cap_mknod=eip\nlint: {ignore: [{rule: amounts-to-root, caps: [cap_chown], reason: x}]}\n",
	"caps: cap_chown,cap_mknod=eip\nenv: {keep: [A]}\nchroot: /srv\numask: \"0000\"\nlint: {ignore: [{rule: chroot-escape, caps: [cap_sys_chroot], reason: x}, {rule: umask-open, caps: [cap_kill], reason: x}]}\n",
	"caps: \"=\"\numask: \"0000\"\nlint: {ignore: [{rule: umask-open, until: 2020-01-31, reason: x}]}\n", "caps: =eip cap_kill-eip\nlint: {ignore: [{rule: amounts-to-root, caps: [cap_chown], reason: x}]}\n",
	"iab: !" + strings.Repeat("a", 300) + "\n",
	"env: {keep: [LD_PRELOAD]}\n", "env:\n  keep:\n  - LD_LIBRARY_PATH\n", "user: x\n", "version: 1\n",
}

// wholeProfiles are complete profiles with mistakes.
var wholeProfiles = [...]string{
	"version: 2\nuid: 3\ngid: 3\n", "version: \"1\"\n", "version: 1.0\n", "version: [1]\n", "name: x\n", "{name: x}\n", "version: 1\nno_new_privs: false\nnew_session: false\n", "version: 1\nno_new_privs: yes\n",
	"version: 1\nuid: 0x21\ngid: \"33\"\n", "version: 1\nuser: \"33\"\n", "version: 1\nuser: \"033\"\n", "version: 1\nuser: [x]\n", "version: 1\nuser: 33:33\n", "version: 1\nuser: 1000:1000\n",
	"version: 1\nuid: www-data\ngid: www-data\n", "version: 1\nuser: x\nuid: www-data\ngid: 3\n", "version: 1\nuid: 3\n", "version: 1\ngid: 3\n", "version: 1\ngroups: [3]\n", "version: 1\ngid: 3\ngroups: [3]\n",
	"version: 1\nuser: x\nuid: 3\n", "version: 1\nuser: x\nuid: 3\ngid: 3\n", "version: 1\nuidd: 3\n", "version: 1\nGID: 3\n", "version: 1\nUser: x\nuid: 3\ngid: 3\n", "version: 1\nuid: ~\ngid: 3\n", "version: 1\nuser:\n",
	"\ufeffversion: 1\ncaps: \"=\"\n", "version: 1\nuid: 33\ngid: 33\niab: ^cap_setpcap\n", "version:\n", "- a\n", "{version: 1, caps: \"=\", lint: {ignore: [{rule: umask-open, reason: x}]}}\n", "{version: 1,\nlint: {ignore: [{rule: umask-open, reason: x},\n{rule: shell-command,\n reason: x}]}, caps: \"=\"}\n", "x\n", "5\n", "version: 1\nuid: -1\ngid: 4294967295\n", "{version: 1, caps: [cap_kill], uid: 3, gid: 3}\n", "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\n",
}

// otherTools are keys and values of other tools.
var otherTools = [...]string{
	"caps: [NET_RAW]\n", "caps: {add: [NET_RAW], drop: [ALL]}\n", "caps: {drop: [ALL]}\n", "caps: {drop: [KILL]}\n", "caps: ALL\n", "caps: all\n", "caps: [ALL]\n", "caps: NONE\n", "caps: none\n", "caps: []\n", "caps: \"\"\n",
	"caps: {bounding: [CAP_KILL], effective: [CAP_KILL], permitted: [CAP_KILL], inheritable: [CAP_KILL], ambient: [CAP_KILL]}\n", "caps: NET_BIND_SERVICE\n", "caps: cap_net_raw\n", "caps: +net_raw\n", "caps: -all,+net_raw,+kill\n", "caps: -net_raw\n", "caps: ~CAP_KILL\n", "caps:\n  add:\n  - NET_RAW\n",
	"caps: ^cap_net_raw\n", "caps: \"!cap_kill\"\n", "caps: [^cap_kill, cap_chown]\n", "caps: ^cap_kill\niab: \"\"\n", "iab: cap_kill=eip\n", "iab: [cap_kill=eip]\n", "iab: cap_kill=eip\ncaps: cap_kill=eip\n",
	"capabilities: {add: [NET_RAW], drop: [ALL]}\n", "cap_add: [NET_RAW]\n", "cap_drop: [ALL]\n", "cap_drop: [KILL]\n", "cap_drop: [ALL]\ncap_add: [KILL]\n", "AmbientCapabilities: CAP_KILL CAP_CHOWN\nCapabilityBoundingSet: CAP_KILL\n", "CapabilityBoundingSet: ~CAP_KILL\n", "effective: [KILL]\npermitted: [KILL]\n", "inheritable: [KILL]\n", "inheritable: x\n", "inheritable: [kill]\ncaps: \"=\"\n",
	"runAsUser: 33\n", "runAsUser: 33\nrunAsGroup: 34\n", "runAsUser: www-data\n", "reuid: \"33\"\nregid: 33\n", "User: www-data\nGroup: 33\nSupplementaryGroups: 4 5\n", "fsGroup: 33\n", "fsGroup: 33\nsupplementalGroups: [34]\n", "group_add: [33]\n", "additionalGids: [33]\ngid: 3\n", "supplementary_groups: [3]\n",
	"securityContext: {runAsUser: 33}\n", "allowPrivilegeEscalation: false\n", "allowPrivilegeEscalation: true\n", "privileged: true\n", "readOnlyRootFilesystem: true\n", "security_opt: [no-new-privileges:true]\n", "security_opt: [seccomp=unconfined]\n", "NoNewPrivileges: false\n", "NoNewPrivileges: \"yes\"\n",
	"nice: 5\n", "OOMScoreAdjust: -5\n", "env_file: x\n", "EnvironmentFile: /etc/x\nenv: {set: {A: b}}\n", "RuntimeDirectory: x\n", "include: x\n",
	"UMask: 022\n", "WorkingDirectory: /srv/\n", "RootDirectory: /srv\n", "ExecStart: /bin/x -a\n", "ExecStart: -/bin/x\n", "entrypoint: /bin/x\ncmd: [-a]\n", "args: [-a]\ncommand: [/bin/x]\n", "environment: {A: b}\n", "environment: [A=b]\nenv: {keep: [A]}\n",
	"env: {A: b}\n", "env:\n  A: b\n  PORT: 80\n", "env: {A: b, set: {C: d}}\n", "env: {A: [b]}\n", "env: {A: ~}\n",
	"rlimits: {nofile: 65536:131072}\n", "rlimits: {nofile: \"65536:131072\"}\n", "rlimits: {nofile: 10:59}\n", "rlimits: {nofile: infinity, core: -1}\n", "rlimits: [nofile=5:6, core=0]\n", "rlimits:\n- {type: RLIMIT_NOFILE, soft: 1, hard: 2}\n- {type: RLIMIT_CORE, soft: 0, hard: 0}\n", "rlimits: nofile=5\n",
	"LimitNOFILE: 65536:131072\n", "LimitNOFILE: x\n", "LimitNOFILE: 5\nLimitCORE: infinity\n", "LimitNOFILE: 5\nrlimits: {cpu: 5}\n", "ulimits: {nofile: 5}\n", "ulimits: {nofile: \"5:6\"}\n",
}

// profilesOfOtherTools returns otherTools as profiles of a user, of root, and of the
// caller's user, by name.
func profilesOfOtherTools() map[string]string {
	all := map[string]string{}
	for n, text := range otherTools {
		all[fmt.Sprintf("other tools %d", n)] = user33 + text
		all[fmt.Sprintf("other tools %d, no user", n)] = "version: 1\n" + text
		all[fmt.Sprintf("other tools %d, uid 0", n)] = "version: 1\nuser: root\n" + text
	}
	return all
}

var keysOfProfiles = strings.Fields("version name description command user uid gid groups caps iab mode secbits no_new_privs chroot cwd umask env rlimits keep_fds new_session keyring lint")

// oddValues are values of all types, each of which some keys accept.
var oddValues = [...]string{
	"text", "a b", "a, b", "33", "\"33\"", "022", "0x10", "-1", "1.5", "1e3", "true", "no", "~", "\"\"", "12:30", "2027-01-31", "=", "/srv//x", "[a]", "[a, b]", "[33, 34]", "[true]", "[]", "{}", "{a: b}", "[{a: b}]", "[[a]]",
	"cap_kill", "cap_kill=eip", "[cap_kill]", "[cap_kill, cap_chown]", "all", "none", "unlimited", "noroot noroot-locked", "A=b", "[A=b]", "[PATH]", "PATH, LANG", "|\n  x\n", "HYBRID", "nobody",
}

// oddProfile returns a profile that is valid except for the value of a key.
func oddProfile(key, value string) string {
	var b strings.Builder
	if key != "version" {
		b.WriteString("version: 1\n")
	}
	if key != "user" && key != "uid" {
		b.WriteString("uid: 3\n")
	}
	if key != "user" && key != "gid" {
		b.WriteString("gid: 3\n")
	}
	b.WriteString(key + ": " + value + "\n")
	return b.String()
}

// samples are values for the words that hints have instead of one.
var samples = map[string]string{
	"a user ID": "7", "the name or the number of a user": "7", "the name of a user": "x", "the name or the number of a group": "7", "the name of a group": "x", "a number": "7", "one number": "7", "a number from 3 to 1048575": "7", "a whole number": "7", "its number": "7",
	"text": "x", "an absolute path": "/srv", "a shorter path": "/srv", "the path of a program": "/bin/x", "the program and its arguments": "[/bin/x, z]", "the name of a capability": "cap_fowner", "a list of capabilities": "[cap_fowner]",
	"why the finding is accepted": "because", "the name in brackets after a finding": "x", "a list of group names and IDs": "[]", "the names of capabilities": "cap_fowner", "all": "all",
}

// A manualHint is a hint that a program cannot follow.
type manualHint struct {
	words  *regexp.Regexp
	reason string
}

// manualHints are all of them, each with the reason.
var manualHints = [...]manualHint{
	{words(`write a value|write the value( instead of the alias)?|write the keys instead of merging them`), "only the user knows the value"},
	{words(`use at most 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit|use letters, digits, '_', '.' and '-', and begin with a letter or '_'`), "it says how a name is made"},
	{words(`the (limits|securebits|keys of \w+|keys of a limit|keys of an entry) are .*|the key of lint is ignore|the last capability is 40, cap_checkpoint_restore`), "it lists what there is"},
	{words(`4294967295 and -1 mean "no change" to the kernel`), "it says what the number means"},
	{words(`a profile has five levels`), "it says how a profile is made"},
	{words(`write KEY: VALUE( lines, for example version: 1)?|write version: 1 and caps`), "the file has no profile yet"},
	{words(`correct the indentation|put a value that contains a colon and a space in quotes|put the value in quotes|indent .*|begin it on its own line|write \[A, B\]|use single quotes|write \\\\ for a backslash`), "the parser does not know where the value ends"},
	{words(`replace it with a line feed`), "the line that begins there can have mistakes, too"},
	{words(`remove the tag(, and put the value in quotes)?|put (the text|text that begins with [!*]) in quotes`), "the value can be wrong without the tag, and the parser does not know where it ends"},
	{words(`remove the anchor, and write the value instead of its aliases`), "it is about several places"},
	{words(`save the file as UTF-8( without a byte order mark)?|put each profile in its own file|move (data and comments into other files|the excess into comments)|let the program read (it|them) from a file|write each capability once`), "it is about the whole file, or about another"},
	{words(`move its (value to \S+ on line \d+(, which becomes \w+)?|keys to the top level of the profile)|remove it, and add .* to rlimits`), "it is about two keys"},
	{words(`rename the directory, and write its new path`), "it is about the machine"},
	{words(`add caps to each of the entries`), "only the user knows which"},

	{words(`declare caps with only the capabilities that the target needs|set env.keep to the variables that the target needs|set a lower limit|write a directory below it|add \S+ to secbits, and declare capabilities that uid 0 can have under noroot`), "only the user knows what the target needs"},
	{words(`remove iab and declare caps|declare caps and secbits.*|list only the capabilities that it needs|remove those that it does not need`), "only the user knows what the target needs"},
	{words(`declare (another user|another group|that user|gid and groups|the user, which|chroot).*`), "only the user knows which"},
	{words(`use cap_bpf, .* if one of them suffices|give the (files to the )?target's user.*|a group, access to the files that it needs|load the modules at boot, .*|link the program with the library|run the target as the user whose processes it traces, .*|change the owner of the files before the launch|set (pids|memory).max in a cgroup|set rlimits\.as instead`), "it is about the machine"},
	{words(`map it in this user namespace|use a user namespace whose gid_map .*|allow keyctl\(2\) in the filter, .*|raise (the caller's hard limit|fs.nr_open).*|limit the target with a cgroup`), "it is about the caller"},
	{words(`declare (a mapped gid|the caller's groups)|fix the finding and delete the entry|write a later date and a current reason|set its value in env.set`), "only the user knows which"},
	{words(`create the device files before the launch|load the (policy at boot|programs before the launch, .*)|let the target request a reboot .*|make the target's user the owner .*|set file capabilities when .*`), "it is about the machine"},
	{words(`open it (without O_CLOEXEC )?before caprun starts|redirect it to a file or /dev/null|provide /dev/tty or mount /proc, .*`), "it is about the caller"},
	{words(`use a directory that only root can write, .*|pass sockets and regular files, .*|let the program read it from a file|pass it from the caller with env.keep|start (the program directly, .*|a shell that expands it: .*)|name the directory by its own path`), "it is about the machine"},
	{words(`write the (value: .*|path of the home directory)|write a larger value|retype the value|use absolute paths and no empty entries|give it a value under set`), "only the user knows the value"},
	{words(`write each word as a separate item, .*`), "the words of a shell are not certain"},

	{words(`start caprun (as root|as this uid|with .*|without .*)(| \(in a container: .*\))|without keep_caps_locked`), "it is about the caller"},
	{words(`start another program|remove the target's (set-id bits and )?file capabilities|mount it nosuid`), "it is about the target"},
	{words(`declare fewer capabilities|grant fewer capabilities: .*|grant them in the profile|declare no ambient capability|declare no more than \w+ allows|declare the locked securebits too`), "only the user knows what the target needs"},
}

// words returns a pattern for an alternative of a hint.
func words(pattern string) *regexp.Regexp { return regexp.MustCompile("^(?:" + pattern + ")$") }
