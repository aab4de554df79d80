package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/render"
	"caprun/internal/test/launches"
	"caprun/internal/test/platforms"
	"caprun/internal/test/requires"
	"caprun/policy"
	"caprun/profiles"
)

// The tests of this file run caprun and sealed launchers as the entrypoint of containers,
// with the runtimes runc and crun. The image has only these, static programs and profiles:
// no /etc, no shell, no libraries, and with crun no /proc. runc reads /proc/self/fd of the
// container before it starts anything, so with runc the proc file system is mounted.
//
// The containers have mount and PID namespaces and no cgroups, so they also start on
// machines that are containers themselves:
//
//   - The configuration has no limits and no linux.resources: raising a limit requires
//     cap_sys_resource.
//   - runc gets --no-new-keyring: the machine may have too few keyrings, or forbid them.
//   - crun gets --cgroup-manager=disabled. It still refuses a machine on which cgroup v2
//     is mounted next to v1, so it runs in a mount namespace without that mount.

// containerStart is one way to start a container with caprun as its entrypoint.
type containerStart struct {
	name string

	user       ociUser
	caps       ociCaps
	noNewPrivs bool
	readOnly   bool   // the root directory
	ids        uint32 // the number of IDs in the user namespace; 0 without one
	configMap  bool   // the profile is mounted as a ConfigMap of Kubernetes

	profile string // the argument of -profile
	caller  string // the same caller, for explain -as

	// refused are words of the message, if the launch is refused.
	refused []string
	// sealed is the message of the sealed launcher then, after the name of the profile.
	sealed string
	// unforeseen is set if explain does not refuse the launch, because -as does not
	// support user namespaces.
	unforeseen bool
}

// containerProfiles are the files of the image, by name.
func containerProfiles(t *testing.T) map[string]string {
	t.Helper()
	web, err := os.ReadFile(containerExample + "web.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"etc/caprun/web.yaml": string(web),
		"jail.yaml":           string(web) + "chroot: /jail\n",
		// The target's user needs only the granted capability.
		"ambient.yaml": "version: 1\ncaps: cap_net_bind_service=eip\nno_new_privs: true\n",
		"user.yaml":    "version: 1\nuid: 65532\ngid: 65532\ncaps: cap_net_bind_service=eip\nno_new_privs: true\n",
	}
}

