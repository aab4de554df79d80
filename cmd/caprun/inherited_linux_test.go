package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// attributeScene shows a row of "Inherited from the caller".
type attributeScene struct {
	caller  string   // settings of internal/test/runas
	before  []string // a program that starts runas
	through []string // a program between runas and the launch

	// observer is the program that reports the attribute: attributes, creds or grep,
	// and key the line of its report. Without them it is attributes and the name of
	// the row.
	observer, key string

	fixed bool // the attribute has one value only

	// absent are the errors of the settings where the kernel or the processor lacks
	// the attribute, or where root lacks a capability.
	absent []unix.Errno

	root bool // needs root
	jail bool // starts in a root directory with only the programs

	// keeps is the set of signals that a launch does not change.
	keeps uint64

	// forwarded says that the supervisor of -init passes it on in another way.
	forwarded bool
}

// signals returns a set of signals as /proc/PID/status has it.
func signals(numbers ...int) (set uint64) {
	for _, n := range numbers {
		set |= 1 << (n - 1)
	}
	return set
}

const allSignals = "1,2,3,4,5,6,7,8,10,11,12,13,14,15,16,17,18,20,21,22,23,24,25,26,27,28,29,30,31,35,64"

// attributeScenes has one scene for each row.
var attributeScenes = map[string]attributeScene{
	"user ID":                           {caller: "uid=1000", observer: "creds", key: "uids", root: true},
	"group ID":                          {caller: "gid=1000", observer: "creds", key: "gids", root: true},
	"supplementary groups":              {caller: "groups=7,8", observer: "creds", key: "groups", root: true},
	"audit user ID":                     {caller: "audit=4242", root: true},
	"session keyring":                   {caller: "key=inherited"},
	"default keyring of request_key(2)": {caller: "request-keyring=4"},

	"inheritable set":           {caller: "inheritable=0x400", observer: "creds", key: "inheritable", root: true},
	"ambient set":               {caller: "inheritable=0x400 keepcaps uid=1000 caps=0x400 ambient=0x400", observer: "creds", key: "ambient", root: true},
	"bounding set":              {caller: "bounding=0x4ff", observer: "creds", key: "bounding", root: true},
	"securebits":                {caller: "secbits=0x4", observer: "creds", key: "securebits", root: true},
	"no_new_privs":              {caller: "nnp", observer: "creds", key: "no_new_privs"},
	"seccomp filters":           {caller: "nnp forbid=setsid:1", observer: "grep", key: "Seccomp_filters"},
	"Landlock domain":           {caller: "nnp landlock", absent: []unix.Errno{unix.ENOSYS, unix.EOPNOTSUPP}},
	"LSM label":                 {fixed: true},
	"I/O port permissions":      {caller: "ports", absent: []unix.Errno{unix.ENOSYS, unix.EPERM}, root: true},
	"speculation control":       {caller: "speculation", absent: []unix.Errno{unix.ENODEV, unix.ENXIO, unix.EPERM}},
	"memory-deny-write-execute": {caller: "mdwe=1", absent: []unix.Errno{unix.EINVAL}},

	"process ID":           {caller: "pid", fixed: true},
	"parent":               {caller: "pid", fixed: true},
	"children":             {caller: "child"},
	"tracer":               {before: []string{"strace", "-o", "/dev/null", "-e", "trace=none"}, observer: "grep", key: "TracerPid"},
	"process group":        {caller: "group pid", fixed: true},
	"session":              {caller: "pid", fixed: true},
	"controlling terminal": {caller: "terminal"},
	"child subreaper":      {caller: "subreaper"},
	"parent-death signal":  {caller: "pdeathsig=10"},
	"namespaces":           {caller: "unshare=inherited pid", root: true},
	"cgroups":              {caller: "pids=1000:caprun-test-inherited", root: true, absent: []unix.Errno{unix.ENOENT, unix.EROFS, unix.EACCES, unix.EPERM}},
	"personality":          {caller: "personality=0x0040000"},
	"CPU time":             {caller: "burn=400"},

	"ignored SIGHUP, SIGINT, SIGCONT, SIGTSTP, SIGTTIN and SIGTTOU": {caller: "ignore=" + allSignals, observer: "grep", key: "SigIgn",
		keeps: signals(1, 2, 18, 20, 21, 22)},
	"blocked signals except SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGTERM, SIGCHLD, SIGURG, SIGPROF, SIGSYS, 32 to 34 and those of CPU exceptions": {
		caller: "block=" + allSignals + ",32,33,34", observer: "grep", key: "SigBlk",
		keeps: ^signals(1, 2, 3, 6, 15, 17, 23, 27, 31, 32, 33, 34, 4, 5, 7, 8, 11, 16)},
	"pending signals that stay blocked": {caller: "block=10", through: []string{"sh", "-c", `kill -USR1 $$; exec "$@"`, "sh"}, observer: "grep", key: "ShdPnd", forwarded: true},
	"interval timers":                   {caller: "timers=3600"},

	"nice value":             {caller: "nice=17"},
	"policy and priority":    {caller: "batch"},
	"CPU affinity":           {caller: "cpu=0"},
	"core-scheduling cookie": {caller: "cookie", absent: []unix.Errno{unix.EINVAL, unix.ENODEV}},
	"I/O priority":           {caller: "io=0x4007"},
	"I/O flusher":            {caller: "io-flusher", absent: []unix.Errno{unix.EINVAL, unix.EPERM}, root: true},
	"timer slack":            {caller: "slack=123456"},

	"NUMA policy":              {caller: "numa=1", absent: []unix.Errno{unix.ENOSYS}},
	"OOM score adjustment":     {caller: "oom=321"},
	"core-dump filter":         {caller: "core-filter=0x11"},
	"transparent huge pages":   {caller: "nothp"},
	"same-page merging":        {caller: "merge", absent: []unix.Errno{unix.EINVAL}},
	"memory-corruption policy": {caller: "corruption=1", absent: []unix.Errno{unix.EINVAL}},

	"resource limits": {caller: "limit=0:1000:2000 limit=1:1000000000:2000000000 limit=2:8000000000:9000000000 limit=3:4194304:8388608 " +
		"limit=4:0:1000 limit=5:1000000000:2000000000 limit=6:5000:6000 limit=7:200:300 limit=8:10000:20000 limit=9:80000000000:90000000000 " +
		"limit=10:100:200 limit=11:500:600 limit=12:4000:5000 limit=15:1000000000:2000000000", observer: "grep", key: "limits"},

	"root directory":     {jail: true, root: true},
	"working directory":  {caller: "cwd=/usr"},
	"umask":              {caller: "umask=037"},
	"descriptors 0 to 2": {caller: "fd=0:/etc/passwd"},
	"record locks on them, unless caprun reads the file": {caller: "fd=0:/etc/group lock"},

	"variables": {caller: "env=INHERITED=yes"},
}

