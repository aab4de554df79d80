package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// perDirectory is the number of profiles in a directory.
const perDirectory = 500

// generate writes count profiles below dir: each is like the built-in ones, and no
// two are the same. They are the same in every run.
func generate(dir string, files int) (bytes int, err error) {
	g := rand.New(rand.NewPCG(1, 2))
	for n := range files {
		sub := filepath.Join(dir, fmt.Sprintf("team-%03d", n/perDirectory))
		if n%perDirectory == 0 {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return 0, err
			}
		}
		text := profile(g, n)
		bytes += len(text)
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("service-%05d.yaml", n)), []byte(text), 0o644); err != nil {
			return 0, err
		}
	}
	return bytes, nil
}

// profile returns the text of a profile of 15 to 25 lines. One in ten has a
// risk or a mistake.
func profile(g *rand.Rand, n int) string {
	names := [...]string{"cap_net_bind_service", "cap_net_raw", "cap_kill", "cap_sys_time", "cap_ipc_lock", "cap_sys_nice"}
	name := names[g.IntN(len(names))]
	id := 1000 + g.IntN(60000)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# yaml-language-server: $schema=../schema/profile.schema.json")
	line("version: 1")
	line("name: service-%05d", n)
	line("description: >-")
	line("  Service %d of this tree. It holds %s and nothing else,", n, name)
	line("  as an ordinary user. Start it as root. It does not restrict what the")
	line("  service reads or connects to: that is decided by file permissions.")
	line("")
	line("uid: %d # a user of its own", id)
	line("gid: %d", id)
	if g.IntN(3) == 0 {
		line("groups: [%d, %d]", id, id+1)
	}
	line("caps: %s=eip", name)
	line("secbits: [noroot, noroot_locked]")
	switch g.IntN(30) {
	case 0: // a risk: set-user-ID programs still change the user
	case 1: // a typical mistake
		line("no_new_privileges: true")
	case 2:
		line("no_new_privs: true\nmode: HYBRYD")
	default:
		line("no_new_privs: true")
	}
	line("")
	line("command: [/usr/lib/service/%05d, --port=%d]", n, 80+g.IntN(900))
	if g.IntN(2) == 0 {
		line("chroot: /srv/jail-%d", n)
	}
	line("cwd: /")
	line("umask: \"0027\"")
	if g.IntN(2) == 0 {
		line("env:\n  keep: [LANG, TZ]\n  set: {PATH: /bin, MODE: production}")
	}
	if g.IntN(2) == 0 {
		line("rlimits: {nofile: %d, core: 0}", 1024+g.IntN(4096))
	}
	return b.String()
}
