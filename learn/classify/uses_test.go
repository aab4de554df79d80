package classify

import (
	"slices"
	"testing"

	"caprun/engine/cred"
	"caprun/learn/observe"
)

// The stacks are from Linux 6.18, shortened.
var (
	brkStack     = []string{"cap_capable", "security_capable_noaudit", "cap_vm_enough_memory", "security_vm_enough_memory_mm", "do_brk_flags", "__do_sys_brk"}
	bindStack    = []string{"cap_capable", "security_capable", "ns_capable", "inet_bind_sk", "__sys_bind"}
	mountStack   = []string{"cap_capable", "security_capable", "ns_capable", "path_mount", "__x64_sys_mount"}
	killStack    = []string{"cap_capable", "security_capable", "ns_capable", "check_kill_permission", "__x64_sys_kill"}
	noauditStack = []string{"cap_capable", "security_capable", "ns_capable_noaudit.constprop.0", "ptrace_may_access"}
	netlinkStack = []string{"cap_capable", "security_capable", "netlink_net_capable", "rtnetlink_rcv_msg", "netlink_rcv_skb", "netlink_unicast", "__sys_sendmsg"}
)

func call(name, args string) observe.Call { return observe.Call{Name: name, Args: args} }

func TestClassOf(t *testing.T) {
	for _, test := range []struct {
		what  string
		check observe.Check
		want  Class
	}{
		{"brk of every process", observe.Check{Cap: 21, NoAudit: true, Functions: brkStack}, Memory},
		{"the same, denied", observe.Check{Cap: 21, Denied: true, NoAudit: true, Functions: brkStack}, Memory},
		{"the same in another user namespace", observe.Check{Cap: 21, Foreign: true, Functions: brkStack}, Memory},
		{"mount", observe.Check{Cap: 21, Functions: mountStack}, Strong},
		{"mount, denied", observe.Check{Cap: 21, Denied: true, Functions: mountStack}, Denied},
		{"mount in its own user namespace", observe.Check{Cap: 21, Foreign: true, Functions: mountStack}, Foreign},
		{"without a record in the audit log", observe.Check{Cap: 24, NoAudit: true}, Weak},
		{"the same, denied", observe.Check{Cap: 24, NoAudit: true, Denied: true}, WeakDenied},
		{"the same by the stack", observe.Check{Cap: 19, Functions: noauditStack}, Weak},
		{"capset", observe.Check{Cap: 8, Call: call("capset", "")}, Weak},
		{"capset by the stack", observe.Check{Cap: 8, Denied: true, Functions: []string{"cap_capable", "cap_capset"}}, WeakDenied},
		{"without symbols", observe.Check{Cap: 10}, Strong},
		{"without symbols, denied", observe.Check{Cap: 10, Denied: true, Call: call("bind", "0.0.0.0:80"), Errno: 13}, Denied},
	} {
		if got := ClassOf(test.check); got != test.want {
			t.Errorf("%s: class %d, want %d", test.what, got, test.want)
		}
	}
}

func TestSummarize(t *testing.T) {
	r := &observe.Recording{Checks: []observe.Check{
		{Cap: 10, Command: "nginx", Functions: bindStack, Call: call("bind", "0.0.0.0:80"), Count: 1},
		{Cap: 10, Command: "nginx", Functions: bindStack, Call: call("bind", "[::]:80"), Count: 3},
		{Cap: 10, Command: "worker", Functions: bindStack, Call: call("bind", "[::]:80"), Count: 2},
		{Cap: 10, Command: "nginx", Denied: true, Functions: bindStack, Call: call("bind", "0.0.0.0:443"), Errno: 13, Count: 1},
		{Cap: 21, Command: "nginx", NoAudit: true, Functions: brkStack, Count: 200},
		{Cap: 24, Command: "nginx", NoAudit: true, Denied: true, Call: call("setrlimit", ""), Count: 1},
		{Cap: 5, Command: "sshd", Functions: killStack, Call: call("kill", "12, 15")}, // Count 0 counts as 1
		{Cap: 64, Command: "bad"}, {Cap: -1, Command: "bad"},
	}}
	uses := Summarize(r)
	bind := uses[10]
	if bind.Strong != 6 || bind.Denied != 1 || bind.Checks() != 7 || !slices.Equal(bind.Commands, []string{"nginx", "worker"}) {
		t.Errorf("bind: %+v", bind)
	}
	if list := bind.StrongCalls.List; len(list) != 2 || list[0].Args != "[::]:80" || list[0].Count != 5 || list[0].Command != "nginx" {
		t.Errorf("strong calls: %+v", list)
	}
	if list := bind.DeniedCalls.List; len(list) != 1 || list[0].Errno != 13 {
		t.Errorf("denied calls: %+v", list)
	}
	if u := uses[21]; u.Memory != 200 || u.Checks() != 0 {
		t.Errorf("sys_admin: %+v", u)
	}
	if got, want := uses.Strong(), cred.CapsOf(5, 10); got != want {
		t.Errorf("strong %v, want %v", got, want)
	}
	if got, want := uses.Weak(), cred.CapsOf(24); got != want {
		t.Errorf("weak %v, want %v", got, want)
	}
	if got, want := uses.Denied(), cred.CapsOf(10); got != want {
		t.Errorf("denied %v, want %v", got, want)
	}
	if got, want := uses.Checked(), cred.CapsOf(5, 10, 24); got != want {
		t.Errorf("checked %v, want %v", got, want)
	}
	if len(uses) != 4 {
		t.Errorf("%d capabilities", len(uses))
	}
	if Summarize(nil) != nil || Summarize(nil).Strong() != 0 {
		t.Error("a run without tracing has uses")
	}
}