// containerText returns the text of a profile of the image.
func containerText(t *testing.T, arg string) []byte {
	t.Helper()
	if name, ok := strings.CutPrefix(arg, "builtin:"); ok {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	return []byte(containerProfiles(t)[strings.TrimPrefix(arg, "/")])
}

// asRoot returns the capability sets of a container that starts as root.
func asRoot(names ...string) ociCaps {
	list := ociNames(names)
	return ociCaps{Bounding: list, Effective: list, Permitted: list}
}

// asOther returns the capability sets that Docker and Kubernetes grant another user: the
// added capabilities have no effect.
func asOther(names ...string) ociCaps {
	return ociCaps{Bounding: ociNames(names), Effective: []string{}, Permitted: []string{}}
}

// asAmbient returns the capability sets that Podman grants another user.
func asAmbient(names ...string) ociCaps {
	list := ociNames(names)
	return ociCaps{list, list, list, list, list}
}

func ociNames(names []string) []string {
	list := make([]string, len(names))
	for n, name := range names {
		list[n] = "CAP_" + name
	}
	return list
}

// containerStarts returns the ways that the tests try.
func containerStarts(t *testing.T) []containerStart {
	const web = "/etc/caprun/web.yaml"
	add := composeRecipe(t).Add
	named := composeRecipe(t).caller()
	without := func(name string) recipe {
		return recipe{Add: slices.DeleteFunc(slices.Clone(add), func(other string) bool { return other == name })}
	}
	nonroot := ociUser{UID: 65532, GID: 65532}
	docker := []string{
		"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
		"NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
	}
	inheritable := asRoot(add...)
	inheritable.Inheritable = inheritable.Bounding
	uninherited := asAmbient("NET_BIND_SERVICE")
	uninherited.Inheritable = nil
	list := []containerStart{
		{name: "the recipe", caps: asRoot(add...), profile: web, caller: named},
		{name: "the recipe, with no_new_privs", caps: asRoot(add...), noNewPrivs: true, profile: web, caller: named + " no_new_privs"},
		{name: "the recipe, with a read-only root directory", caps: asRoot(add...), noNewPrivs: true, readOnly: true, profile: web,
			caller: named + " no_new_privs"},
		{name: "builtin entrypoint", caps: asRoot(add...), noNewPrivs: true, profile: "builtin:entrypoint", caller: named + " no_new_privs"},
		// Engines without the fix of CVE-2022-24769.
		{name: "inheritable too", caps: inheritable, profile: web, caller: strings.Replace(named, "=ep", "=eip", 1)},
		{name: "groups", user: ociUser{Groups: []uint32{4, 27}}, caps: asRoot(add...), profile: web, caller: named + " groups=4,27"},
		{name: "the default of Docker", caps: asRoot(docker...), profile: web, caller: recipe{Add: docker}.caller()},
		{name: "change of root", caps: asRoot(append(slices.Clone(add), "SYS_CHROOT")...), profile: "/jail.yaml",
			caller: recipe{Add: append(slices.Clone(add), "SYS_CHROOT")}.caller()},
		{name: "a user namespace", ids: 65536, caps: asRoot(add...), profile: web, caller: named},
		{name: "a ConfigMap", configMap: true, caps: asRoot(add...), profile: web, caller: named},
		{name: "root without power", caps: asRoot("SETGID", "SETPCAP"), profile: "builtin:root-without-power", caller: "cap_setgid,cap_setpcap=ep"},
		{name: "ambient", user: nonroot, caps: asAmbient("NET_BIND_SERVICE"), profile: "/ambient.yaml",
			caller: "uid=65532 gid=65532 cap_net_bind_service=eip ambient=cap_net_bind_service bounding=cap_net_bind_service"},
		{name: "ambient, with no_new_privs", user: nonroot, caps: asAmbient("NET_BIND_SERVICE"), noNewPrivs: true, profile: "/ambient.yaml",
			caller: "uid=65532 gid=65532 cap_net_bind_service=eip ambient=cap_net_bind_service bounding=cap_net_bind_service no_new_privs"},
		// With uid and gid the groups are also [65532], as engines set them since the fix of
		// CVE-2022-36109.
		{name: "ambient, as the profile's user", user: ociUser{65532, 65532, []uint32{65532}}, caps: asAmbient("NET_BIND_SERVICE"), profile: "/user.yaml",
			caller: "uid=65532 gid=65532 groups=65532 cap_net_bind_service=eip ambient=cap_net_bind_service bounding=cap_net_bind_service"},
		// All that runAsNonRoot allows.
		{name: "nothing as another user", user: nonroot, caps: asOther(), noNewPrivs: true, profile: "builtin:unprivileged",
			caller: "uid=65532 gid=65532 bounding=none no_new_privs"},

		{name: "another user with the recipe", user: nonroot, caps: asOther(add...), profile: web,
			caller:  "uid=65532 gid=65532 bounding=cap_setuid,cap_setgid,cap_setpcap,cap_net_bind_service",
			refused: []string{"lacks cap_net_bind_service", "in a container: start as root with cap_net_bind_service; a non-root user gets no capabilities"},
			sealed:  "set the inheritable set: operation not permitted (EPERM)"},
		{name: "the profile's user with the recipe", user: ociUser{65532, 65532, []uint32{65532}}, caps: asOther(add...), profile: web,
			caller:  "uid=65532 gid=65532 groups=65532 bounding=cap_setuid,cap_setgid,cap_setpcap,cap_net_bind_service",
			refused: []string{"lacks cap_net_bind_service", "in a container: start as root with cap_net_bind_service"},
			sealed:  "set the inheritable set: operation not permitted (EPERM)"},
		{name: "a third user with the grant", user: ociUser{UID: 1000, GID: 1000}, caps: asOther("NET_BIND_SERVICE"), profile: web,
			caller:  "uid=1000 gid=1000 bounding=cap_net_bind_service",
			refused: []string{"needs cap_setgid", "a container: start as root with cap_setgid"},
			sealed:  "set gid 65532: operation not permitted (EPERM)"},
		{name: "a third user with the recipe", user: ociUser{UID: 1000, GID: 1000}, caps: asOther(add...), profile: web,
			caller:  "uid=1000 gid=1000 bounding=cap_setuid,cap_setgid,cap_setpcap,cap_net_bind_service",
			refused: []string{"in a container: start as root with cap_setgid; a non-root user gets no capabilities"},
			sealed:  "set gid 65532: operation not permitted (EPERM)"},
		{name: "another user with the grant", user: nonroot, caps: asOther("NET_BIND_SERVICE"), profile: "/ambient.yaml",
			caller:  "uid=65532 gid=65532 bounding=cap_net_bind_service",
			refused: []string{"cap_net_bind_service", "start as root with cap_net_bind_service"},
			sealed:  "set the inheritable set: operation not permitted (EPERM)"},
		// Runtimes drop an ambient capability that is not inheritable.
		{name: "ambient and not inheritable", user: nonroot, caps: uninherited, profile: "/ambient.yaml",
			caller:  "uid=65532 gid=65532 bounding=cap_net_bind_service",
			refused: []string{"cap_net_bind_service", "start as root with cap_net_bind_service"},
			sealed:  "set the inheritable set: operation not permitted (EPERM)"},
		{name: "a user namespace of one id", ids: 1, caps: asRoot(add...), profile: web, caller: named, unforeseen: true,
			refused: []string{"set groups 65532", "user namespace"},
			sealed:  "set groups: invalid argument (EINVAL)"},
	}
	steps := map[string]string{
		"SETUID": "set uid 65532", "SETGID": "set gid 65532", "SETPCAP": "drop from the bounding set", "NET_BIND_SERVICE": "set the inheritable set",
	}
	for _, name := range add {
		r := without(name)
		list = append(list, containerStart{
			name: "without " + name, caps: asRoot(r.Add...), profile: web, caller: r.caller(),
			refused: []string{"cap_" + strings.ToLower(name), "a container: cap_add"},
			sealed:  steps[name] + ": operation not permitted (EPERM)",
		})
	}
	return list
}

// eachRuntime runs a test with each runtime, in a directory with the images.
func eachRuntime(t *testing.T, test func(t *testing.T, r ociRuntime, dir string, images map[bool]string)) {
	t.Helper()
	// The modes of the files of an image matter.
	umask := syscall.Umask(0o022)
	t.Cleanup(func() { syscall.Umask(umask) })
	for _, name := range []string{"runc", "crun"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scriptRoot(t)
			r := newRuntime(t, name, dir)
			test(t, r, dir, containerImages(t, dir, r))
		})
	}
}

