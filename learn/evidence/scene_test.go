package evidence

import (
	"context"
	"testing"
	"time"

	"caprun/engine/cred"
	"caprun/learn/classify"
	"caprun/learn/observe"
	"caprun/learn/search"
)

// A scene is a program for tests, as a list of the checks that each run makes.
type scene struct {
	program     []string
	test        string
	base        Base
	uid, gid    uint32
	checks      []sceneCheck
	lost        uint64
	symbols     bool
	untraced    string
	stopAfter   int // the run in which the search is interrupted, 0 for none
	unstableRun int // a run that fails by chance, 0 for none
	hardening   Attempt
	fileCaps    string
	execs       []observe.Exec
	changes     []observe.IDChange
}

// sceneCheck is one check of a run.
type sceneCheck struct {
	cap       int
	call      observe.Call
	errno     int    // of the call without the capability
	fatal     string // what the test prints then; "" if it passes
	weak      bool
	foreign   bool
	firstOnly bool // only in the reference run
	either    int  // another capability that is enough, -1 for none
	functions []string
	command   string
	count     int
}

func check(n int, name, args string, errno int, fatal string) sceneCheck {
	return sceneCheck{cap: n, call: observe.Call{Name: name, Args: args}, errno: errno, fatal: fatal, either: -1, count: 1}
}

// run returns the recording of a run with a set, and why it failed.
func (s *scene) run(set cred.Caps, number int) (*observe.Recording, string) {
	r := &observe.Recording{Lost: s.lost, Symbols: s.symbols, Execs: s.execs, IDChanges: s.changes}
	for _, c := range s.checks {
		if c.firstOnly && number > 0 {
			continue
		}
		o := observe.Check{Cap: c.cap, Command: c.command, Call: c.call, NoAudit: c.weak, Foreign: c.foreign, Functions: c.functions, Count: c.count}
		if o.Command == "" {
			o.Command = "main"
		}
		o.Denied = !c.foreign && !set.Has(c.cap)
		enough := !o.Denied || c.either >= 0 && set.Has(c.either)
		if !enough && c.errno != 0 {
			o.Errno = c.errno
			r.Failures = append(r.Failures, observe.Failure{Call: c.call, Errno: c.errno, Command: o.Command, Count: c.count})
		}
		r.Checks = append(r.Checks, o)
		if o.Denied && c.either >= 0 {
			o.Cap, o.Denied = c.either, !set.Has(c.either)
			r.Checks = append(r.Checks, o)
		}
		if !enough && c.fatal != "" {
			return r, c.fatal
		}
	}
	if number > 0 && number == s.unstableRun {
		return r, "curl: (28) Connection timed out"
	}
	return r, ""
}

// input runs the scene as learn does.
func (s *scene) input(t testing.TB) Input {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all := s.base.Allowed()
	record, reason := s.run(all, 0)
	if reason != "" {
		t.Fatal(reason)
	}
	if s.untraced != "" {
		record = nil
	}
	baseline := classify.NewBaseline(record)
	in := Input{
		Program: s.program, Test: s.test, Base: s.base, UID: s.uid, GID: s.gid,
		Reference: NewRun("", record, nil), Baseline: baseline, Executed: classify.Programs(record),
		Identities: classify.Identities(record), FileCapabilities: s.fileCaps, Untraced: s.untraced,
		Runs: map[int]Run{}, NoNewPrivs: s.hardening, NoRoot: s.hardening, Took: 4200 * time.Millisecond,
	}
	number := 0
	found, err := search.Minimize(ctx, func(_ context.Context, set cred.Caps) (search.Outcome, error) {
		number++
		if number == s.stopAfter {
			cancel()
			return search.Outcome{}, ctx.Err()
		}
		record, reason := s.run(set, number)
		if s.untraced != "" {
			record = nil
		}
		run := NewRun(reason, record, baseline)
		run.Number = number + 1
		in.Runs[number] = run
		return run.Outcome(), nil
	}, search.Guess{Strong: in.Reference.Uses.Strong(), Weak: in.Reference.Uses.Weak(), All: all})
	in.Interrupted = err != nil
	in.Search = found
	in.TotalRuns = 1 + found.Runs
	if in.NoNewPrivs == Passed {
		in.TotalRuns += 2
	}
	return in
}

