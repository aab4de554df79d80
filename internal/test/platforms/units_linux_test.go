//go:build linux

package platforms

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/requires"
	"caprun/platform/declared"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// creds is the path of the program internal/test/creds in the root of the tests, and report
// the command that prints the credentials and then the limits.
const (
	creds  = "/platform/creds"
	report = creds + " -exec /bin/cat /proc/self/limits"
)

// buildCreds returns the program creds.
func buildCreds(t *testing.T) File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "creds")
	c := exec.Command(requires.Tool(t, "go"), "build", "-o", path, "caprun/internal/test/creds")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return File{text, 0o755}
}

// accounts are a user database.
type accounts struct{ passwd, group string }

// find looks up the user and the groups of a profile.
func (a accounts) find(p *policy.Profile) (*machine.Accounts, error) {
	return machine.FindAccounts(p, func(name string) ([]byte, error) {
		if name == "etc/passwd" {
			return []byte(a.passwd), nil
		}
		return []byte(a.group), nil
	})
}

// plan compiles the profile of a process, as it would be written and read again.
func plan(p *declared.Process, a accounts) (*engine.Plan, error) {
	d, err := p.Document()
	if err != nil {
		return nil, err
	}
	profile, found := policy.Parse(p.Name, d.Text)
	if profile == nil {
		return nil, fmt.Errorf("%v\n%s", found, d.Text)
	}
	entries, err := a.find(profile)
	if err != nil {
		return nil, err
	}
	target := engine.OrdinaryTarget()
	target.Accounts = entries
	made, found := engine.Compile(profile, cred.Root(), target)
	if made == nil {
		return nil, fmt.Errorf("%v\n%s", found, d.Text)
	}
	return made, nil
}

// state is what creds and /proc/self/limits report.
type state struct {
	values map[string]string // one line each
	env    []string          // names
	set    map[string]string // variables
	limits map[string]string // "soft hard"
}

// limitLine is a line of /proc/PID/limits.
var limitLine = regexp.MustCompile(`^Max ([a-z ]+?)  +(\S+) +(\S+)`)

// limitNames are the names of limits in /proc/PID/limits.
var limitNames = map[string]string{
	"cpu time": "cpu", "file size": "fsize", "data size": "data", "stack size": "stack", "core file size": "core",
	"resident set": "rss", "processes": "nproc", "open files": "nofile", "locked memory": "memlock",
	"address space": "as", "file locks": "locks", "pending signals": "sigpending", "msgqueue size": "msgqueue",
	"nice priority": "nice", "realtime priority": "rtprio", "realtime timeout": "rttime",
}

