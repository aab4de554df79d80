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

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// mountScenes are the steps of a child in a new mount namespace before it reads p.yaml below
// the directory v. v is a read-only mount of the directory volume on a file system that is
// mounted at fs. Everyone may write volume, volume/open and, in some scenes, the file.
var mountScenes = map[string]struct {
	steps   string
	path    string // if empty, v/p.yaml
	refused string // part of the error; $B stands for the directory of the scene
}{
	// The file system is mounted for writing elsewhere.
	"whole file system": {steps: "bind:fs/volume:v ro:v", refused: "$B/v is writable by everyone through $B/fs/volume; chmod o-w $B/fs/volume, or pass the profile with -profile -"},
	"same directory":    {steps: "bind:fs/volume:w bind:fs/volume:v ro:v umount:fs", refused: "$B/v is writable by everyone through $B/w; chmod o-w $B/w, "},
	"directory above":   {steps: "bind:fs/volume:w bind:fs/volume/open:v ro:v umount:fs", refused: "$B/v is writable by everyone through $B/w/open; "},
	"hidden by another": {steps: "bind:fs/volume:v bind:fs/volume:v ro:v umount:fs", refused: "$B/v is writable by everyone through another mount, which is hidden; chmod o-w $B/v where it is mounted for writing, or pass the profile with -profile -"},
	"access list":       {steps: "chmod:0755:fs/volume acl:fs/volume bind:fs/volume:v ro:v", refused: "$B/v is writable by uid 5 (an access control list) through $B/fs/volume; setfacl -b $B/fs/volume, "},
	"group":             {steps: "chmod:0775:fs/volume chgrp:fs/volume bind:fs/volume:v ro:v", refused: "$B/v is writable by group 7 through $B/fs/volume; chmod g-w $B/fs/volume, "},
	"subdirectory": {steps: "bind:fs/volume/open:w bind:fs/volume:v ro:v umount:fs", path: "v/open/p.yaml",
		refused: "$B/v/open is writable by everyone through $B/w; "},
	"names": {steps: `rename:fs/volume:fs/a\040b\011\134c bind:fs/a\040b\011\134c:w\040x bind:fs/a\040b\011\134c:v ro:v umount:fs`,
		refused: `$B/v is writable by everyone through $B/w x; chmod o-w '$B/w x', `},

	// It is not mounted for writing elsewhere: a ConfigMap beside /etc/hosts, both on the
	// disk of the node.
	"ConfigMap":          {steps: "bind:fs/hosts:hosts bind:fs/volume:v ro:v umount:fs"},
	"read-only twice":    {steps: "bind:fs/volume:w ro:w bind:fs/volume:v ro:v umount:fs"},
	"subdirectory alone": {steps: "bind:fs/volume/open:w bind:fs/volume:v ro:v umount:fs"},
	"similar name":       {steps: "bind:fs/vol:w bind:fs/volume2:x bind:fs/volume:v ro:v umount:fs"},
	"deleted beside it":  {steps: "bind:fs/vol:w bind:fs/volume:v ro:v rmdir:fs/vol umount:fs"},
	"other file system":  {steps: "bind:fs/volume:v ro:v umount:fs tmpfs:w"},
	"superblock":         {steps: "bind:fs/volume:v remount:fs"},
	"superblock itself":  {steps: "remount:fs", path: "fs/volume/open/p.yaml"},
	"root directory":     {steps: "bind:fs/volume:v ro:v umount:fs bind:/proc:v/proc chroot:v", path: "/p.yaml"},

	// A writable file is always refused.
	"file":                {steps: "chmod:0666:fs/volume/p.yaml bind:fs/volume:v ro:v umount:fs", refused: "$B/v/p.yaml is writable by everyone; chmod o-w $B/v/p.yaml where it is mounted for writing, or pass the profile with -profile -"},
	"file of a group":     {steps: "chmod:0664:fs/volume/p.yaml chgrp:fs/volume/p.yaml bind:fs/volume:v ro:v umount:fs", refused: "$B/v/p.yaml is writable by group 7; chmod g-w $B/v/p.yaml where "},
	"superblock, file":    {steps: "chmod:0666:fs/volume/p.yaml remount:fs", path: "fs/volume/p.yaml", refused: "$B/fs/volume/p.yaml is writable by everyone; "},
	"access list of file": {steps: "acl:fs/volume/p.yaml bind:fs/volume:v ro:v umount:fs", refused: "$B/v/p.yaml is writable by uid 5 (an access control list); setfacl -b $B/v/p.yaml where "},
	"mounted file":        {steps: "chmod:0666:fs/volume/p.yaml bind:fs/volume/p.yaml:hosts ro:hosts umount:fs", path: "hosts", refused: "$B/hosts is writable by everyone; "},
	"owner of directory":  {steps: "chown:fs/volume bind:fs/volume:v ro:v umount:fs", refused: "$B/v belongs to uid 5"},

	// In the initial namespace, the overflow ID can stand for any user.
	"idmapped": {steps: "chmod:0755:fs/volume chown:fs/volume/p.yaml idmap:fs/volume:v", refused: "$B/v/p.yaml belongs to uid 65534, who could change it"},

	// Without the mount table.
	"without /proc":   {steps: "bind:fs/volume:v ro:v umount:fs tmpfs:/proc", refused: "$B/v is writable by everyone, and caprun cannot determine where else its file system is mounted: "},
	"a wrong /proc":   {steps: "bind:fs/volume:v ro:v umount:fs bind:/proc/sys:/proc", refused: "$B/v is writable by everyone, and caprun cannot determine where else its file system is mounted: "},
	"plain directory": {steps: "bind:fs/volume:v ro:v umount:fs bind:/proc:proc chroot:.", path: "/v/p.yaml", refused: "/v is writable by everyone, and caprun cannot determine where else its file system is mounted: the root directory: /proc/thread-self/mountinfo does not list its mount"},

	"nobody without /proc": {steps: "chmod:0755:fs/volume chown:fs/volume/p.yaml:65534 tmpfs:/proc", path: "fs/volume/p.yaml",
		refused: "$B/fs/volume/p.yaml belongs to uid 65534, who could change it; chown root "},
	// Files instead of /proc, which make uid 5 look unmapped.
	"false /proc": {steps: `chmod:0755:fs/volume chown:fs/volume/p.yaml mkdir:fs/volume/proc/self mkdir:fs/volume/proc/sys mkdir:fs/volume/proc/sys/kernel ` +
		`write:fs/volume/proc/self/uid_map:0\0400\0401\012 write:fs/volume/proc/self/gid_map:0\0400\0401\012 write:fs/volume/proc/sys/kernel/overflowuid:5 ` +
		`write:fs/volume/proc/sys/kernel/overflowgid:5 chroot:fs/volume`, path: "/p.yaml", refused: "/p.yaml belongs to uid 5, who could change it; chown root /p.yaml"},

	// A symbolic link in a root directory that is sticky.
	"sticky root": {steps: "chmod:01777:fs/volume chmod:0755:fs/volume/open symlink:p.yaml:fs/volume/link chown:fs/volume/link " +
		"symlink:/link:fs/volume/open/absolute bind:fs/volume:v chroot:v", path: "/open/absolute", refused: "/link belongs to uid 5, who could change it; chown -h root /link"},
}

