package main

// faultScene is a launch whose system calls are made to fail.
type faultScene struct {
	name    string
	about   string
	caller  []string // settings of internal/test/runas
	profile string
	prepare string // settings of internal/test/runas about files
	target  string

	// init starts it with -init, sealed by the sealed launcher of the profile.
	init, sealed bool

	// only are the tried calls, by the beginnings of their labels; nil for all. Another
	// scene has the other calls.
	only []string

	// refused are words of the message of the launch without a fault. No fault may make the
	// target run.
	refused string

	// want is the report of the target; env are its variables, sorted.
	want map[string]string
	env  string
}

// faultFiles are files in the directory of every scene.
var faultFiles = map[string]string{
	"passwd":        "web:x:3301:3302:web:/srv/web:/bin/false\n",
	"group":         "web:x:3302:\none:x:3310:web\ntwo:x:3311:other,web\n",
	"script":        "#!$DIR/creds\n",
	"jail/srv/file": "",
}

const faultPrepare = "copy=$BIN/creds:$DIR/creds copy=$BIN/creds:$DIR/jail/creds copy=$BIN/creds:$DIR/capable filecaps=0x400,0,e:$DIR/capable mode=755:$DIR/script"

var faultScenes = []faultScene{
	{
		name:   "every step",
		caller: []string{"key=foreign:key"},
		about:  "uid 0 starts a profile that uses every step.",
		profile: `version: 1
uid: 3301
gid: 3302
groups: [3303]
chroot: $DIR/jail
cwd: /srv
caps: cap_net_bind_service=eip
secbits: [noroot, noroot_locked]
no_new_privs: true
umask: "0027"
rlimits: {core: 0, nproc: 1000}
keep_fds: [9]
env: {keep: [PATH], set: {A: b}}
`,
		target: "/creds",
		want: map[string]string{
			"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302 3303",
			"inheritable": "400", "permitted": "400", "effective": "400", "bounding": "400", "ambient": "400",
			"securebits": "3", "no_new_privs": "1", "at_secure": "0", "foreign key": "required key not available",
			"umask": "0027", "cwd": "/srv", "root": "creds srv", "parents": "creds srv",
			"descriptors": "0 1 2 9(directory)", "limit core": "0 0", "limit nproc": "1000 1000", "args": `["/creds"]`,
		},
		env: "A=b HOME=/ PATH=/usr/bin:/bin",
	},
	{
		name:   "user and script",
		about:  "uid 0 starts a script as a user of /etc/passwd, with no capability.",
		caller: []string{"mounts", "bind=$DIR/passwd:/etc/passwd", "bind=$DIR/group:/etc/group", "groups=0,4", "umask=077"},
		profile: `version: 1
user: web
caps: "="
env: {keep: [PATH]}
`,
		target: "./script",
		want: map[string]string{
			"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302 3310 3311",
			"inheritable": "0", "permitted": "0", "effective": "0", "bounding": "0", "ambient": "0",
			"securebits": "0", "no_new_privs": "0", "at_secure": "0",
			"umask": "0077", "descriptors": "0 1 2",
		},
		env: "HOME=/srv/web LOGNAME=web PATH=/usr/bin:/bin USER=web",
	},
	{
		name:   "uid 0",
		about:  "uid 0 with inheritable and ambient capabilities of its own starts a program as uid 0, in another root directory.",
		caller: []string{"inheritable=0x2400", "ambient=0x2000"},
		profile: `version: 1
uid: 0
gid: 0
caps: cap_kill=ep
chroot: $DIR/jail
env: {keep: [PATH]}
`,
		target: "/creds",
		want: map[string]string{
			"uids": "0 0 0 0", "gids": "0 0 0 0", "groups": "0",
			"inheritable": "0", "permitted": "20", "effective": "20", "bounding": "20", "ambient": "0",
			"securebits": "0", "no_new_privs": "0",
			"cwd": "/", "root": "creds srv", "parents": "creds srv", "descriptors": "0 1 2",
		},
		env: "PATH=/usr/bin:/bin",
	},
	{
		name:   "locks",
		about:  "uid 0, whose securebits lock keep_caps off and forbid to raise the ambient set, starts a program of another user.",
		caller: []string{"secbits=0x60"},
		profile: `version: 1
uid: 3301
gid: 3302
caps: cap_net_bind_service=eip
env: {keep: [PATH]}
`,
		target: "$DIR/creds",
		want: map[string]string{
			"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302",
			"inheritable": "400", "permitted": "400", "effective": "400", "bounding": "400", "ambient": "400",
			"securebits": "60", "no_new_privs": "0", "descriptors": "0 1 2",
		},
		env: "HOME=/ PATH=/usr/bin:/bin",
	},
	{
		name:  "file capabilities",
		about: "uid 0 starts a program of another user that gets its capability from its file.",
		profile: `version: 1
uid: 3301
gid: 3302
caps: cap_net_bind_service=ep
env: {keep: [PATH]}
`,
		target: "$DIR/capable",
		want: map[string]string{
			"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302",
			"inheritable": "0", "permitted": "400", "effective": "400", "bounding": "400", "ambient": "0",
			"securebits": "0", "no_new_privs": "0", "at_secure": "1", "descriptors": "0 1 2",
		},
		env: "HOME=/ PATH=/usr/bin:/bin",
	},
	{
		name:    "profile of another user",
		about:   "uid 0 is given a profile that another user can write.",
		refused: "belongs to uid 3301, who could change it",
		prepare: "owner=3301.3302:$DIR/profile.yaml",
		profile: "version: 1\nno_new_privs: true\n",
		target:  "$DIR/creds",
	},
	{
		name:    "profile of another user, capability",
		about:   "A user with a capability is given a profile that another user can write.",
		refused: "belongs to uid 3301, who could change it",
		prepare: "owner=3301.3302:$DIR/profile.yaml",
		caller:  []string{"inheritable=0x400", "keepcaps", "uid=3305", "caps=0x400", "ambient=0x400"},
		profile: "version: 1\nno_new_privs: true\n",
		target:  "$DIR/creds",
	},
	{
		name:    "file with more capabilities",
		about:   "uid 0 names a program whose file would give its user a capability that is not declared.",
		refused: "profile.yaml:4:7: ",
		profile: "version: 1\nuid: 3301\ngid: 3302\ncaps: '='\niab: ''\n",
		target:  "$DIR/capable",
	},
	{
		name:    "new session",
		about:   "uid 0 starts a program in a session of its own. Only the calls for that are here.",
		only:    sessionCalls,
		profile: newSessionProfile,
		target:  "$DIR/creds",
		want:    newSession("its own"),
		env:     "HOME=/ PATH=/usr/bin:/bin",
	},
	{
		name:    "new session, job",
		about:   "uid 0 starts it as a shell starts a job: as the leader of a process group in the foreground of a terminal, which can have no session of its own.",
		caller:  []string{"terminal", "job"},
		only:    sessionCalls,
		profile: newSessionProfile,
		target:  "$DIR/creds",
		want:    newSession("another process leads it"),
		env:     "HOME=/ PATH=/usr/bin:/bin",
	},
	{
		name:    "new session, leader",
		about:   "uid 0 starts it as the leader of a session on a terminal.",
		caller:  []string{"terminal"},
		only:    sessionCalls,
		profile: newSessionProfile,
		target:  "$DIR/creds",
		want:    newSession("its own"),
		env:     "HOME=/ PATH=/usr/bin:/bin",
	},
	{
		name:    "supervisor",
		about:   "uid 0 starts a program of another user with -init. The calls of caprun's child, which becomes the program, are marked.",
		init:    true,
		profile: supervisedProfile,
		target:  "$DIR/creds",
		want:    supervisedReport,
		env:     "HOME=/ PATH=/usr/bin:/bin",
	},
	{
		name:    "supervisor on a terminal",
		about:   "The same in the foreground of a terminal. Only the calls for that are here, and those that follow the end of the program.",
		caller:  []string{"terminal"},
		init:    true,
		only:    []string{"ioctl", "getpgrp", "rt_sigprocmask", "wait4", "child: setpgid"},
		profile: supervisedProfile,
		target:  "$DIR/creds",
		want:    supervisedReport,
		env:     "HOME=/ PATH=/usr/bin:/bin",
	},
}

var sessionCalls = []string{"setsid", "getsid", "getpgrp", "ioctl", "rt_sigaction", "openat /dev/tty", "newfstatat /dev/tty", "openat /proc/self/stat"}

const newSessionProfile = `version: 1
uid: 3301
gid: 3302
caps: "="
new_session: true
env: {keep: [PATH]}
`

func newSession(session string) map[string]string {
	return map[string]string{
		"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302",
		"inheritable": "0", "permitted": "0", "effective": "0", "bounding": "0", "ambient": "0",
		"session": session, "terminal": "none", "hangup ignored": "false", "descriptors": "0 1 2",
	}
}

const supervisedProfile = `version: 1
uid: 3301
gid: 3302
caps: cap_net_bind_service=eip
no_new_privs: true
env: {keep: [PATH]}
`

var supervisedReport = map[string]string{
	"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302",
	"inheritable": "400", "permitted": "400", "effective": "400", "bounding": "400", "ambient": "400",
	"securebits": "0", "no_new_privs": "1", "at_secure": "0", "pdeathsig": "9", "descriptors": "0 1 2",
}