// The scenes of the golden files.
func scenes() map[string]*scene {
	root := rootBase(nil)
	plain := []observe.Exec{{Path: "/usr/sbin/nginx", Privileged: observe.No}}
	memory := sceneCheck{cap: 21, call: observe.Call{Name: "brk"}, weak: true, either: -1, count: 212, functions: []string{"cap_capable", "cap_vm_enough_memory"}}
	nginx := []sceneCheck{
		memory,
		check(1, "openat", `"/var/log/nginx/error.log"`, 13, "nginx: [emerg] open() \"/var/log/nginx/error.log\" failed (13: Permission denied)"),
		check(10, "bind", "0.0.0.0:80", 13, "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)"),
		{cap: 0, call: observe.Call{Name: "chown", Args: `"/var/lib/nginx/body", 33, -1`}, errno: 1, firstOnly: true, either: -1, count: 5},
		check(6, "setgid", "33", 1, "curl: (7) Failed to connect to localhost port 80"),
		check(6, "setgroups", "1 group", 1, "curl: (7) Failed to connect to localhost port 80"),
		check(7, "setuid", "33", 1, "curl: (7) Failed to connect to localhost port 80"),
		{cap: 24, call: observe.Call{Name: "setrlimit", Args: "RLIMIT_NOFILE"}, weak: true, either: -1, count: 2},
	}
	changes := []observe.IDChange{
		{PID: 2, Command: "nginx", UID: -1, GID: 33}, {PID: 2, Command: "nginx", UID: -1, GID: -1, Groups: []uint32{33}, GroupsKnown: true}, {PID: 2, Command: "nginx", UID: 33, GID: -1},
		{PID: 3, Command: "nginx", UID: -1, GID: 33}, {PID: 3, Command: "nginx", UID: -1, GID: -1, Groups: []uint32{33}, GroupsKnown: true}, {PID: 3, Command: "nginx", UID: 33, GID: -1},
	}
	web := scene{
		program: []string{"/usr/sbin/nginx", "-g", "daemon off;"}, test: "curl -fs localhost", base: root,
		checks: nginx, symbols: true, hardening: Passed, execs: plain, changes: changes,
	}
	bind := web
	bind.base = root.WithIdentity(33, 33, nil)
	bind.uid, bind.gid = 33, 33
	bind.checks = []sceneCheck{memory, check(10, "bind", "0.0.0.0:80", 13, "bind() to 0.0.0.0:80 failed (13: Permission denied)")}
	bind.changes = nil
	lost := bind
	lost.lost, lost.hardening = 1234, NotTried
	interrupted := web
	interrupted.stopAfter = 6
	unstable := web
	unstable.unstableRun = 10
	kill := sceneCheck{cap: 5, call: observe.Call{Name: "kill", Args: "4711, SIGALRM"}, errno: 1, either: -1, count: 1, command: "sshd"}
	return map[string]*scene{
		"nginx": &web, "nginx-user": &bind, "lost": &lost, "interrupted": &interrupted, "unstable": &unstable,
		"sshd": {
			program: []string{"/usr/sbin/sshd", "-D"}, test: "ssh visitor@localhost true", base: root, symbols: true,
			execs: []observe.Exec{{Path: "/usr/sbin/sshd", Privileged: observe.No}, {Path: "/bin/su", Privileged: observe.Yes}},
			checks: []sceneCheck{
				memory,
				check(10, "bind", "0.0.0.0:22", 13, "ssh: connect to host localhost port 22: Connection refused"),
				check(18, "chroot", `"/run/sshd"`, 1, "Connection closed by 127.0.0.1 port 22"),
				check(6, "setgroups", "1 group", 1, "Connection closed by 127.0.0.1 port 22"),
				check(7, "setresuid", "102, 102, 102", 1, "Connection closed by 127.0.0.1 port 22"),
				{cap: 29, call: observe.Call{Name: "sendto"}, either: -1, count: 3, functions: []string{"cap_capable", "capable", "audit_receive", "netlink_unicast"}},
				kill,
			},
			changes: []observe.IDChange{{PID: 2, Command: "sshd", UID: 102, GID: 65534}, {PID: 3, Command: "sshd", UID: 1000, GID: 1000}},
		},
		"date": {
			program: []string{"/bin/date", "-s", "2026-01-31"}, base: root, symbols: true, hardening: Passed,
			execs:  []observe.Exec{{Path: "/bin/date", Privileged: observe.No}},
			checks: []sceneCheck{memory, check(25, "clock_settime", "CLOCK_REALTIME", 1, "exit status 1: date: cannot set date: Operation not permitted")},
		},
		"nothing": {
			program: []string{"/usr/bin/redis-server"}, base: root, symbols: true, hardening: Passed,
			execs:  []observe.Exec{{Path: "/usr/bin/redis-server", Privileged: observe.No}},
			checks: []sceneCheck{memory, {cap: 24, call: observe.Call{Name: "setrlimit"}, weak: true, either: -1, count: 1}},
		},
		"nft": {
			program: []string{"/usr/sbin/nft", "-f", "/etc/nftables.conf"}, base: root, symbols: true, hardening: Passed,
			execs:  []observe.Exec{{Path: "/usr/sbin/nft", Privileged: observe.No}},
			checks: []sceneCheck{{cap: 12, call: observe.Call{Name: "sendmsg"}, fatal: "exit status 1: Error: Could not process rule: Operation not permitted", either: -1, count: 1, functions: []string{"cap_capable", "netlink_net_capable", "nfnetlink_rcv", "netlink_unicast"}}},
		},
		"backup": {
			program: []string{"/usr/bin/tar", "-cf", "/backup/home.tar", "/home"}, base: root, symbols: true, hardening: Passed,
			execs: []observe.Exec{{Path: "/usr/bin/tar", Privileged: observe.No}},
			checks: []sceneCheck{
				{cap: 2, call: observe.Call{Name: "openat", Args: `"/home/alice/.ssh/id_rsa"`}, errno: 13, fatal: "exit status 2: tar: Exiting with failure status due to previous errors", either: 1, count: 40},
				{cap: 21, call: observe.Call{Name: "mount", Args: `"proc", "/proc"`}, foreign: true, either: -1, count: 1},
			},
		},
		"untraced": {
			program: []string{"/usr/sbin/nginx"}, test: "curl -fs localhost", base: root, untraced: "-no-trace", checks: nginx,
		},
		"never": {
			program: []string{"/usr/bin/flaky"}, base: root, symbols: true,
			execs:  []observe.Exec{{Path: "/usr/bin/flaky", Privileged: observe.No}},
			checks: []sceneCheck{{cap: 63, fatal: "exit status 1", either: -1, count: 1}},
		},
		"ping": {
			program: []string{"/usr/bin/ping", "-c1", "localhost"}, base: root.WithIdentity(33, 33, nil), uid: 33, gid: 33, symbols: true, fileCaps: "cap_net_raw=ep",
			execs:  []observe.Exec{{Path: "/usr/bin/ping", Privileged: observe.Yes, Unobserved: true}},
			checks: []sceneCheck{check(13, "socket", "AF_INET, SOCK_RAW", 1, "exit status 2: ping: socket: Operation not permitted")},
		},
	}
}
