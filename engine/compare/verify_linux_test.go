package compare

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"
	"caprun/internal/test/subject"

	"golang.org/x/sys/unix"
)

// verifyPlan compiles a profile for an ordinary program.
func verifyPlan(t testing.TB, text string, from cred.Cred) *engine.Plan {
	t.Helper()
	plan, findings := engine.Compile(parse(t, text), from, engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%s\n%v", text, findings)
	}
	return plan
}

// notes names the checks whose verdict is not VerdictSame, with a sign for the verdict.
func notes(s StateVerification) string {
	var list []string
	for _, c := range s.Checks {
		if sign := [...]string{"", "-", "?", "!", "+"}[c.Verdict]; sign != "" && !c.Ignored {
			list = append(list, sign+string(c.Dimension))
		}
	}
	return strings.Join(list, " ")
}

// TestVerify compares real processes with profiles. They run as root with the capabilities of
// the test, or as uid 33 without any.
func TestVerify(t *testing.T) {
	requires.Root(t)
	own, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	jail, other := t.TempDir(), t.TempDir()
	const plain = "uid: 33\ngid: 33\ncaps: '='\niab: ''"
	cases := []struct {
		name, text, steps string
		root              bool
		verdict           Verdict
		notes             string
	}{
		{name: "as declared", text: plain, verdict: VerdictSame},
		{name: "no_new_privs besides", text: plain, steps: "nnp", verdict: VerdictLess, notes: "-no_new_privs"},
		{name: "without no_new_privs", text: plain + "\nno_new_privs: true", verdict: VerdictMore, notes: "+no_new_privs"},
		{name: "another user", text: strings.ReplaceAll(plain, "33", "34"), verdict: VerdictIncomparable, notes: "!uid !gid !groups"},
		{name: "root, not declared", text: plain, root: true, verdict: VerdictMore, notes: "+uid +gid +groups +effective +permitted"},
		{name: "root declared, user found", text: "uid: 0\ngid: 0", verdict: VerdictLess, notes: "-uid -gid -groups -effective -permitted"},
		{name: "as root", text: "", root: true, verdict: VerdictSame},

		{name: "ambient", text: "uid: 33\ngid: 33\niab: ^cap_net_raw", root: true, verdict: VerdictSame,
			steps: "groups=33 gid=33 inherit=0x2000 keepcaps uid=33 only=0x2000 ambient=0x2000"},
		{name: "ambient given up", text: "uid: 33\ngid: 33\niab: ^cap_net_raw", root: true, verdict: VerdictLess, notes: "-effective -permitted -ambient",
			steps: "groups=33 gid=33 inherit=0x2000 uid=33"},
		{name: "inherits more", text: "uid: 33\ngid: 33\ncaps: '='\niab: ''", root: true, verdict: VerdictMore, notes: "+inheritable",
			steps: "groups=33 gid=33 inherit=0x2000 uid=33"},
		{name: "lower effective set", text: "", root: true, steps: "ineffective", verdict: VerdictLess, notes: "-effective"},
		{name: "lost one", text: "", root: true, steps: "lose=0x2000", verdict: VerdictLess, notes: "-effective -permitted"},
		{name: "smaller bounding set", text: "", root: true, steps: "bound=0x2000", verdict: VerdictLess, notes: "-bounding"},
		{name: "larger bounding set", text: "caps: cap_net_raw=ep", root: true, verdict: VerdictMore, notes: "+effective +permitted +bounding"},
		{name: "a group more", text: "uid: 0\ngid: 0\ngroups: []", root: true, steps: "groups=44", verdict: VerdictIncomparable, notes: "!groups"},
		{name: "only the effective uid", text: "", root: true, steps: "euid=33", verdict: VerdictMore, notes: "+uid -effective"},
		{name: "the effective set is back", text: "", root: true, steps: "euid=33 euid=0", verdict: VerdictSame},
		{name: "one thread", text: plain, steps: "thread", verdict: VerdictLess, notes: " / -no_new_privs"},

		{name: "root directory", text: "chroot: " + jail, root: true, steps: "chroot=" + jail, verdict: VerdictSame},
		{name: "root directory besides", text: "", root: true, steps: "chroot=" + jail, verdict: VerdictLess, notes: "-root directory"},
		{name: "the reader's root directory", text: "chroot: " + jail, root: true, verdict: VerdictMore, notes: "+root directory"},
		{name: "another root directory", text: "chroot: " + jail, root: true, steps: "chroot=" + other, verdict: VerdictIncomparable, notes: "!root directory"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			steps := c.steps
			if !c.root {
				steps = "groups=33 gid=33 uid=33 " + steps
			}
			s := subject.Start(t, steps, nil)
			plan := verifyPlan(t, c.text, own)
			v, err := verify(plan, read(t, s.Process.Pid))
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, state := range v.States {
				all = append(all, notes(state))
			}
			if got := strings.Join(all, " / "); v.Verdict() != c.verdict || got != c.notes {
				t.Errorf("%v: %s; want %v: %s", v.Verdict(), got, c.verdict, c.notes)
			}
			if loose, exact := v.Matches(false), v.Matches(true); loose != (c.verdict <= VerdictLess) || exact != (c.verdict == VerdictSame) {
				t.Errorf("%v: matches %v, exactly %v", v.Verdict(), loose, exact)
			}
		})
	}
}

