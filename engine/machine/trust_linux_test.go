package machine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// TestReadTrusted reads a file below directories with various owners and modes.
func TestReadTrusted(t *testing.T) {
	requires.Root(t)
	t.Setenv("SUDO_UID", "")
	base := t.TempDir()
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	mode := func(path string, mode os.FileMode, uid, gid int) {
		t.Helper()
		if err := errors.Join(os.Chown(path, uid, gid), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name            string
		dir, file       os.FileMode
		dirUID, fileUID int
		dirGID, fileGID int
		sudo            string
		refused         string
	}{
		{name: "plain", dir: 0o755, file: 0o644},
		{name: "group 0 may write", dir: 0o775, file: 0o664},
		{name: "group may write the file", dir: 0o755, file: 0o664, fileGID: 7, refused: "is writable by group 7; chmod g-w "},
		{name: "group may write the directory", dir: 0o775, file: 0o644, dirGID: 7, refused: "is writable by group 7"},
		{name: "world may write the file", dir: 0o755, file: 0o646, refused: "is writable by everyone; chmod o-w "},
		{name: "world may write the directory", dir: 0o777, file: 0o644, refused: "is writable by everyone"},
		{name: "sticky directory", dir: os.ModeSticky | 0o777, file: 0o644},
		{name: "sticky directory, foreign entry", dir: os.ModeSticky | 0o777, file: 0o644, fileUID: 5, refused: "belongs to uid 5"},
		{name: "sticky directory of another", dir: os.ModeSticky | 0o777, file: 0o644, dirUID: 5, refused: "belongs to uid 5"},
		{name: "foreign file", dir: 0o755, file: 0o644, fileUID: 5, refused: "belongs to uid 5, who could change it; chown root "},
		{name: "foreign directory", dir: 0o755, file: 0o644, dirUID: 5, refused: "belongs to uid 5"},
		{name: "the user of sudo", dir: 0o755, file: 0o644, dirUID: 5, fileUID: 5, sudo: "5"},
		{name: "another user than sudo's", dir: 0o755, file: 0o644, fileUID: 5, sudo: "6", refused: "belongs to uid 5"},
		{name: "nonsense from sudo", dir: 0o755, file: 0o644, fileUID: 5, sudo: "05", refused: "belongs to uid 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("SUDO_UID", c.sudo)
			dir := filepath.Join(base, strings.ReplaceAll(c.name, " ", "-"))
			file := filepath.Join(dir, "p.yaml")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(file, []byte("text"), 0o600)); err != nil {
				t.Fatal(err)
			}
			mode(dir, c.dir, c.dirUID, c.dirGID)
			mode(file, c.file, c.fileUID, c.fileGID)
			// A link in another directory is checked too.
			link := filepath.Join(base, "to-"+filepath.Base(dir))
			if err := os.Symlink(filepath.Base(dir)+"/p.yaml", link); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{file, link} {
				text, err := ReadTrusted(path, 100, true)
				if c.refused == "" {
					if err != nil || string(text) != "text" {
						t.Errorf("%s: %q, %v", path, text, err)
					}
					continue
				}
				var trust *untrusted
				if !errors.As(err, &trust) || !strings.Contains(err.Error(), c.refused) || !strings.HasPrefix(trust.path, dir) {
					t.Errorf("%s: %v", path, err)
				}
				if _, err := ReadTrusted(path, 100, false); err != nil {
					t.Errorf("%s without privilege: %v", path, err)
				}
			}
		})
	}
}

// TestReadTrustedLinks follows links of untrusted owners, and links in untrusted
// directories.
func TestReadTrustedLinks(t *testing.T) {
	requires.Root(t)
	base := t.TempDir()
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	at := func(parts ...string) string { return filepath.Join(append([]string{base}, parts...)...) }
	err := errors.Join(
		os.WriteFile(at("p.yaml"), []byte("text"), 0o644),
		os.Mkdir(at("open"), 0o777), os.Chmod(at("open"), 0o777),
		os.Symlink("../p.yaml", at("open", "link")),
		os.Symlink(at("open", "link"), at("outer")),
		os.Mkdir(at("sticky"), 0o777), os.Chmod(at("sticky"), os.ModeSticky|0o777),
		os.Symlink("../p.yaml", at("sticky", "foreign")), os.Lchown(at("sticky", "foreign"), 5, 5),
		os.Symlink("../p.yaml", at("sticky", "ours")),
		os.Symlink("ours", at("sticky", "relative")), os.Symlink(at("foreign"), at("sticky", "absolute")),
		os.Symlink("foreign", at("sticky", "next")),
		// Only a user who can write the directory can replace these.
		os.Symlink("p.yaml", at("foreign")), os.Lchown(at("foreign"), 5, 5),
		os.Symlink("sticky/foreign", at("into")), os.Lchown(at("into"), 5, 5),
		os.Symlink("loop", at("loop")),
	)
	if err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		"open/link":      "open is writable by everyone",
		"outer":          "open is writable by everyone",
		"sticky/foreign": "sticky/foreign belongs to uid 5, who could change it; chown -h root ",
		"sticky/next":    "sticky/foreign belongs to uid 5",
		"into":           "sticky/foreign belongs to uid 5",
		"open/../p.yaml": "open is writable by everyone",
		"loop":           "too many levels",
		"open":           "open is writable by everyone",
		".":              "not a regular file",
		"none":           "no such file",
	} {
		if _, err := ReadTrusted(at()+"/"+path, 100, true); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"foreign", "sticky/../foreign", "sticky/ours", "sticky/relative", "sticky/absolute"} {
		if text, err := ReadTrusted(at(path), 100, true); string(text) != "text" || err != nil {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
	if text, err := ReadTrusted(at("p.yaml"), 3, true); string(text) != "tex" || err != nil {
		t.Errorf("of a file that is too large: %q, %v", text, err)
	}
}
