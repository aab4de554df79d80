package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

func (a answer) String() string { return [...]string{"unknown", "yes", "no"}[a] }

func TestOwnerMaps(t *testing.T) {
	extent := func(count uint32) cred.UserNS {
		ids := []cred.Extent{{Inside: 0, Outside: 100000, Count: count}}
		return cred.UserNS{Nested: true, UIDs: ids, GIDs: ids}
	}
	usual, unread := overflowIDs{65534, 65534, true}, overflowIDs{}
	for _, test := range []struct {
		name     string
		maps     ownerMaps
		shown    uint32
		expected answer
	}{
		{"initial namespace", ownerMaps{cred.UserNS{}, true, usual}, 1000, answerYes},
		{"initial namespace, the overflow id", ownerMaps{cred.UserNS{}, true, usual}, 65534, answerUnknown},
		{"another overflow id", ownerMaps{cred.UserNS{}, true, overflowIDs{1000, 1000, true}}, 1000, answerUnknown},
		{"another overflow id, 65534", ownerMaps{cred.UserNS{}, true, overflowIDs{1000, 1000, true}}, 65534, answerYes},
		{"a wide map", ownerMaps{extent(65536), true, usual}, 1000, answerYes},
		{"a wide map, the overflow id", ownerMaps{extent(65536), true, usual}, 65534, answerUnknown},
		{"a narrow map", ownerMaps{extent(1000), true, usual}, 999, answerYes},
		{"a narrow map, the overflow id", ownerMaps{extent(1000), true, usual}, 65534, answerNo},
		{"a narrow map that lacks what is shown", ownerMaps{extent(1000), true, usual}, 1001, answerUnknown},
		{"overflow id unreadable", ownerMaps{cred.UserNS{}, true, unread}, 0, answerUnknown},
		{"overflow id unreadable, no overflow id", ownerMaps{cred.UserNS{}, true, unread}, 65536, answerYes},
		{"overflow id unreadable, a narrow map", ownerMaps{extent(1000), true, unread}, 65534, answerNo},
		{"nothing readable", ownerMaps{}, 65534, answerUnknown},
		{"map unreadable", ownerMaps{cred.UserNS{}, false, usual}, 1000, answerYes},
		{"map unreadable, the overflow id", ownerMaps{cred.UserNS{}, false, usual}, 65534, answerUnknown},
	} {
		if got := test.maps.uid(test.shown); got != test.expected {
			t.Errorf("%s: uid %d: %v, expected %v", test.name, test.shown, got, test.expected)
		}
		if got := test.maps.gid(test.shown); got != test.expected {
			t.Errorf("%s: gid %d: %v, expected %v", test.name, test.shown, got, test.expected)
		}
	}
}

// ownersOf prints, for each file in its environment, the owner that stat(2) shows and
// whether it is mapped.
func ownersOf() {
	for path := range strings.FieldsSeq(os.Getenv(stepsVariable)) {
		fd, err := openPath(unix.AT_FDCWD, path)
		var st unix.Stat_t
		if err == nil {
			err = unix.Fstat(fd, &st)
		}
		if err != nil {
			fmt.Println(path, err)
			continue
		}
		fmt.Printf("%s %d:%d write=%v mapped=%v\n", filepath.Base(path), st.Uid, st.Gid, askWrite(fd, &st), mapsOwners(fd, &st))
		unix.Close(fd)
	}
}

// runInUserNS runs a role in a user namespace that maps the first IDs to themselves.
func runInUserNS(t *testing.T, role string, ids int, steps ...string) reexec.Result {
	t.Helper()
	return reexec.Run(t, role, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, stepsVariable+"="+strings.Join(steps, " "))
		ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: ids}}
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: ids, GidMappings: ids, GidMappingsEnableSetgroups: true,
		}
	})
}

// TestMapsOwners examines files in user namespaces that map, and do not map, the overflow
// ID.
func TestMapsOwners(t *testing.T) {
	requires.Root(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range []struct {
		name     string
		uid, gid int
		mode     uint32
	}{
		{"root", 0, 0, 0o4755}, {"nobody", 65534, 65534, 0o4755}, {"outside", 100000, 0, 0o4755},
		{"group", 65534, 100000, 0o4755}, {"writable", 65534, 65534, 0o4757},
	} {
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, f.uid, f.gid); err != nil {
			t.Fatal(err)
		}
		if err := unix.Chmod(path, f.mode); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for ids, expected := range map[int]string{
		65536: `root 0:0 write=unknown mapped=yes
nobody 65534:65534 write=yes mapped=yes
outside 65534:0 write=no mapped=unknown
group 65534:65534 write=no mapped=unknown
writable 65534:65534 write=unknown mapped=unknown
`,
		60000: `root 0:0 write=unknown mapped=yes
nobody 65534:65534 write=no mapped=no
outside 65534:0 write=no mapped=no
group 65534:65534 write=no mapped=no
writable 65534:65534 write=unknown mapped=no
`,
	} {
		got := runInUserNS(t, "owners", ids, paths...)
		if got.Stdout != expected || got.Stderr != "" {
			t.Errorf("map of %d ids: status %d\n%s%s", ids, got.Status, got.Stdout, got.Stderr)
		}
	}
}
