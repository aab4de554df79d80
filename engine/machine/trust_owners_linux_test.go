package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"caprun/cap"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"
)

// trustOwners drops the capabilities in its environment, and prints what ReadTrusted returns
// for each file there.
func trustOwners() {
	set, err := cap.GetPID(0)
	for name := range strings.FieldsSeq(os.Getenv("LOSE")) {
		value, parseErr := cap.FromName(name)
		err = errors.Join(err, parseErr, set.SetFlag(cap.Effective, false, value))
	}
	if err := errors.Join(err, set.SetProc()); err != nil {
		fmt.Println(err)
		return
	}
	for path := range strings.FieldsSeq(os.Getenv(stepsVariable)) {
		text, err := ReadTrusted(path, 100, true)
		fmt.Printf("%s: %s %v\n", filepath.Base(path), text, err)
	}
}

// TestReadTrustedUnmapped reads profiles in user namespaces whose root is the user 100000
// outside, so that the owner of / is unmapped.
func TestReadTrustedUnmapped(t *testing.T) {
	requires.Root(t)
	t.Setenv("SUDO_UID", "")
	const host, nobody = 100000, 65534
	base := t.TempDir()
	at := func(name string) string { return filepath.Join(base, name) }
	err := errors.Join(os.Chmod(base, 0o755), os.Chmod(filepath.Dir(base), 0o755))
	type owned struct {
		name     string
		uid, gid int
		mode     os.FileMode
	}
	for _, d := range []owned{
		{"searched", 0, 0, 0o711}, {"searched-group", 0, host + 5, 0o711}, {"sticky", 0, 0, os.ModeSticky | 0o777},
	} {
		err = errors.Join(err, os.Mkdir(at(d.name), 0o755), os.Chown(at(d.name), d.uid, d.gid), os.Chmod(at(d.name), d.mode))
	}
	files := []owned{
		{"root", host, host, 0o644}, {"user", host + 5, host, 0o644}, {"outside", 5, 5, 0o644}, {"outside-group", 5, host + 5, 0o644},
		// A service that runs as nobody; in a set-group-ID directory its files have
		// the directory's group, which need not be mapped.
		{"nobody", host + nobody, host + nobody, 0o644}, {"nobody-group", host + nobody, 0, 0o644},
		{"outside-writable", 5, 5, 0o646}, {"nobody-writable", host + nobody, host, 0o646},
		{"searched/below", host, host, 0o644}, {"searched-group/below-group", host, host, 0o644},
		{"sticky/entry", 5, 5, 0o644}, {"sticky/entry-nobody", host + nobody, 5, 0o644},
	}
	var paths []string
	for _, f := range files {
		err = errors.Join(err, os.WriteFile(at(f.name), []byte("text"), 0o644), os.Chown(at(f.name), f.uid, f.gid), os.Chmod(at(f.name), f.mode))
		paths = append(paths, at(f.name))
	}
	for link, uid := range map[string]int{"link": 5, "sticky/sticky-link": 5} {
		err = errors.Join(err, os.Symlink(at("root"), at(link)), os.Lchown(at(link), uid, uid))
		paths = append(paths, at(link))
	}
	if err != nil {
		t.Fatal(err)
	}
	const (
		user    = "belongs to uid 5, who could change it; chown root "
		service = "belongs to uid 65534, who could change it; chown root "
		unknown = "belongs to uid 65534 or to an unmapped user, and caprun cannot determine which without cap_fowner in effect, a local file system and the permission to read; pass the profile with -profile -"
		link    = "belongs to uid 65534 or to an unmapped user, and caprun cannot determine which for a symbolic link; name the file without the link, or pass the profile with -profile -"
		world   = "is writable by everyone; chmod o-w "
	)
	for _, c := range []struct {
		name     string
		ids      int
		lose     string
		expected map[string]string // of the files that are refused
	}{
		{"wide", 65536, "", map[string]string{
			"user": user, "nobody": service, "nobody-group": service, "outside-writable": world, "nobody-writable": service,
			"below": unknown, "entry-nobody": service, "sticky-link": link,
		}},
		// With a narrow map, all unmapped users look the same, as documented.
		{"narrow", 65534, "", map[string]string{"user": user, "outside-writable": world, "nobody-writable": world}},
		// A denied write proves something only if the group is mapped. That of no
		// directory above the files is.
		{"wide without cap_fowner", 65536, "cap_fowner", map[string]string{"": unknown}},
		{"wide without cap_dac_override", 65536, "cap_dac_override", map[string]string{
			"user": user, "nobody": service, "nobody-group": service, "outside-writable": world, "nobody-writable": service,
			"below": unknown, "below-group": unknown, "entry-nobody": service, "sticky-link": link,
		}},
		{"narrow without capabilities", 65534, "cap_fowner cap_dac_override", map[string]string{"user": user, "outside-writable": world, "nobody-writable": world}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := reexec.Run(t, "trust owners", func(cmd *exec.Cmd) {
				cmd.Env = append(cmd.Env, "LOSE="+c.lose, stepsVariable+"="+strings.Join(paths, " "))
				ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: host, Size: c.ids}}
				cmd.SysProcAttr = &syscall.SysProcAttr{
					Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids,
					GidMappingsEnableSetgroups: true, Credential: &syscall.Credential{},
				}
			})
			lines := strings.Split(strings.TrimSuffix(got.Stdout, "\n"), "\n")
			if len(lines) != len(paths) || got.Stderr != "" {
				t.Fatalf("status %d\n%s%s", got.Status, got.Stdout, got.Stderr)
			}
			for _, line := range lines {
				name, answer, _ := strings.Cut(line, ": ")
				refused, ok := c.expected[name]
				if !ok {
					refused, ok = c.expected[""]
				}
				if !ok && answer != "text <nil>" || ok && !strings.Contains(answer, refused) {
					t.Errorf("%s: %s, not %q", name, answer, refused)
				}
			}
		})
	}
}