// scenePrologue creates the file system.
const scenePrologue = "tmpfs:fs mkdir:fs/volume mkdir:fs/volume/open mkdir:fs/volume/proc mkdir:fs/volume2 mkdir:fs/vol " +
	"write:fs/hosts write:fs/volume/p.yaml write:fs/volume/open/p.yaml chmod:0777:fs/volume chmod:0777:fs/volume/open "

// trustMounts executes a scene and prints what ReadTrusted returns.
func trustMounts() {
	for step := range strings.FieldsSeq(os.Getenv(stepsVariable)) {
		f := strings.Split(step, ":")
		for n := range f {
			f[n], _ = unescapeOctal(f[n])
		}
		if err := mountStep(f); err != nil {
			fmt.Println(step, err)
			return
		}
	}
	text, err := ReadTrusted(os.Getenv("READ"), 100, true)
	fmt.Printf("%s %v\n", text, err)
}

// mountIDMapped mounts from at to, mapping only the IDs of root.
func mountIDMapped(from, to string) error {
	holder := reexec.Command("swapper")
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids}
	in, err := holder.StdinPipe()
	if err == nil {
		err = holder.Start()
	}
	if err != nil {
		return err
	}
	defer func() { in.Close(); _ = holder.Wait() }()
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", holder.Process.Pid))
	if err != nil {
		return err
	}
	defer ns.Close()
	tree, err := unix.OpenTree(unix.AT_FDCWD, from, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns.Fd())}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return err
	}
	return unix.MoveMount(tree, "", unix.AT_FDCWD, to, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

func mountStep(f []string) error {
	switch f[0] {
	case "bind":
		return unix.Mount(f[1], f[2], "", unix.MS_BIND, "")
	case "ro":
		return unix.Mount("", f[1], "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	case "remount":
		return unix.Mount("", f[1], "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
	case "umount":
		return unix.Unmount(f[1], unix.MNT_DETACH)
	case "tmpfs":
		return unix.Mount("none", f[1], "tmpfs", 0, "mode=755")
	case "chmod":
		var mode uint32
		if _, err := fmt.Sscanf(f[1], "%o", &mode); err != nil {
			return err
		}
		return unix.Chmod(f[2], mode)
	case "chown":
		uid := 5
		if len(f) > 2 {
			uid, _ = strconv.Atoi(f[2])
		}
		return os.Lchown(f[1], uid, 0)
	case "chgrp":
		return os.Chown(f[1], 0, 7)
	case "acl":
		return unix.Setxattr(f[1], "system.posix_acl_access", accessList(0x02, 6, 5), 0)
	case "mkdir":
		return os.Mkdir(f[1], 0o755)
	case "write":
		text := "text"
		if len(f) > 2 {
			text = f[2]
		}
		return os.WriteFile(f[1], []byte(text), 0o644)
	case "idmap":
		return mountIDMapped(f[1], f[2])
	case "symlink":
		return os.Symlink(f[1], f[2])
	case "rename":
		return os.Rename(f[1], f[2])
	case "rmdir":
		return os.Remove(f[1])
	case "chroot":
		return errors.Join(unix.Chroot(f[1]), unix.Chdir("/"))
	}
	return fmt.Errorf("unknown step %q", f)
}

// TestReadTrustedMounts reads profiles on read-only mounts.
func TestReadTrustedMounts(t *testing.T) {
	requires.Root(t)
	t.Setenv("SUDO_UID", "")
	for name, scene := range mountScenes {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			at := func(parts ...string) string { return filepath.Join(append([]string{base}, parts...)...) }
			err := errors.Join(os.Chmod(base, 0o755), os.WriteFile(at("hosts"), nil, 0o644))
			for _, dir := range []string{"fs", "v", "w", "w x", "x", "proc"} {
				err = errors.Join(err, os.Mkdir(at(dir), 0o755))
			}
			if err != nil {
				t.Fatal(err)
			}
			path := scene.path
			switch {
			case path == "":
				path = at("v/p.yaml")
			case path[0] != '/':
				path = at(path)
			}
			got := reexec.Run(t, "trust mounts", func(cmd *exec.Cmd) {
				cmd.Dir = base
				cmd.Env = append(cmd.Env, "READ="+path, stepsVariable+"="+scenePrologue+scene.steps)
				cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // and private
			})
			if strings.HasPrefix(got.Stdout, "acl:") || strings.HasPrefix(got.Stdout, "idmap:") {
				requires.Skip(t, "a tmpfs with access control lists and idmapped mounts: "+got.Stdout)
			}
			want := "text <nil>\n"
			if scene.refused != "" {
				want = " " + strings.ReplaceAll(scene.refused, "$B", base)
			}
			if !strings.HasPrefix(got.Stdout, want) || got.Stderr != "" || got.Status != 0 {
				t.Errorf("status %d\n%s%s\nnot %s", got.Status, got.Stdout, got.Stderr, want)
			}
		})
	}
}

// trustMountsRace reads below a read-only mount whose directory others can write, while
// another process exchanges directories above it through a writable mount.
func trustMountsRace() {
	for step := range strings.FieldsSeq(scenePrologue + "mkdir:fs/top mkdir:fs/top/a mkdir:fs/top/b rename:fs/volume:fs/top/a/volume bind:fs/top:w " +
		"bind:fs/top/a/volume:v ro:v umount:fs") {
		if err := mountStep(strings.Split(step, ":")); err != nil {
			fmt.Println(step, err)
			return
		}
	}
	swap := reexec.Command("swapper")
	swap.Env = append(swap.Env, "SWAP=w/a:w/b")
	in, err := swap.StdinPipe()
	if err == nil {
		err = swap.Start()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { in.Close(); _ = swap.Wait() }()
	const reads = 2000
	places := map[string]int{}
	for range reads {
		_, err := ReadTrusted(os.Getenv("READ"), 100, true)
		if err == nil {
			fmt.Println("the file was read")
			return
		}
		places[err.Error()]++
	}
	fmt.Println("refused, with", len(places), "reasons")
}

// TestReadTrustedMountsRace checks that ReadTrusted never takes a directory that others
// move for one outside the writable mount.
func TestReadTrustedMountsRace(t *testing.T) {
	requires.Root(t)
	base := t.TempDir()
	err := os.Chmod(base, 0o755)
	for _, dir := range []string{"fs", "v", "w"} {
		err = errors.Join(err, os.Mkdir(filepath.Join(base, dir), 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	got := reexec.Run(t, "trust mounts race", func(cmd *exec.Cmd) {
		cmd.Dir = base
		cmd.Env = append(cmd.Env, "READ="+filepath.Join(base, "v/p.yaml"))
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	})
	// With only one result, no read met an exchange.
	var reasons int
	if _, err := fmt.Sscanf(got.Stdout, "refused, with %d reasons", &reasons); err != nil || reasons < 2 || got.Stderr != "" || got.Status != 0 {
		t.Errorf("status %d\n%s%s", got.Status, got.Stdout, got.Stderr)
	}
}

// TestMountWritableAs parses mountinfo files that the kernel writes in rare cases, and some
// that it never writes.
func TestMountWritableAs(t *testing.T) {
	const own = "9 1 8:1 /srv/a /v ro,relatime - ext4 /dev/sda rw"
	for _, c := range []struct{ name, text, path, expected string }{
		{"alone", own, "/v/d", " <nil>"},
		{"whole file system", own + "\n8 1 8:1 / /all rw - ext4 /dev/sda rw", "/v/d", "/all/srv/a/d <nil>"},
		{"directory", own + "\n8 1 8:1 /srv/a/d /d rw shared:1 master:2 - ext4 /dev/sda rw", "/v/d", "/d <nil>"},
		{"another directory", own + "\n8 1 8:1 /srv/a/d /d rw - ext4 /dev/sda rw", "/v/dd", " <nil>"},
		{"another device", own + "\n8 1 8:17 / /all rw - ext4 /dev/sdb rw", "/v/d", " <nil>"},
		{"an empty source", own + "\n8 1 8:1 / /all rw - ext4  rw", "/v/d", "/all/srv/a/d <nil>"},
		{"deleted", own + "\n8 1 8:1 /srv/a/d//deleted /d rw - ext4 /dev/sda rw", "/v/d", "/d <nil>"},
		{"deleted elsewhere", own + "\n8 1 8:1 /etc/hosts//deleted /d rw - ext4 /dev/sda rw", "/v/d", " <nil>"},
		{"a namespace", own + "\n8 1 0:4 net:[4026532209] /run/netns/x rw - nsfs nsfs rw", "/v/d", " <nil>"},
		{"outside of a control group", own + "\n8 1 8:1 /../a /d rw - cgroup2 cgroup2 rw", "/v/d", " /proc/thread-self/mountinfo does not show which directory is mounted at /d"},
		{"own root deleted", strings.Replace(own, "/srv/a", "/srv/a//deleted", 1), "/v/d", " /proc/thread-self/mountinfo does not show where /v/d is in its file system"},
		{"moved out of its mount", own, "/w/d", " /proc/thread-self/mountinfo does not show where /w/d is in its file system"},
		{"not an absolute path", own, "v/d", " /proc/thread-self/mountinfo does not show where v/d is in its file system"},
	} {
		mounts, err := parseMountinfo([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		path, err := mounts[0].writableAs(c.path, mounts)
		if got := fmt.Sprint(path, " ", err); got != c.expected {
			t.Errorf("%s: %s, not %s", c.name, got, c.expected)
		}
	}
	for _, line := range []string{
		"8 1 8:1 / /no/hyphen rw ext4 /dev/sda rw",
		"8 1 8:1 / /few/fields rw - ext4 rw",
		"8 1 8:1 / /no/access relatime - ext4 /dev/sda rw",
		`8 1 8:1 / /no/escape\x rw - ext4 /dev/sda rw`,
		`8 1 8:1 / /large/escape\777 rw - ext4 /dev/sda rw`,
		"x 1 8:1 / /no/number rw - ext4 /dev/sda rw",
		"\n",
	} {
		want := fmt.Sprintf("invalid line %q", line)
		if _, err := parseMountinfo([]byte(own + "\n" + line)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