// TestContainers starts containers whose entrypoint is caprun. The caller of caprun has
// the credentials that the text for -as describes, the target has those that explain
// predicts for them, and a launch that explain refuses is refused with the same message.
func TestContainers(t *testing.T) {
	requires.Heavy(t)
	eachRuntime(t, func(t *testing.T, r ociRuntime, dir string, images map[bool]string) {
		for _, s := range containerStarts(t) {
			t.Run(s.name, func(t *testing.T) { s.test(t, r, dir, images) })
		}
	})
}

// test first runs creds as the entrypoint, and then caprun with creds as its target.
func (s containerStart) test(t *testing.T, r ociRuntime, dir string, images map[bool]string) {
	from, err := engine.ParseCaller(s.caller)
	if err != nil {
		t.Fatal(err)
	}
	config := s.config(r, dir, images)
	config.Process.Args = []string{"/creds"}
	began := r.run(t, config)
	if began.Status != 0 {
		t.Fatalf("creds ends with status %d: %s", began.Status, began.Stderr)
	}
	if faults := launches.ParseReport(began.Stdout).Compare(launches.Expect(from, false)); len(faults) > 0 {
		t.Fatalf("the caller differs from %s: %v", s.caller, faults)
	}

	p, found := policy.Parse(s.profile, containerText(t, s.profile))
	if p == nil {
		t.Fatal(found)
	}
	plan, found := engine.Compile(p, from, engine.OrdinaryTarget())
	config.Process.Args = []string{"/caprun", "-profile", s.profile, "--", "/creds"}
	got := r.run(t, config)
	if (plan == nil) != (s.refused != nil && !s.unforeseen) {
		t.Fatalf("explain reports %v", found)
	}
	defer s.testSealed(t, r, config, p, plan)
	if s.refused != nil {
		want := got.Stderr
		if plan == nil {
			d := found[0]
			want = fmt.Sprintf("caprun: %s\n", render.Located(d.File, d.Position, render.WithHint(d.Message, d.Hint)))
		}
		s.testRefusal(t, got, want)
		return
	}
	if got.Status != 0 || got.Stderr != "" {
		t.Fatalf("status %d: %s", got.Status, got.Stderr)
	}
	real := testTarget(t, plan, got)
	logStates(t, s.caller, from, launches.ParseReport(began.Stdout), plan.AfterExec, real)
}

