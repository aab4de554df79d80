package main

import (
	"maps"
	"slices"
)

// sealedScenes returns the scenes of sealed launchers: those of caprun that do not depend
// on how caprun reads its profile, and others.
func sealedScenes() []faultScene {
	list := []faultScene{
		{
			name:    "web",
			about:   "uid 0 starts the built-in profile web.",
			caller:  []string{"groups=0,4,27", "pdeathsig=10"},
			profile: "version: 1\nuid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\nsecbits: [noroot, noroot_locked]\nno_new_privs: true\nenv: {keep: [PATH]}\n",
			target:  "$DIR/creds",
			want: map[string]string{
				"uids": "33 33 33 33", "gids": "33 33 33 33", "groups": "33",
				"inheritable": "400", "permitted": "400", "effective": "400", "bounding": "400", "ambient": "400",
				"securebits": "3", "no_new_privs": "1", "at_secure": "0", "pdeathsig": "10", "descriptors": "0 1 2",
			},
			env: "HOME=/ PATH=/usr/bin:/bin",
		},
		{
			name:    "same state",
			about:   "The caller already has the state that the profile declares.",
			caller:  sameState,
			profile: "version: 1\nuid: 3301\ngid: 3302\ncaps: cap_net_bind_service=eip\nsecbits: [noroot, noroot_locked]\nno_new_privs: true\nenv: {keep: [PATH]}\n",
			target:  "$DIR/creds",
			want: map[string]string{
				"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302",
				"inheritable": "400", "permitted": "400", "effective": "400", "bounding": "400", "ambient": "400",
				"securebits": "3", "no_new_privs": "1", "at_secure": "0", "descriptors": "0 1 2",
			},
			env: "PATH=/usr/bin:/bin",
		},
		{
			name:    "nothing declared",
			about:   "A user starts a profile that declares only no_new_privs: all else is inherited.",
			caller:  []string{"groups=3303,3304", "inheritable=0x400", "keepcaps", "gid=3302", "uid=3301", "caps=0x400", "ambient=0x400"},
			profile: "version: 1\nno_new_privs: true\nenv: {keep: [PATH]}\n",
			target:  "$DIR/creds",
			want: map[string]string{
				"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3303 3304",
				"inheritable": "400", "permitted": "400", "effective": "400", "ambient": "400",
				"securebits": "0", "no_new_privs": "1", "at_secure": "0", "descriptors": "0 1 2",
			},
			env: "PATH=/usr/bin:/bin",
		},
		{
			name:    "script in PATH",
			about:   "uid 0 starts a script by its name, which is in the second directory of PATH.",
			caller:  []string{"env=PATH=$DIR/jail/srv:$DIR"},
			profile: "version: 1\nuid: 3301\ngid: 3302\ncaps: '='\nenv: {keep: [PATH]}\n",
			target:  "script",
			want: map[string]string{
				"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302",
				"inheritable": "0", "permitted": "0", "effective": "0", "bounding": "0", "ambient": "0",
				"securebits": "0", "no_new_privs": "0", "at_secure": "0", "descriptors": "0 1 2",
			},
			env: "HOME=/ PATH=$DIR/jail/srv:$DIR",
		},
		{
			name:    "program in PATH that the user may not execute",
			about:   "uid 0 starts a program by its name. The user of the target may not execute the first file of this name, which has file capabilities.",
			prepare: "copy=$BIN/creds:$DIR/jail/srv/creds mode=700:$DIR/jail/srv/creds filecaps=0x400,0,e:$DIR/jail/srv/creds",
			caller:  []string{"env=PATH=$DIR/jail/srv:$DIR"},
			profile: "version: 1\nuid: 3301\ngid: 3302\ncaps: '='\nenv: {keep: [PATH]}\n",
			target:  "creds",
			want:    noPrivilege,
			env:     "HOME=/ PATH=$DIR/jail/srv:$DIR",
		},
		{
			name:    "file capabilities on a nosuid mount",
			about:   "uid 0 starts a program whose file has capabilities, which the kernel ignores because of the mount.",
			caller:  []string{"mounts", "nosuid=$DIR"},
			profile: "version: 1\nuid: 3301\ngid: 3302\ncaps: '='\nenv: {keep: [PATH]}\n",
			target:  "$DIR/capable",
			want:    noPrivilege,
			env:     "HOME=/ PATH=/usr/bin:/bin",
		},
		{
			name:    "file capabilities",
			about:   "uid 0 names a program whose file would give its user a capability that is not declared.",
			refused: "it has file capabilities",
			profile: "version: 1\nuid: 3301\ngid: 3302\ncaps: cap_net_bind_service=eip\n",
			target:  "$DIR/capable",
		},
		{
			name:    "set-user-ID program",
			about:   "uid 0 names a program that would give its user uid 0.",
			prepare: "mode=4755:$DIR/creds",
			refused: "it is set-user-ID or set-group-ID",
			profile: "version: 1\nuid: 3301\ngid: 3302\ncaps: '='\n",
			target:  "$DIR/creds",
		},
	}
	for _, s := range faultScenes {
		if s.refused != "" || s.init || s.name == "file capabilities" || s.name == "user and script" {
			continue
		}
		if s.only != nil {
			s.only = append(slices.Clone(s.only), "getpid", "getpgid", "rt_sigprocmask", "statx /dev/tty", "statx", "close", "read")
		}
		list = append(list, s)
	}
	for n := range list {
		list[n].sealed = true
		list[n].want = maps.Clone(list[n].want)
	}
	return list
}

// sameState are settings of internal/test/runas.
var sameState = []string{
	"bounding=0x400", "secbits=0x3", "keepcaps", "groups=3302", "gid=3302", "inheritable=0x400", "uid=3301", "caps=0x400", "ambient=0x400", "nnp",
}

// noPrivilege is the report of a target without privilege.
var noPrivilege = map[string]string{
	"uids": "3301 3301 3301 3301", "gids": "3302 3302 3302 3302", "groups": "3302",
	"inheritable": "0", "permitted": "0", "effective": "0", "bounding": "0", "ambient": "0",
	"securebits": "0", "no_new_privs": "0", "at_secure": "0", "descriptors": "0 1 2",
}