// TestInherited compares each attribute that "explain" lists as inherited: a program
// reports it after a plain exec from a caller that has set it, after a launch of an
// empty profile, and after one with -init.
func TestInherited(t *testing.T) {
	requires.Heavy(t)
	profile := profileFile(t, "version: 1\n")
	direct, supervised := inheritedRows(t, profile), inheritedRows(t, "-init", profile)
	for _, row := range direct {
		if _, ok := attributeScenes[row]; !ok && row != "semaphore adjustments" { // TestInheritedSemaphore
			t.Errorf("no scene shows %q", row)
		}
	}
	for _, row := range slices.Sorted(maps.Keys(attributeScenes)) {
		scene := attributeScenes[row]
		t.Run(row, func(t *testing.T) {
			if !slices.Contains(direct, row) {
				t.Fatal("explain does not list it")
			}
			if scene.root {
				requires.Root(t)
			}
			if scene.key == "" {
				scene.observer, scene.key = "attributes", row
			}
			if scene.jail {
				scene.caller = makeJail(t, caprun(t), profile, program(t, "caprun/internal/test/"+scene.observer))
			}
			bare, ok := scene.report(t)
			if !ok && scene.isAbsent(bare) {
				t.Logf("not available here: %s", bare)
				scene.caller, scene.fixed = "", true
				bare, ok = scene.report(t)
			}
			if !ok {
				t.Fatal(bare)
			}
			other := scene
			other.caller, other.before, other.through = "", nil, nil
			if without, ok := other.report(t); !scene.fixed && (!ok || without == bare) {
				t.Fatalf("without the settings it is %q, and with them %q", without, bare)
			}
			want := bare
			if scene.keeps != 0 {
				set, err := strconv.ParseUint(bare, 16, 64)
				if err != nil || set&^scene.keeps == 0 {
					t.Fatalf("%q: %v", bare, err)
				}
				want = fmt.Sprintf("%016x", set&scene.keeps)
			}
			if got, ok := scene.report(t, caprun(t), "-profile", profile, "--"); !ok || got != want {
				t.Errorf("caprun passes on %q, and exec %q", got, want)
			}
			got, ok := scene.report(t, caprun(t), "-init", "-profile", profile, "--")
			switch {
			case !ok:
				t.Error(got)
			case slices.Contains(supervised, row) && got != want:
				t.Errorf("-init passes on %q, and exec %q", got, want)
			case !slices.Contains(supervised, row) && got == want && !scene.forwarded:
				t.Errorf("-init passes on %q, which explain does not list", got)
			}
		})
	}
}