func parseState(text string) state {
	s := state{values: map[string]string{}, set: map[string]string{}, limits: map[string]string{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := limitLine.FindStringSubmatch(line); m != nil {
			s.limits[limitNames[m[1]]] = m[2] + " " + m[3]
			continue
		}
		name, value, ok := strings.Cut(line, ": ")
		switch {
		case !ok:
		case name == "env":
			variable, text, _ := strings.Cut(value, "=")
			s.env = append(s.env, variable)
			s.set[variable] = text
		default:
			s.values[name] = value
		}
	}
	return s
}

// ownVariables are the variables that systemd sets and an imported profile does not: see
// package systemd.
var ownVariables = []string{
	"HOME", "LOGNAME", "USER", "SHELL", "LANG", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "NOTIFY_SOCKET",
	"MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
	"SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS", "SYSTEMD_NSS_DYNAMIC_BYPASS",
}

// differences compares what a process reports with a plan, field by field. manager has the
// capabilities that the manager of the test has.
func (s state) differences(p *engine.Plan, manager cred.Caps) []string {
	var list []string
	differ := func(field, want, got string) {
		if want != got {
			list = append(list, fmt.Sprintf("%s: profile %s, process %s", field, want, got))
		}
	}
	c := p.AfterExec
	ids := func(n ...uint32) string { return strings.Trim(fmt.Sprint(n), "[]") }
	set := func(c cred.Caps) string { return fmt.Sprintf("%x", uint64(c.Intersect(manager))) }
	differ("uids", ids(c.UID, c.EUID, c.SUID, c.FSUID), s.values["uids"])
	differ("gids", ids(c.GID, c.EGID, c.SGID, c.FSGID), s.values["gids"])
	// The supplementary groups of caprun always have the gid; those of systemd have it if
	// they come from the group database. It is no other privilege.
	differ("groups", withoutGID(ids(c.Groups...), c.GID), withoutGID(s.values["groups"], c.GID))
	differ("inheritable", set(c.Inheritable), s.values["inheritable"])
	differ("permitted", set(c.Permitted), s.values["permitted"])
	differ("effective", set(c.Effective), s.values["effective"])
	differ("bounding", set(c.Bounding), s.values["bounding"])
	differ("ambient", set(c.Ambient), s.values["ambient"])
	differ("securebits", fmt.Sprintf("%x", uint32(c.Securebits)), s.values["securebits"])
	nnp := map[bool]string{false: "0", true: "1"}
	differ("no_new_privs", nnp[c.NoNewPrivs], s.values["no_new_privs"])
	differ("session", "its own", s.values["session"])
	profile := p.Profile
	if profile.Umask != nil {
		differ("umask", fmt.Sprintf("%04o", *profile.Umask), s.values["umask"])
	}
	if profile.Cwd != "" {
		differ("cwd", profile.Cwd, s.values["cwd"])
	}
	list = append(list, s.limitDifferences(profile)...)
	return append(list, s.variableDifferences(profile)...)
}

// withoutGID returns groups without one of them.
func withoutGID(groups string, gid uint32) string {
	list := slices.DeleteFunc(strings.Fields(groups), func(g string) bool { return g == fmt.Sprint(gid) || g == "none" })
	return strings.Join(list, " ")
}

func (s state) limitDifferences(p *policy.Profile) []string {
	var list []string
	for _, l := range p.Rlimits {
		got, ok := s.limits[l.Name]
		if !ok {
			continue // the program could not print them
		}
		want := policy.LimitText(l.Soft) + " " + policy.LimitText(l.Hard)
		// systemd lowers a limit above the hard limit of a manager without
		// CAP_SYS_RESOURCE: setrlimit_closest.
		if most, ok := hardLimit(l.Name); ok {
			want = policy.LimitText(min(l.Soft, most)) + " " + policy.LimitText(min(l.Hard, most))
		}
		if got != want {
			list = append(list, fmt.Sprintf("limit %s: profile %s, process %s", l.Name, want, got))
		}
	}
	return list
}

// hardLimit returns the hard limit of this process, which the manager inherits.
func hardLimit(name string) (uint64, bool) {
	for line := range strings.Lines(readText("/proc/self/limits")) {
		if m := limitLine.FindStringSubmatch(line); m != nil && limitNames[m[1]] == name {
			n, err := strconv.ParseUint(m[3], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

func readText(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func (s state) variableDifferences(p *policy.Profile) []string {
	var list []string
	for name, value := range p.Env.Set {
		switch got, ok := s.set[name]; {
		case !ok:
			list = append(list, "env: the process does not have "+name)
		case name == "PATH" && strings.HasPrefix(got, value): // Debian appends /sbin and /bin
		case got != value && !strings.Contains(value+got, "\n"):
			list = append(list, fmt.Sprintf("env %s: profile %q, process %q", name, value, got))
		}
	}
	for _, name := range s.env {
		if _, set := p.Env.Set[name]; !set && !slices.Contains(p.Env.Keep, name) && !slices.Contains(ownVariables, name) {
			list = append(list, "env: the profile does not have "+name)
		}
	}
	for _, name := range p.Env.Unset {
		if slices.Contains(s.env, name) {
			list = append(list, "env: the process has "+name)
		}
	}
	return list
}

// managerCaps returns the capabilities that the manager of a test has: those in the
// bounding set of this process.
func managerCaps(t *testing.T) cred.Caps {
	t.Helper()
	var set cred.Caps
	for n := range int(cap.NamedCount) {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if has == 1 {
			set = set.With(n)
		}
	}
	return set
}
