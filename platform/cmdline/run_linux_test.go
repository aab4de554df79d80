package cmdline

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/requires"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/policy"
)

// creds builds the program that prints its credentials, where every user can execute it.
func creds(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cmdline")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "creds")
	build := exec.Command("go", "build", "-o", path, "caprun/internal/test/creds")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// observed is what the program printed.
type observed struct {
	uids, gids, groups                                   string
	inheritable, permitted, effective, bounding, ambient uint64
	securebits                                           uint64
	nnp                                                  string
}

func parse(t *testing.T, out string) (o observed) {
	t.Helper()
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		hex := func(n *uint64) {
			v, err := strconv.ParseUint(value, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			*n = v
		}
		switch name {
		case "uids":
			o.uids = value
		case "gids":
			o.gids = value
		case "groups":
			o.groups = value
		case "inheritable":
			hex(&o.inheritable)
		case "permitted":
			hex(&o.permitted)
		case "effective":
			hex(&o.effective)
		case "bounding":
			hex(&o.bounding)
		case "ambient":
			hex(&o.ambient)
		case "securebits":
			hex(&o.securebits)
		case "no_new_privs":
			o.nnp = value
		}
	}
	return o
}

// lab starts commands and compares the state with the imported profile.
type lab struct {
	*testing.T
	creds    string
	has      uint64 // the capabilities of this machine's root
	compared int
	refused  int
}

func newLab(t *testing.T) *lab {
	requires.Root(t)
	l := &lab{T: t, creds: creds(t)}
	out, err := exec.Command(l.creds).Output()
	if err != nil {
		t.Fatal(err)
	}
	l.has = parse(t, string(out)).permitted
	return l
}

// check starts a command line, in which CREDS is the program.
func (l *lab) check(text string) {
	l.Helper()
	text = strings.ReplaceAll(text, "CREDS", l.creds)
	r := Read(declared.File{Name: "line", Text: []byte(text)}, containers.Docker)
	if len(r.Processes) != 1 {
		l.Errorf("%s: %v", text, r.Findings)
		return
	}
	p := r.Processes[0]
	refused := slices.ContainsFunc(p.Findings, func(f policy.Diagnostic) bool {
		return f.Rule == "refused-by-platform" || f.Rule == "ignored-capability"
	})
	out, err := exec.Command("/bin/sh", "-c", text).CombinedOutput()
	if refused {
		l.refused++
		if err == nil && strings.Contains(string(out), "uids: ") {
			l.Errorf("%s: starts, but %v", text, p.Findings)
		}
		return
	}
	if err != nil {
		l.Errorf("%s: %v: %s", text, err, out)
		return
	}
	d, err := p.Document()
	if err != nil {
		l.Errorf("%s: %v", text, err)
		return
	}
	profile, found := policy.Parse("p", d.Text)
	if profile == nil {
		l.Errorf("%s: %v\n%s", text, found, d.Text)
		return
	}
	target := engine.OrdinaryTarget()
	accounts, err := machine.LookupAccounts(profile)
	if err != nil {
		l.Errorf("%s: %v\n%s", text, err, d.Text)
		return
	}
	target.Accounts = accounts
	plan, found := engine.Compile(profile, cred.Root(), target)
	if plan == nil {
		l.Errorf("%s: %v\n%s", text, found, d.Text)
		return
	}
	got, want := parse(l.T, string(out)), plan.AfterExec
	var bad []string
	compare := func(what string, got, want any) {
		if got != want {
			bad = append(bad, fmt.Sprintf("%s is %v, the profile has %v", what, got, want))
		}
	}
	compare("uid", got.uids, fmt.Sprint(want.UID, want.EUID, want.SUID, want.FSUID))
	compare("gid", got.gids, fmt.Sprint(want.GID, want.EGID, want.SGID, want.FSGID))
	wanted := strings.Trim(fmt.Sprint(want.Groups), "[]")
	if slices.ContainsFunc(p.Losses, func(l declared.Loss) bool { return strings.HasPrefix(l.What, "the process also has the primary group") }) {
		wanted += fmt.Sprint(" ", accounts.User.GID)
	}
	compare("groups", groupsWith(got.groups, want.EGID), groupsWith(wanted, want.EGID))
	lone := 0 // locks that a profile cannot have
	limited := false
	for _, loss := range p.Losses {
		if strings.HasPrefix(loss.What, "a profile cannot have the locks") {
			lone = 0xaa &^ 0x20
		}
		limited = limited || strings.HasPrefix(loss.What, "no_new_privs keeps")
	}
	for _, s := range []struct {
		what string
		got  uint64
		want cred.Caps
	}{
		{"inheritable", got.inheritable, want.Inheritable}, {"permitted", got.permitted, want.Permitted},
		{"effective", got.effective, want.Effective}, {"bounding", got.bounding, want.Bounding}, {"ambient", got.ambient, want.Ambient},
	} {
		if limited && (s.what == "permitted" || s.what == "effective") {
			continue
		}
		compare(s.what, fmt.Sprintf("%x", s.got), fmt.Sprintf("%x", uint64(s.want)&l.has))
	}
	compare("securebits", got.securebits&^uint64(lone), uint64(want.Securebits)&^uint64(lone))
	compare("no_new_privs", got.nnp == "1", want.NoNewPrivs)
	if bad != nil {
		l.Errorf("%s:\n%s\n%s", text, strings.Join(bad, "\n"), d.Text)
	}
	l.compared++
}

// groupsWith returns the groups of a list with another one: caprun always puts the primary
// group into the supplementary ones.
func groupsWith(list string, gid uint32) string {
	groups := []string{fmt.Sprint(gid)}
	for _, g := range strings.Fields(list) {
		if g != "none" {
			groups = append(groups, g)
		}
	}
	slices.Sort(groups)
	return strings.Join(slices.Compact(groups), " ")
}

// TestSetprivReally: the state of a program that setpriv starts is that of the imported
// profile, and what the reader says setpriv refuses does not start.
func TestSetprivReally(t *testing.T) {
	requires.Tool(t, "setpriv")
	l := newLab(t)
	for _, options := range []string{
		"", "--nnp", "--no-new-privs", "--reuid 1000", "--reuid=1000 --regid=1000 --clear-groups", "--reuid 1000 --regid 5 --groups 6,7,5",
		"--reuid daemon --regid daemon --init-groups", "--reuid 0 --init-groups", "--ruid 0 --init-groups", "--reuid root --init-groups", "--reuid daemon --init-groups", "--reuid daemon --regid 5 --init-groups",
		"--reuid root --regid 0 --clear-groups", "--regid 5 --clear-groups", "--regid 5 --keep-groups",
		"--groups 1,2", "--clear-groups",
		"--inh-caps +chown", "--inh-caps=+chown,+NET_RAW,-chown", "--inh-caps +cap_5", "--inh-caps -all",
		"--reuid 1000 --inh-caps +net_raw", "--reuid 1000 --inh-caps +net_raw --ambient-caps +net_raw", "--reuid 1000 --ambient-caps +net_raw",
		"--reuid 1000 --inh-caps +chown,+kill --ambient-caps +all", "--reuid 1000 --inh-caps +chown,+kill --ambient-caps +all,-kill",
		"--inh-caps +chown --ambient-caps +chown", "--bounding-set -all", "--bounding-set -all,+chown", "--bounding-set -sys_admin,-net_raw",
		"--bounding-set +chown", "--bounding-set -all --inh-caps +chown", "--bounding-set -kill --inh-caps +chown --ambient-caps +chown --reuid 5",
		"--reuid 1000 --bounding-set -all --nnp", "--securebits +noroot", "--securebits +noroot,+noroot_locked,+no_setuid_fixup",
		"--securebits +keep_caps_locked", "--securebits +noroot,-all,+noroot_locked", "--securebits +noroot --reuid 1000 --inh-caps +chown --ambient-caps +chown",
		"--securebits +noroot --inh-caps +chown --ambient-caps +chown --nnp", "--reset-env", "--pdeathsig keep", "--pdeathsig=TERM", "-- ", "--reui 1000", "--reuid 1000 --",
		// Refused.
		"--regid 5", "--reuid 1 --ruid 2", "--inh-caps chown", "--inh-caps +cap_chown", "--inh-caps +nothing", "--securebits +all", "--securebits +keep_caps",
		"--securebits noroot", "--groups '1,x y'", "--reuid 1 --reuid 2", "--clear-groups --groups 1", "--init-groups", "--reuid nobody-has-this-name --regid=",
		"--bounding-set -all,chown", "--ambient-caps +nothing", "--nnp --nnp",
	} {
		l.check("setpriv " + options + " CREDS a 'b c'")
	}
	if l.compared < 38 || l.refused < 12 {
		t.Errorf("%d compared, %d refused", l.compared, l.refused)
	}
	t.Logf("%d compared, %d refused", l.compared, l.refused)
}

// TestCapshReally: the same for capsh.
func TestCapshReally(t *testing.T) {
	requires.Tool(t, "capsh")
	l := newLab(t)
	for _, options := range []string{
		"", "--print", "--uid=1000", "--uid=0x10", "--keep=1 --uid=1000", "--user=daemon", "--user=root", "--gid=5", "--gid=5 --groups=1,2", "--groups=daemon",
		"--drop=cap_chown", "--drop=all", "--drop=CAP_CHOWN,cap_kill", "--caps=", "--caps==", "--caps=cap_chown=eip", "--caps=cap_chown=i",
		"--inh=cap_chown", "--inh=none", "--inh=cap_chown --addamb=cap_chown", "--inh=cap_chown,cap_kill --addamb=cap_chown,cap_kill --delamb=cap_kill",
		"--keep=1 --uid=1000 --caps=cap_chown=eip --addamb=cap_chown", "--inh=cap_chown --addamb=cap_chown --noamb", "--inh=cap_chown --addamb=cap_chown --uid=5",
		"--inh=cap_chown --cap-uid=1000 --addamb=cap_chown", "--cap-uid=1000", "--iab=^cap_chown,!cap_kill", "--iab=^cap_chown --uid=5", "--cap-uid=5 --iab=^cap_chown,%cap_kill",
		"--mode=NOPRIV", "--mode=PURE1E", "--mode=PURE1E_INIT", "--mode=HYBRID", "--inh=cap_chown --mode=PURE1E", "--inh=cap_chown --mode=PURE1E_INIT",
		"--secbits=0x2f", "--secbits=5", "--secbits=0x10 --uid=5", "--secbits=33 --caps=cap_setuid=p", "--no-new-privs", "--chroot=/", "--drop=cap_chown --uid=5 == --print",
		"--caps=cap_chown=p == --drop=cap_kill", "--secbits=4 --uid=7 --caps=cap_kill=eip --addamb=cap_kill",
		// Refused.
		"--caps=cap_setpcap,cap_setuid=p --secbits=1", "--addamb=cap_chown", "--caps=cap_chown=ep --uid=1000", "--drop=chown", "--uid=5 --drop=cap_chown", "--uid=nobody", "--keep=2", "--caps=cap_nothing=ep", "--iab=^nothing",
		"--mode=NONE", "--cap-uid=0 --gid=5", "--cap-uid=0 --caps=cap_setuid,cap_chown=eip --uid=5 --addamb=cap_chown", "--secbits=0xf --secbits=0", "--drop=cap_chown --caps=cap_chown= --inh=cap_chown", "--mode=PURE1E --iab=^cap_chown", "--user=nobody-has-this-name-here-at-all-of-them",
	} {
		l.check("capsh " + options + " --shell=CREDS -- a")
	}
	if l.compared < 40 || l.refused < 10 {
		t.Errorf("%d compared, %d refused", l.compared, l.refused)
	}
	t.Logf("%d compared, %d refused", l.compared, l.refused)
}

// TestRandomReally: random options, the seed of which is fixed.
func TestRandomReally(t *testing.T) {
	requires.Tool(t, "setpriv")
	requires.Tool(t, "capsh")
	l := newLab(t)
	random := rand.New(rand.NewPCG(7, 9))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	name := func() string { return pick("chown", "kill", "setpcap", "setuid", "setgid", "net_raw", "sys_admin") }
	signed := func() string {
		list := []string{}
		for range 1 + random.IntN(3) {
			list = append(list, pick("+", "+", "-")+pick(name(), name(), name(), "all"))
		}
		return strings.Join(list, ",")
	}
	full := func() string { return "cap_" + name() }
	for range requires.Rounds(60, 600) {
		text := "setpriv"
		for _, o := range []string{
			"--reuid=" + pick("0", "5", "1000"), "--regid=" + pick("0", "6") + " --clear-groups", "--nnp", "--inh-caps=" + strings.ReplaceAll(signed(), "+all", "+chown"), "--ambient-caps=" + signed(),
			"--bounding-set=" + signed(), "--securebits=" + pick("+", "-") + pick("noroot", "noroot_locked", "no_setuid_fixup", "keep_caps_locked"),
		} {
			if random.IntN(2) == 0 {
				text += " " + o
			}
		}
		l.check(text + " CREDS")
		text = "capsh"
		for range 1 + random.IntN(5) {
			text += " " + pick("--uid="+pick("0", "5"), "--cap-uid=5", "--gid=6", "--groups=1,2", "--keep="+pick("0", "1"), "--drop="+full()+","+full(), "--inh="+full()+","+full(),
				"--caps="+full()+","+full()+"="+pick("eip", "ep", "p", "i", "ip"), "--addamb="+full(), "--delamb="+full(), "--noamb", "--iab="+pick("^", "!", "%")+full()+","+pick("^", "!", "%")+full(),
				"--mode="+pick("PURE1E", "PURE1E_INIT", "HYBRID", "NOPRIV"), "--secbits="+pick("0", "1", "3", "4", "16", "0x2f"), "--no-new-privs", "==")
		}
		l.check(text + " --shell=CREDS --")
	}
	t.Logf("%d compared, %d refused", l.compared, l.refused)
}
