package machine

import (
	"cmp"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// swapper exchanges pairs of names continuously, until its input ends.
func swapper() {
	pairs := strings.Split(os.Getenv("SWAP"), ":")
	done := make(chan struct{})
	go func() {
		os.Stdin.Read(make([]byte, 1))
		close(done)
	}()
	os.Stdout.WriteString("ready\n")
	for {
		for n := 0; n+1 < len(pairs); n += 2 {
			_ = unix.Renameat2(unix.AT_FDCWD, pairs[n], unix.AT_FDCWD, pairs[n+1], unix.RENAME_EXCHANGE)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// startSwapper runs a swapper until the test ends.
func startSwapper(t *testing.T, pairs ...string) {
	t.Helper()
	cmd := reexec.Command("swapper")
	cmd.Env = append(cmd.Env, "SWAP="+strings.Join(pairs, ":"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	if _, err := out.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
}

// TestReadTrustedRace reads while another process replaces a file, a link and a directory on
// the way. ReadTrusted must never return what an untrusted entry leads to.
func TestReadTrustedRace(t *testing.T) {
	requires.Root(t)
	t.Setenv("SUDO_UID", "")
	base := t.TempDir()
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	at := func(parts ...string) string { return filepath.Join(append([]string{base}, parts...)...) }
	write := func(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }
	err := errors.Join(
		// A file, and one of another user.
		write(at("file"), "good"), write(at("other"), "evil"), os.Chown(at("other"), 5, 5),
		// A directory and one that others can write.
		os.Mkdir(at("dir"), 0o755), write(at("dir", "p"), "good"),
		os.Mkdir(at("open"), 0o777), os.Chmod(at("open"), 0o777), write(at("open", "p"), "evil"),
		// A link, and one of another user, in a sticky directory; a link to each
		// directory.
		os.Mkdir(at("sticky"), 0o777), os.Chmod(at("sticky"), os.ModeSticky|0o777),
		write(at("target"), "good"), write(at("bait"), "evil"),
		os.Symlink("../target", at("sticky", "link")), os.Symlink("../bait", at("sticky", "lure")), os.Lchown(at("sticky", "lure"), 5, 5),
		os.Mkdir(at("a"), 0o755), write(at("a", "p"), "good"),
		os.Mkdir(at("b"), 0o777), os.Chmod(at("b"), 0o777), write(at("b", "p"), "evil"),
		os.Symlink("a", at("to-a")), os.Symlink("b", at("to-b")),
		// A file and a FIFO: an open must not block.
		write(at("plain"), "good"), unix.Mkfifo(at("fifo"), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	startSwapper(t, at("file"), at("other"), at("dir"), at("open"), at("sticky", "link"), at("sticky", "lure"), at("to-a"), at("to-b"), at("plain"), at("fifo"))
	// Longer if the two processes took turns on one processor: each path must have been
	// both trusted and untrusted.
	const opens, most = 2000, 100_000
	good, refused := map[string]int{}, map[string]int{}
	for n := 0; n < opens || n < most && (len(good) != 5 || len(refused) != 5); n++ {
		for _, path := range []string{"file", "dir/p", "sticky/link", "to-a/p", "plain"} {
			text, err := ReadTrusted(at(path), 100, true)
			switch {
			case err != nil:
				refused[path]++
			case string(text) == "good":
				good[path]++
			default:
				t.Fatalf("open %d of %s read %q", n, path, text)
			}
		}
	}
	for path, n := range good {
		t.Logf("%s: read %d times, refused %d times", path, n, refused[path])
	}
	if len(good) != 5 || len(refused) != 5 {
		t.Errorf("not every file was there both ways: %v, %v", good, refused)
	}
}

// TestReadTrustedACL grants another user write permission by an access control list, whose
// mask shows in the mode as the permissions of group 0.
func TestReadTrustedACL(t *testing.T) {
	requires.Root(t)
	base := t.TempDir()
	dir := filepath.Join(base, "dir")
	file := filepath.Join(dir, "p")
	if err := errors.Join(os.Chmod(base, 0o755), os.Mkdir(dir, 0o755), os.WriteFile(file, []byte("text"), 0o644)); err != nil {
		t.Fatal(err)
	}
	const user, group = 0x02, 0x08
	for _, c := range []struct {
		name    string
		tag     uint16
		rights  uint16
		id      uint32
		refused bool
	}{
		{"another user", user, 6, 5, true},
		{"another group", group, 6, 5, true},
		{"another user reads", user, 4, 5, false},
		{"root itself", user, 6, 0, false},
		{"group 0 itself", group, 6, 0, false},
	} {
		for _, path := range []string{file, dir} {
			if err := unix.Setxattr(path, "system.posix_acl_access", accessList(c.tag, c.rights, c.id), 0); err != nil {
				requires.Skip(t, "a file system with access control lists: "+err.Error())
			}
			var trust *untrusted
			_, err := ReadTrusted(file, 100, true)
			if got := errors.As(err, &trust); got != c.refused || !got && err != nil || got && (trust.path != path || !strings.Contains(trust.hint, "setfacl -b")) {
				t.Errorf("%s, %s: %v", c.name, path, err)
			}
			if err := unix.Removexattr(path, "system.posix_acl_access"); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// accessList returns the attribute of an access control list with one named entry that may
// write, see acl(5).
func accessList(tag, rights uint16, id uint32) []byte {
	const none = ^uint32(0)
	list := binary.LittleEndian.AppendUint32(nil, 2)
	type entry struct {
		tag, rights uint16
		id          uint32
	}
	entries := []entry{{0x01, 7, none}, {tag, rights, id}, {0x04, 5, none}, {0x10, 7, none}, {0x20, 5, none}}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.tag, b.tag) })
	for _, e := range entries {
		list = binary.LittleEndian.AppendUint16(list, e.tag)
		list = binary.LittleEndian.AppendUint16(list, e.rights)
		list = binary.LittleEndian.AppendUint32(list, e.id)
	}
	return list
}