// TestReadTrustedCaller reads as callers whose real uid is not 0.
func TestReadTrustedCaller(t *testing.T) {
	requires.Root(t)
	base := t.TempDir()
	err := errors.Join(os.Chmod(base, 0o755), os.Chmod(filepath.Dir(base), 0o755))
	var paths []string
	for name, uid := range map[string]int{"root": 0, "own": 3301, "other": 5, "directory/below": 0} {
		path := filepath.Join(base, name)
		dir := filepath.Dir(path)
		if dir != base {
			err = errors.Join(err, os.Mkdir(dir, 0o755), os.Chown(dir, 3301, 3301))
		}
		err = errors.Join(err, os.WriteFile(path, []byte("text"), 0o644), os.Chown(path, uid, uid))
		paths = append(paths, path)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, sudo := range []int{3301, 5} {
		// SUDO_UID applies only if the real uid is 0.
		t.Setenv("SUDO_UID", strconv.Itoa(sudo))
		got := reexec.Run(t, "trust owners", func(cmd *exec.Cmd) {
			cmd.Env = append(cmd.Env, stepsVariable+"="+strings.Join(paths, " "))
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 3301, Gid: 3301}}
		})
		const own = "belongs to uid 3301, the caller's own, and processes of that user without the caller's capabilities could change it; " +
			"copy the profile to /etc/caprun as root, pass it with -profile -, or start caprun with sudo(8)"
		for _, want := range []string{"root: text <nil>", "own:  " + base + "/own " + own, "other:  " + base + "/other belongs to uid 5, who could change it; chown root ", "below:  " + base + "/directory " + own} {
			if !strings.Contains(got.Stdout, want) {
				t.Errorf("SUDO_UID=%d: %s\nnot %s", sudo, got.Stdout, want)
			}
		}
	}
}