// TestVerifyContainer checks that the root directory of another mount namespace does not
// count as less if the profile declares none.
func TestVerifyContainer(t *testing.T) {
	requires.Root(t)
	own, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	jail := t.TempDir()
	s := subject.Start(t, "chroot="+jail, func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} })
	proc := read(t, s.Process.Pid)
	for text, want := range map[string]Verdict{"": VerdictSame, "chroot: " + jail: VerdictSame, "chroot: " + t.TempDir(): VerdictIncomparable, "no_new_privs: true": VerdictMore} {
		v, err := verify(verifyPlan(t, text, own), proc)
		if err != nil {
			t.Fatal(err)
		}
		if v.Verdict() != want || v.Matches(true) != (want == VerdictSame) {
			t.Errorf("%q: %v, %s", text, v.Verdict(), notes(v.States[0]))
		}
	}
}

// TestVerifyThread checks that the verification names the thread that differs.
func TestVerifyThread(t *testing.T) {
	own, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	s := subject.Start(t, "thread", nil)
	v, err := verify(verifyPlan(t, "no_new_privs: true", own), read(t, s.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if v.Verdict() != VerdictMore || len(v.States) != 2 {
		t.Fatalf("%v: %+v", v.Verdict(), v.States)
	}
	if odd := v.States[1]; odd.Verdict() != VerdictSame || fmt.Sprint(odd.Threads[0]) != s.Said {
		t.Errorf("threads %v: %v; thread %s is as declared", odd.Threads, odd.Verdict(), s.Said)
	}
}

// TestVerifyNamespace checks that a process in another user namespace is not compared:
// its capabilities apply there only.
func TestVerifyNamespace(t *testing.T) {
	v, err := verify(verifyPlan(t, "", cred.Root()), read(t, subject.StartInNamespace(t).Process.Pid))
	if err != nil || v.States != nil || v.Matches(false) || v.Matches(true) {
		t.Errorf("%v: %+v", err, v)
	}
}

// TestVerifySecurebits checks that a profile with securebits never matches exactly.
func TestVerifySecurebits(t *testing.T) {
	own, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	plan := verifyPlan(t, "", own)
	v, err := verify(plan, read(t, subject.Start(t, "", nil).Process.Pid))
	if err != nil || !v.Matches(true) {
		t.Fatalf("%v %+v", err, v)
	}
	for _, text := range []string{"secbits: [noroot]", "mode: HYBRID"} {
		plan.Profile = parse(t, text)
		if !v.Matches(false) || v.Matches(true) {
			t.Errorf("%s: matches %v, exactly %v", text, v.Matches(false), v.Matches(true))
		}
	}
	last := v.States[0].Checks[len(v.States[0].Checks)-1]
	if last.Dimension != "securebits" || last.Verdict != VerdictUnknown || !last.Ignored {
		t.Errorf("the last check is %+v", last)
	}
}

// TestVerifyRoot compares root directories that cannot be read or do not exist.
func TestVerifyRoot(t *testing.T) {
	own, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	p := read(t, subject.Start(t, "", nil).Process.Pid)
	var typed *machine.Error
	plan := verifyPlan(t, "", own)
	plan.Profile = parse(t, "chroot: /no/such/place")
	if _, err := verify(plan, p); !errors.As(err, &typed) || typed.Key != "chroot" {
		t.Errorf("a missing root directory: %v", err)
	}
	p.States[0].RootErr = errors.New("not for you")
	v, err := verify(verifyPlan(t, "", own), p)
	if err != nil || v.Verdict() != VerdictUnknown || v.Matches(false) {
		t.Errorf("an unreadable root directory: %v %v", err, v.Verdict())
	}
}

// TestVerifyUnmapped checks that an unmapped ID does not count as nobody's.
func TestVerifyUnmapped(t *testing.T) {
	own, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	p := read(t, subject.Start(t, "", nil).Process.Pid)
	p.States[0].Unmapped = []string{"groups"}
	v, err := verify(verifyPlan(t, "", own), p)
	if err != nil || v.Verdict() != VerdictUnknown || notes(v.States[0]) != "?groups" || v.Matches(false) {
		t.Errorf("%v %v: %s", err, v.Verdict(), notes(v.States[0]))
	}
}

// TestVerifyNamespaceUnknown checks the error for a process whose user namespace cannot be
// read. It asks for cap_sys_ptrace only if the caller lacks it.
func TestVerifyNamespaceUnknown(t *testing.T) {
	own, err := machine.CurrentCred()
	if err != nil {
		t.Fatal(err)
	}
	p := read(t, subject.Start(t, "", nil).Process.Pid)
	p.UserNS, p.UserNSErr = machine.NamespaceUnknown, unix.EACCES
	var typed *machine.Error
	if _, err := verify(verifyPlan(t, "", own), p); !errors.As(err, &typed) || !errors.Is(err, unix.EACCES) {
		t.Errorf("verify: %v", err)
	}
	root, nested := cred.Root(), cred.Root()
	nested.UserNS.Nested = true
	container := cred.Root()
	container.Effective = 0
	for _, c := range []struct {
		caller      cred.Cred
		err         error
		cause, hint string
	}{
		{plainUser(), unix.EACCES, "permission denied", "run caprun as root (cap_sys_ptrace); as the user of the process, you can read it only if it is dumpable and has no capability that you lack"},
		{container, unix.EACCES, "permission denied", "start caprun with cap_sys_ptrace, which root has outside of containers"},
		{nested, unix.EACCES, "permission denied: the process is outside of the user namespace in which caprun has cap_sys_ptrace, or a security module (LSM) refuses", "run caprun as root in the user namespace of the process, such as outside of the container"},
		{root, unix.EACCES, "permission denied: caprun has cap_sys_ptrace, but a security module (LSM) refuses", "run caprun where no security module confines it, such as outside of the sandbox"},
		{root, unix.EIO, "input/output error", ""},
	} {
		p.UserNSErr = c.err
		if !errors.As(unreadable(p, c.caller), &typed) || typed.Err.Error() != "cannot read its user namespace: "+c.cause || typed.Hint != c.hint {
			t.Errorf("%v; %s", typed.Err, typed.Hint)
		}
	}
}

// ChildRoles are the functions that a child process of the tests calls. The examples add
// theirs.
var ChildRoles = reexec.Roles{"subject": subject.Main}

func TestMain(m *testing.M) { reexec.Main(m, ChildRoles) }

func read(t testing.TB, pid int) *machine.Process {
	t.Helper()
	p, err := machine.ReadProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