// TestInheritedDocs: docs/launch.md has each row, and what -init leaves out.
func TestInheritedDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/launch.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## What the target inherits")
	profile := profileFile(t, "version: 1\n")
	supervised := inheritedRows(t, "-init", profile)
	for _, row := range inheritedRows(t, profile) {
		at := strings.Index(section, row)
		if at < 0 {
			t.Errorf("it lacks %q", row)
			continue
		}
		line, _, _ := strings.Cut(section[at:], "\n")
		columns := strings.Split(line, "|")
		if answer := strings.TrimSpace(columns[len(columns)-2]); strings.HasPrefix(answer, "yes") != slices.Contains(supervised, row) {
			t.Errorf("%q with -init: %q", row, answer)
		}
	}
}

// inheritedRows returns the rows that explain prints for the caller.
func inheritedRows(t *testing.T, args ...string) (names []string) {
	t.Helper()
	out, errs, status := outcome(t, exec.Command(caprun(t), append([]string{"explain", "-as", "current", "-format", "json"}, args...)...))
	var plan struct{ Inherited []struct{ Name string } }
	if err := json.Unmarshal([]byte(out), &plan); err != nil || status != 0 {
		t.Fatalf("status %d: %v\n%s", status, err, errs)
	}
	for _, i := range plan.Inherited {
		// The details of -init.
		name, _, _ := strings.Cut(i.Name, " without ")
		names = append(names, name)
	}
	return names
}

// report returns what the observer says about the attribute, or why there is nothing.
func (s attributeScene) report(t *testing.T, launch ...string) (value string, ok bool) {
	t.Helper()
	var observer []string
	switch s.observer {
	case "grep":
		// A program that is not Go's, and that does not change its own signals.
		file := "/proc/self/status"
		if s.key == "limits" {
			file = "/proc/self/limits"
		}
		observer = []string{requires.Tool(t, "grep"), "", file}
	default:
		observer = []string{program(t, "caprun/internal/test/"+s.observer)}
	}
	if len(s.before) > 0 {
		requires.Tool(t, s.before[0])
	}
	settings := strings.Fields(s.caller)
	if s.jail && s.caller != "" {
		launch, observer = inJail(launch), inJail(observer)
	}
	args := slices.Concat(s.before, []string{program(t, "caprun/internal/test/runas")}, settings, []string{"--"}, s.through, launch, observer)
	out, errs, status := outcome(t, exec.Command(args[0], args[1:]...))
	if dir := "/sys/fs/cgroup/pids/caprun-test-inherited"; strings.Contains(s.caller, "pids=") {
		_ = errors.Join(os.Remove(dir), os.Remove("/sys/fs/cgroup/caprun-test-inherited"))
	}
	if status != 0 {
		return fmt.Sprintf("status %d: %s", status, errs), false
	}
	if s.key == "limits" {
		return out, true
	}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if key != s.key {
			continue
		}
		value = strings.TrimSpace(value)
		if key == "TracerPid" {
			value = fmt.Sprint(value != "0")
		}
		return value, true
	}
	return "it does not report " + s.key, false
}

// isAbsent reports whether the text of a failed report says that the attribute is absent.
func (s attributeScene) isAbsent(text string) bool {
	return slices.ContainsFunc(s.absent, func(errno unix.Errno) bool {
		setting := s.caller[strings.LastIndex(s.caller, " ")+1:]
		return strings.TrimSpace(text) == fmt.Sprintf("status 99: runas: %s: %v", setting, errno)
	})
}