// TestNetlink: a check of a netlink request is marked, as its error is in the reply.
func TestNetlink(t *testing.T) {
	uses := Summarize(&observe.Recording{Checks: []observe.Check{
		{Cap: 12, Denied: true, Functions: netlinkStack, Call: call("sendmsg", "")},
		{Cap: 10, Denied: true, Functions: bindStack, Call: call("bind", "")},
	}})
	if list := uses[10].DeniedCalls.List; len(list) != 1 || list[0].Netlink {
		t.Errorf("%+v", uses[10])
	}
	if list := uses[12].DeniedCalls.List; len(list) != 1 || !list[0].Netlink {
		t.Errorf("%+v", uses[12])
	}
}

// TestUnknownArguments: a call with unknown arguments is listed only without a known one.
func TestUnknownArguments(t *testing.T) {
	u := Summarize(&observe.Recording{Checks: []observe.Check{
		{Cap: 0, Call: call("fchownat", ""), Count: 2}, {Cap: 0, Call: call("fchownat", `"/x", 33, -1`), Count: 1}, {Cap: 0, Call: call("chown", ""), Count: 1},
	}})[0]
	if list := u.StrongCalls.List; len(list) != 2 || list[0].Args == "" || list[1].Name != "chown" || u.StrongCalls.Other != 2 {
		t.Errorf("%+v", u.StrongCalls)
	}
}

// TestBounded: a program with many different calls gives a short list, and every check is
// counted.
func TestBounded(t *testing.T) {
	r := &observe.Recording{}
	const files = 3 * maxDifferent
	for n := range files {
		path := make([]byte, 0, 16)
		for ; n > 0; n /= 10 {
			path = append(path, byte('0'+n%10))
		}
		r.Checks = append(r.Checks, observe.Check{Cap: 1, Command: string(path), Call: call("openat", string(path)), Count: 2})
	}
	u := Summarize(r)[1]
	total := u.StrongCalls.Other
	for _, c := range u.StrongCalls.List {
		total += c.Count
	}
	if u.Strong != 2*files || total != 2*files || len(u.StrongCalls.List) != MaxCalls || len(u.Commands) != MaxCommands {
		t.Errorf("%d checks, %d in calls, %d calls, %d commands", u.Strong, total, len(u.StrongCalls.List), len(u.Commands))
	}
}

func TestNewFailures(t *testing.T) {
	fail := func(name, args string, errno int) observe.Failure {
		return observe.Failure{Call: call(name, args), Errno: errno, Count: 1}
	}
	reference := &observe.Recording{Failures: []observe.Failure{
		fail("openat", `"/etc/ld.so.nohwcap"`, 13),
		fail("kill", "4711, 15", 1),
		fail("openat", `"/proc/4711/oom_score_adj"`, 13),
	}}
	b := NewBaseline(reference, nil)
	got := b.NewFailures(&observe.Recording{Failures: []observe.Failure{
		fail("openat", `"/etc/ld.so.nohwcap"`, 13),
		fail("kill", "4712, 15", 1),
		fail("openat", `"/proc/4712/oom_score_adj"`, 13),
		fail("openat", `"/etc/shadow"`, 13),
		fail("openat", `"/etc/ld.so.nohwcap"`, 1),
		fail("bind", "0.0.0.0:80", 13),
		fail("bind", "0.0.0.0:80", 13),
	}})
	var text []string
	for _, c := range got.List {
		text = append(text, c.Name+c.Args)
	}
	if want := []string{"bind0.0.0.0:80", `openat"/etc/shadow"`, `openat"/etc/ld.so.nohwcap"`}; !slices.Equal(text, want) || got.List[0].Count != 2 {
		t.Errorf("%v, want %v", text, want)
	}
	if len(b.NewFailures(nil).List) != 0 {
		t.Error("a run without tracing has failures")
	}
}