// testTarget compares each field of the target's report with the prediction.
func testTarget(t *testing.T, plan *engine.Plan, got platforms.Container) launches.Report {
	t.Helper()
	real := launches.ParseReport(got.Stdout)
	want := launches.Expect(plan.AfterExec, plan.SecureExec)
	if faults := real.Compare(want); len(faults) > 0 {
		t.Errorf("the target differs from the prediction: %v", faults)
	}
	if root := real.Lines["root"]; plan.Profile.Chroot != "" && root != "creds" {
		t.Errorf("the target has the root directory %s", root)
	}
	if real.Lines["descriptors"] != "0 1 2" || real.Lines["cwd"] != "/" {
		t.Errorf("the target has the descriptors %s and the working directory %s", real.Lines["descriptors"], real.Lines["cwd"])
	}
	if want := "HOME=/"; plan.Caller.UID != plan.AfterExec.UID && !slices.Contains(real.Env, want) {
		t.Errorf("the environment is %q", real.Env)
	}
	return real
}

// testRefusal compares a refused launch with the message of explain.
func (s containerStart) testRefusal(t *testing.T, got platforms.Container, want string) {
	t.Helper()
	if got.Status != exitRefused || got.Stdout != "" {
		t.Errorf("status %d, output %q", got.Status, got.Stdout)
	}
	if got.Stderr != want {
		t.Errorf("the message is\n%sand that of explain\n%s", got.Stderr, want)
	}
	for _, text := range s.refused {
		if !strings.Contains(got.Stderr, text) {
			t.Errorf("the message lacks %q", text)
		}
	}
	t.Logf("%s\nstatus %d\n%s", s.caller, got.Status, got.Stderr)
}

// logStates logs the states of a launch, field by field.
func logStates(t *testing.T, caller string, from cred.Cred, began launches.Report, after cred.Cred, real launches.Report) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%-13s %-24s %-24s %-24s %s\n", caller, "", "caller, expected", "caller, reported", "target, predicted", "target, reported")
	begin, end := launches.Expect(from, false), launches.Expect(after, false)
	for _, field := range []string{
		"uids", "gids", "groups", "inheritable", "permitted", "effective", "bounding", "ambient", "securebits", "no_new_privs",
	} {
		fmt.Fprintf(&b, "%-13s %-24s %-24s %-24s %s\n", field, begin[field], began.Lines[field], end[field], real.Lines[field])
	}
	t.Log(b.String())
}

