package seal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	passwd = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:34:www:/var/www:/bin/false\n"
	group  = "root:x:0:\nadm:x:4:www-data\nvideo:x:44:root,www-data\nwww-data:x:34:\n"
)

// imageTree makes the root directory of an image. A file with the text "-> PATH" is a
// symbolic link.
func imageTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if target, isLink := strings.CutPrefix(text, "-> "); err == nil && isLink {
			err = os.Symlink(target, path)
		} else if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRoot: a name becomes the numbers of the image's own files, also where links lead to
// them. No link leads out of the image.
func TestRoot(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"plain":         {"etc/passwd": passwd, "etc/group": group},
		"absolute":      {"etc/passwd": "-> /usr/etc/passwd", "usr/etc/passwd": passwd, "etc/group": group},
		"relative":      {"etc/passwd": "-> ../usr/etc/passwd", "usr/etc/passwd": passwd, "etc/group": group},
		"directory":     {"etc": "-> /usr/./etc//", "usr/etc/passwd": passwd, "usr/etc/group": group},
		"above":         {"etc/passwd": "-> ../../../../usr/passwd", "usr/passwd": passwd, "etc/group": group},
		"chain":         {"etc/passwd": "-> /a", "a": "-> b/passwd", "b": "-> /c", "c/passwd": passwd, "etc/group": "-> group-", "etc/group-": group},
		"through above": {"etc/passwd": "-> /usr/lib/../passwd", "usr/lib/x": "", "usr/passwd": passwd, "etc/group": group},
	} {
		file, err := Seal(parse(t, server), Options{Arch: AMD64, Root: imageTree(t, files)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := accountsText(s.Accounts), `user www-data with uid 33, gid 34, groups [4 44] and home directory "/var/www"`; got != want {
			t.Errorf("%s: %s", name, got)
		}
		if err := s.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRootRefused: an image without usable files is refused, with the reason. The files of
// this machine, which have these users, are never read.
func TestRootRefused(t *testing.T) {
	outside := imageTree(t, map[string]string{"passwd": passwd, "group": group})
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing":    {map[string]string{"x": ""}, "etc/passwd: no such file"},
		"no group":   {map[string]string{"etc/passwd": passwd}, "etc/group: no such file"},
		"no entry":   {map[string]string{"etc/passwd": "root:x:0:0::/:\n", "etc/group": group}, "no entry in /etc/passwd"},
		"outside":    {map[string]string{"etc/passwd": "-> " + outside + "/passwd", "etc/group": group}, "etc/passwd: no such file"},
		"loop":       {map[string]string{"etc/passwd": "-> passwd", "etc/group": group}, "too many symbolic links"},
		"long loop":  {map[string]string{"etc/passwd": "-> " + strings.Repeat("x/", 2000), "etc/x": "-> " + strings.Repeat("x/", 2000), "etc/group": group}, "too many symbolic links"},
		"directory":  {map[string]string{"etc/passwd/x": "", "etc/group": group}, "not a regular file"},
		"root":       {map[string]string{"etc/passwd": "-> /..", "etc/group": group}, "not a regular file"},
		"control":    {map[string]string{"etc/passwd": "www-data:x:33:34:www:/var\x01:/x\n", "etc/group": group}, "control character"},
		"no string":  {map[string]string{"etc/passwd": "www-data:x:33:34:www:/var\x00:/x\n", "etc/group": group}, "control character"},
		"long home":  {map[string]string{"etc/passwd": "www-data:x:33:34:www:/" + strings.Repeat("x", 4096) + ":/x\n", "etc/group": group}, "too long"},
		"bad number": {map[string]string{"etc/passwd": "www-data:x:033:34:www:/:/x\n", "etc/group": group}, "invalid uid"},
	} {
		file, err := Seal(parse(t, server), Options{Arch: AMD64, Root: imageTree(t, c.files)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d bytes, %v, want %q", name, len(file), err, c.want)
		}
	}
	if _, err := Seal(parse(t, server), Options{Root: filepath.Join(outside, "nowhere")}); err == nil || !strings.Contains(err.Error(), "root directory") {
		t.Errorf("no root directory: %v", err)
	}
}

// TestCheckRoot: another image in which the user has other numbers is a difference.
func TestCheckRoot(t *testing.T) {
	root := imageTree(t, map[string]string{"etc/passwd": passwd, "etc/group": group})
	other := imageTree(t, map[string]string{"etc/passwd": strings.Replace(passwd, "33", "35", 1), "etc/group": group})
	file := mustSeal(t, server, Options{Arch: AMD64, Root: root})
	if err := Check(file, parse(t, server), Options{Root: root}); err != nil {
		t.Error(err)
	}
	err := Check(file, parse(t, server), Options{Root: other})
	if err == nil || !strings.Contains(err.Error(), "it has user www-data with uid 33") || !strings.Contains(err.Error(), "the image has user www-data with uid 35") {
		t.Error(err)
	}
	if err := Check(file, parse(t, server), Options{}); err == nil || !strings.Contains(err.Error(), "-root DIR") {
		t.Errorf("without Root: %v", err)
	}
}

// TestGroupNames: the names under gid and groups become the numbers of the image, and a
// launcher tells them.
func TestGroupNames(t *testing.T) {
	text := "version: 1\nuid: 33\ngid: www-data\ngroups: [adm, 7]\n"
	profile := parse(t, text)
	if _, err := Seal(profile, Options{Arch: AMD64}); err == nil || !strings.Contains(err.Error(), "-root DIR") && !strings.Contains(err.Error(), "looks up no names") {
		t.Errorf("without Root: %v", err)
	}
	image := func(group string) string {
		return imageTree(t, map[string]string{"etc/passwd": passwd, "etc/group": group})
	}
	options := Options{Arch: AMD64, Root: image("www-data:x:34:\nadm:x:4:\n")}
	file := mustSeal(t, text, options)
	s, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := accountsText(s.Accounts), "group adm with gid 4, group www-data with gid 34"; got != want {
		t.Errorf("%s", got)
	}
	if err := s.Verify(); err != nil {
		t.Errorf("Verify: %v", err)
	}
	if err := Check(file, profile, options); err != nil {
		t.Errorf("Check: %v", err)
	}
	other := Options{Arch: AMD64, Root: image("www-data:x:34:\nadm:x:5:\n")}
	if err := Check(file, profile, other); err == nil || !strings.Contains(err.Error(), "group adm with gid 5") {
		t.Errorf("Check with another image: %v", err)
	}
	if _, err := Seal(profile, Options{Arch: AMD64, Root: image("www-data:x:34:\n")}); err == nil || !strings.Contains(err.Error(), "group adm") {
		t.Errorf("a missing entry: %v", err)
	}
}