// TestInheritedAbsent: a scene that fails for another reason is not taken for one of an
// attribute that is absent.
func TestInheritedAbsent(t *testing.T) {
	scene := attributeScene{caller: "nnp landlock=1", absent: []unix.Errno{unix.ENOSYS}}
	for text, want := range map[string]bool{
		"status 99: runas: landlock=1: function not implemented\n": true,
		"status 99: runas: landlock=1: bad address\n":              false,
		"status 99: runas: nnp: function not implemented\n":        false,
		"status 1: function not implemented":                       false,
		"it does not report Landlock domain":                       false,
	} {
		if got := scene.isAbsent(text); got != want {
			t.Errorf("%q: got %t", text, got)
		}
	}
}

// makeJail makes a root directory with copies of files, and returns the setting.
func makeJail(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range files {
		setting := "copy=" + path + ":" + filepath.Join(dir, filepath.Base(path))
		if out, errs, status := outcome(t, exec.Command(program(t, "caprun/internal/test/runas"), setting)); status != 0 {
			t.Fatal(out, errs)
		}
	}
	return "chroot=" + dir
}

// inJail returns arguments with the paths that files have there.
func inJail(args []string) (list []string) {
	for _, arg := range args {
		if strings.HasPrefix(arg, "/") {
			arg = "/" + filepath.Base(arg)
		}
		list = append(list, arg)
	}
	return list
}

// TestInheritedSemaphore: a semaphore adjustment is not undone before the target ends,
// semop(2). With -init it is that of the supervisor, which ends with the target.
func TestInheritedSemaphore(t *testing.T) {
	scene := attributeScene{observer: "attributes", key: "semaphore adjustments"}
	profile := profileFile(t, "version: 1\n")
	control := func(id, command uintptr) int {
		value, _, errno := unix.Syscall6(unix.SYS_SEMCTL, id, 0, command, 0, 0, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		return int(value)
	}
	for _, launch := range [][]string{nil, {caprun(t), "-profile", profile, "--"}, {caprun(t), "-init", "-profile", profile, "--"}} {
		id, _, errno := unix.Syscall(unix.SYS_SEMGET, unix.IPC_PRIVATE, 1, 0o600)
		if errno != 0 {
			t.Fatal(errno)
		}
		const getVal, rmID = 12, 0
		scene.caller = fmt.Sprintf("semaphore=%d env=SEMAPHORE=%[1]d", id)
		if during, ok := scene.report(t, launch...); !ok || during != "1" {
			t.Errorf("%v: it is %s during the program", launch, during)
		}
		if after := control(id, getVal); after != 0 {
			t.Errorf("%v: it is %d after the program", launch, after)
		}
		control(id, rmID)
	}
	for _, flags := range [][]string{nil, {"-init"}} {
		if listed := slices.Contains(inheritedRows(t, append(flags, profile)...), scene.key); listed != (flags == nil) {
			t.Errorf("%v: explain lists it: %v", flags, listed)
		}
	}
}

// TestInheritedLock: a process that closes a file loses its record locks on it,
// fcntl(2), and caprun reads the profile.
func TestInheritedLock(t *testing.T) {
	profile := profileFile(t, "version: 1\n")
	scene := attributeScene{caller: "fd=0:" + profile + " lock", observer: "attributes", key: "record locks on them, unless caprun reads the file"}
	if bare, ok := scene.report(t); !ok || bare == "" {
		t.Fatal(bare)
	}
	if got, ok := scene.report(t, caprun(t), "-profile", profile, "--"); !ok || got != "" {
		t.Errorf("it has %q", got)
	}
}

// TestInheritedScheduling: -init starts a child, which SCHED_RESET_ON_FORK of
// sched(7) changes.
func TestInheritedScheduling(t *testing.T) {
	scene := attributeScene{caller: "scheduler=0x40000003:0", observer: "attributes", key: "policy and priority"}
	profile := profileFile(t, "version: 1\n")
	bare, _ := scene.report(t)
	if !strings.Contains(bare, "Policy:3 Flags:1") {
		t.Fatal(bare)
	}
	if got, _ := scene.report(t, caprun(t), "-profile", profile, "--"); got != bare {
		t.Errorf("%s, and not %s", got, bare)
	}
	if got, _ := scene.report(t, caprun(t), "-init", "-profile", profile, "--"); got != strings.Replace(bare, "Flags:1", "Flags:0", 1) {
		t.Errorf("with -init %s, and not %s", got, bare)
	}
}
