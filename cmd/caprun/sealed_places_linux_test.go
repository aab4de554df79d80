package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/launches"
	"caprun/internal/test/requires"
	"caprun/policy"
	"caprun/profiles"
	"caprun/seal"
)

// sealedPlace is a state of the caller, or of the machine.
type sealedPlace struct {
	name   string
	caller []string // settings of internal/test/runas

	// little is set if caprun and the target need more than there is: caprun starts without
	// these settings, and only the credentials of the targets are compared.
	little bool
}

// dockerFilter are the calls of a launcher that Docker's default seccomp profile refuses, and
// dockerCaps the capabilities of its containers.
var (
	dockerFilter = []string{"forbid=keyctl:1", "forbid=add_key:1", "forbid=request_key:1", "forbid=statmount:38"}
	dockerCaps   = []string{"bounding=0xa80425fb", "caps=0xa80425fb"}
)

var sealedPlaces = []sealedPlace{
	{name: "root"},
	{name: "user", caller: []string{"nobody"}},
	{name: "user with capabilities", caller: []string{"inheritable=0x480", "keepcaps", "groups=", "gid=3302", "uid=3301", "caps=0x480", "ambient=0x480"}},
	{name: "user namespace with one ID", caller: []string{"userns=0"}},
	{name: "user namespace with 65536 IDs", caller: []string{"userns=0:100000:65536"}},
	{name: "no /proc", caller: []string{"mounts", "tmpfs=/proc"}},
	{name: "no /proc, /dev and /sys", caller: []string{"mounts", "tmpfs=/proc", "tmpfs=/dev", "tmpfs=/sys"}},
	{name: "Docker's filter and capabilities", caller: slices.Concat(dockerFilter, dockerCaps)},
	{name: "Docker's filter, user", caller: slices.Concat(dockerFilter, []string{"nobody"})},
	{name: "four descriptors", caller: []string{"nofile=4"}, little: true},
	{name: "parent-death signal", caller: []string{"pdeathsig=10"}},
	{name: "session keyring with a key", caller: []string{"key=foreign"}},
	{name: "open descriptors", caller: []string{"fd=3:/", "fd=5:/etc/passwd", "fd=200:/"}},
	{name: "umask and limits", caller: []string{"umask=077", "limit=4:0:0", "soft-nofile=64"}},
	{name: "locked securebits", caller: []string{"secbits=0xef"}},
	{name: "empty bounding set", caller: []string{"bounding=0"}},
	{name: "no_new_privs", caller: []string{"nnp"}},
	{name: "different user IDs", caller: []string{"uid=0,3301,0"}},
	{name: "other mount namespace", caller: []string{"foreign=$DIR"}},
	{name: "Landlock", caller: []string{"nnp", "landlock"}},
	{name: "nosuid", caller: []string{"mounts", "nosuid=$DIR"}},
	{name: "repeated variables", caller: []string{"env-again=PATH=/second", "env-again=HOME=/again", "env-again=LD_PRELOAD=x", "env-again=novalue"}},
	{name: "no variables", caller: []string{"noenv"}},
}

// TestSealedPlaces starts each built-in profile, and some others, with caprun and with a
// sealed launcher, in each place. Both have the same status, and their targets the same
// state. Without CAPRUN_TEST_HEAVY it does so with some of the profiles.
func TestSealedPlaces(t *testing.T) {
	requires.Root(t)
	s := newSealedRunner(t)
	texts := map[string]string{
		"every step": strings.ReplaceAll(faultProfile, "$DIR", s.dir),
		"inherit":    "version: 1\nenv: {keep: all}\n",
		"session":    "version: 1\nuid: 3301\ngid: 3302\ncaps: '='\nnew_session: true\n",
		"keyring":    "version: 1\nuid: 3301\ngid: 3302\ncaps: '='\nkeyring: inherit\n",
	}
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		texts["builtin "+name] = string(text)
	}
	if !requires.IsHeavy() {
		maps.DeleteFunc(texts, func(name, _ string) bool {
			return !slices.Contains([]string{"every step", "session", "builtin web", "builtin unprivileged"}, name)
		})
	}
	outcomes := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		profile, launcher, err := s.seal(texts[name])
		if err != nil {
			outcomes["not sealed"]++
			t.Logf("%s: %v", name, err)
			continue
		}
		target := s.dir + "/creds"
		if strings.Contains(texts[name], "\nchroot: ") {
			target = "/creds"
		}
		for _, place := range sealedPlaces {
			outcome, fault := s.compare(place, profile, launcher, target)
			outcomes[outcome]++
			if fault != "" {
				t.Errorf("%s, %s: %s", name, place.name, fault)
			}
		}
	}
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%4d %s", outcomes[outcome], outcome)
	}
}