// config returns the configuration of the container.
func (s containerStart) config(r ociRuntime, dir string, images map[bool]string) ociConfig {
	c := ociConfig{
		Version: "1.0.2",
		Root:    ociRoot{images[s.ids > 0], s.readOnly},
		Mounts:  []ociMount{},
		Process: ociProcess{User: s.user, Env: []string{"PATH=/"}, Cwd: "/", Capabilities: s.caps, NoNewPrivileges: s.noNewPrivs},
		Linux:   ociLinux{Namespaces: []ociNamespace{{"mount"}, {"pid"}}},
	}
	if r.Proc || s.configMap {
		// The mount table makes a directory that everybody may write acceptable.
		c.Mounts = append(c.Mounts, ociMount{Destination: "/proc", Type: "proc", Source: "proc"})
	}
	if s.configMap {
		c.Mounts = append(c.Mounts, ociMount{"/etc/caprun", "bind", filepath.Join(dir, "config-map"), []string{"bind", "ro"}})
	}
	if s.ids > 0 {
		c.Linux.Namespaces = append(c.Linux.Namespaces, ociNamespace{"user"})
		c.Linux.UIDMappings = []ociMapping{{HostID: mappedRoot, Size: s.ids}}
		c.Linux.GIDMappings = c.Linux.UIDMappings
	}
	return c
}

// containerImages creates the root directories of containers: for the real root (false),
// and for the root of a user namespace (true).
func containerImages(t *testing.T, dir string, r ociRuntime) map[bool]string {
	t.Helper()
	images := map[bool]string{false: filepath.Join(dir, "image"), true: filepath.Join(dir, "mapped")}
	for mapped, image := range images {
		for _, d := range []string{"dev", "etc/caprun", "jail"} {
			makeDirectory(t, filepath.Join(image, d), 0o755)
		}
		if r.Proc {
			makeDirectory(t, filepath.Join(image, "proc"), 0o755)
		}
		for name, pkg := range map[string]string{"caprun": "cmd/caprun", "creds": "internal/test/creds", "server": "examples/web"} {
			text, err := os.ReadFile(program(t, "caprun/"+pkg))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(image, name), text, 0o755)
		}
		for name, text := range containerProfiles(t) {
			writeFile(t, filepath.Join(image, name), []byte(text), 0o644)
		}
		writeLaunchers(t, image)
		if err := os.Link(filepath.Join(image, "creds"), filepath.Join(image, "jail/creds")); err != nil {
			t.Fatal(err)
		}
		if !mapped {
			continue
		}
		err := filepath.WalkDir(image, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, mappedRoot, mappedRoot)
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	// A volume of Kubernetes: everybody may write it and its links, unless it is mounted
	// read-only.
	volume := filepath.Join(dir, "config-map")
	makeDirectory(t, filepath.Join(volume, "..version"), 0o755)
	makeDirectory(t, volume, 0o777)
	writeFile(t, filepath.Join(volume, "..version/web.yaml"), containerText(t, "/etc/caprun/web.yaml"), 0o644)
	for link, to := range map[string]string{"..data": "..version", "web.yaml": "..data/web.yaml"} {
		if err := os.Symlink(to, filepath.Join(volume, link)); err != nil {
			t.Fatal(err)
		}
	}
	return images
}

func makeDirectory(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	err := os.MkdirAll(path, 0o755)
	if err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path string, text []byte, mode fs.FileMode) {
	t.Helper()
	// Tests run in parallel: a child that another test starts must not have the program
	// open for writing.
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, text, mode)
	syscall.ForkLock.RUnlock()
	if err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}