// faultProfile uses every step but new_session.
const faultProfile = `version: 1
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
env: {keep: [PATH], set: {A: b}}
`

// sealedRunner runs launches of caprun and of sealed launchers.
type sealedRunner struct {
	dir, bin string
	sealed   int
}

func newSealedRunner(t *testing.T) *sealedRunner {
	t.Helper()
	s := &sealedRunner{dir: scriptRoot(t), bin: filepath.Dir(caprun(t))}
	for _, pkg := range []string{"internal/test/creds", "internal/test/runas"} {
		program(t, "caprun/"+pkg)
	}
	umask := syscall.Umask(0o022)
	defer syscall.Umask(umask)
	if err := os.MkdirAll(filepath.Join(s.dir, "jail/srv"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, status := s.run("copy=$BIN/creds:$DIR/creds", "copy=$BIN/creds:$DIR/jail/creds"); status != 0 {
		t.Fatal(out.messages)
	}
	return s
}

// seal writes a profile and its launcher, and returns their paths.
func (s *sealedRunner) seal(text string) (profile, launcher string, err error) {
	s.sealed++
	profile = filepath.Join(s.dir, fmt.Sprintf("profile-%d.yaml", s.sealed))
	launcher = strings.TrimSuffix(profile, ".yaml")
	parsed, diagnostics := policy.Parse(profile, []byte(text))
	if parsed == nil {
		return "", "", fmt.Errorf("%v", diagnostics)
	}
	file, err := seal.Seal(parsed, seal.Options{Root: "/"})
	if err != nil {
		return "", "", err
	}
	umask := syscall.Umask(0o022)
	defer syscall.Umask(umask)
	// A child that is started meanwhile must not have the file open for writing.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(profile, []byte(text), 0o644); err != nil {
		return "", "", err
	}
	return profile, launcher, os.WriteFile(launcher, file, 0o755)
}

// run runs internal/test/runas.
func (s *sealedRunner) run(args ...string) (printed, int) {
	expand := strings.NewReplacer("$DIR", s.dir, "$BIN", s.bin)
	cmd := exec.Command(filepath.Join(s.bin, "runas"))
	for _, a := range args {
		cmd.Args = append(cmd.Args, expand.Replace(a))
	}
	cmd.Env, cmd.Dir = launchEnv, s.dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	out := printed{stdout.String(), stderr.String()}
	if cmd.ProcessState == nil {
		out.messages += err.Error()
		return out, -1
	}
	return out, cmd.ProcessState.ExitCode()
}

// compare starts a target in a place with both.
func (s *sealedRunner) compare(place sealedPlace, profile, launcher string, target ...string) (outcome, fault string) {
	sealed, status := s.run(slices.Concat(place.caller, []string{"--", launcher, "--"}, target)...)
	caller := place.caller
	if place.little {
		caller = nil
	}
	full, fullStatus := s.run(slices.Concat(caller, []string{"--", "$BIN/caprun", "-profile", profile, "--"}, target)...)
	switch {
	case status == 99:
		return "fault", "the place: " + sealed.messages
	case status == 0 && fullStatus == 0:
		want, report := launches.ParseReport(full.text), launches.ParseReport(sealed.text)
		if place.little {
			credentials := launches.Expect(cred.Cred{}, false)
			maps.DeleteFunc(want.Lines, func(name, _ string) bool { return credentials[name] == "" })
		}
		if faults := compareReports(want, report); faults != nil {
			return "fault", strings.Join(faults, "; ")
		}
		return launched, ""
	case status == 0 && strings.Contains(full.messages, "cannot determine whether the caller has a controlling terminal"):
		// A sealed launcher does not ask where setsid(2) works.
		return "refused only by caprun: it cannot determine whether there is a terminal", ""
	case status != fullStatus:
		return "fault", fmt.Sprintf("status %d (%s), and %d of caprun (%s)", status, sealed.messages, fullStatus, full.messages)
	case status < exitRefused || status > exitNotFound || sealed.text != "" || strings.Count(sealed.messages, "\n") != 1:
		return "fault", fmt.Sprintf("status %d, output %q, message %q", status, sealed.text, sealed.messages)
	}
	return fmt.Sprintf("refused: %d", status), ""
}
