package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caprun/platform"
)

// tree writes files below a new directory, which becomes the working directory.
func tree(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

func names(in *platform.Input) string {
	var list []string
	for _, f := range in.DropIns {
		list = append(list, f.Name)
	}
	for _, f := range in.Sockets {
		list = append(list, f.Name)
	}
	return strings.Join(list, " ")
}

// TestCompanions: the drop-ins and the socket beside a unit are read with it, in the order
// of systemd.
func TestCompanions(t *testing.T) {
	tree(t, map[string]string{
		"u/a-b.service": "[Service]\n", "u/a-b.socket": "[Socket]\n", "u/other.socket": "",
		"u/a-b.service.d/20-x.conf": "", "u/a-b.service.d/10-y.conf": "", "u/a-b.service.d/README": "", "u/a-b.service.d/30-masked.conf": "",
		"u/a-.service.d/15-z.conf": "", "u/service.d/10-y.conf": "", "u/service.d/05-all.conf": "", "u/service.d/30-masked.conf": "",
	})
	if err := errors.Join(os.Remove("u/a-b.service.d/30-masked.conf"), os.Symlink("/dev/null", "u/a-b.service.d/30-masked.conf")); err != nil {
		t.Fatal(err)
	}
	const want = "u/service.d/05-all.conf u/a-b.service.d/10-y.conf u/a-.service.d/15-z.conf u/a-b.service.d/20-x.conf u/a-b.socket"
	var r Reader
	for _, read := range []func(string, string) (Content, error){r.Read, r.ReadNoLinks} {
		c, err := read("u/a-b.service", "u/a-b.service")
		if err != nil || c.Platform == nil || names(c.Platform) != want {
			t.Errorf("%v\n%+v", err, c.Platform)
		}
	}
	s, err := Find("u/a-b.service", nil)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := s.Review(); err != nil || names(c.Platform) != want {
		t.Errorf("%v\n%+v", err, c.Platform)
	}
	if _, err := s.Text(false); err == nil || err.Error() != platform.Systemd.NotProfile().Error() {
		t.Errorf("a launch: %v", err)
	}
}

// TestHostileCompanions: below a directory that is searched, no link leads to a file
// elsewhere, and no FIFO is waited for.
func TestHostileCompanions(t *testing.T) {
	files := map[string]string{"secret": "[Service]\nUser=hunter2\n", "u/link.service": "", "u/dir.service": "", "u/fifo.service": "", "u/many.service": "", "u/file.service": "", "u/file.service.d": "", "dropins/x.conf": "User=hunter2"}
	for n := range maxCompanions + 1 {
		files[fmt.Sprintf("u/many.service.d/%d.conf", n)] = ""
	}
	tree(t, files)
	err := errors.Join(os.MkdirAll("u/link.service.d", 0o755), os.Symlink("../../secret", "u/link.service.d/x.conf"), os.Symlink("../dropins", "u/dir.service.d"),
		os.MkdirAll("u/fifo.service.d", 0o755), syscall.Mkfifo("u/fifo.service.d/x.conf", 0o644))
	if err != nil {
		t.Fatal(err)
	}
	var r Reader
	for unit, want := range map[string]string{
		"link": "a symbolic link, which is not followed", "dir": "a symbolic link, which is not followed", "fifo": "not a regular file",
		"many": "more than 64 drop-ins", "file": "",
	} {
		path := "u/" + unit + ".service"
		c, err := r.ReadNoLinks(path, path)
		if want == "" && err == nil {
			continue
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v %+v", unit, err, c.Platform)
		}
	}
}

// TestLargeManifest: a manifest can be larger than a profile.
func TestLargeManifest(t *testing.T) {
	text := "apiVersion: v1\nkind: Pod\n" + strings.Repeat("# "+strings.Repeat("x", 70)+"\n", 3000)
	tree(t, map[string]string{"pod.yaml": text, "big.yaml": strings.Repeat(text, 6), "p.yaml": "version: 1\n" + text[30:]})
	var r Reader
	if c, err := r.Read("pod.yaml", "pod.yaml"); err != nil || c.Platform == nil || string(c.Platform.Text) != text {
		t.Errorf("%v, %d bytes", err, len(c.Text))
	}
	if c, err := r.Read("p.yaml", "p.yaml"); err != nil || c.Platform != nil || len(c.Text) > len(r.buffer) {
		t.Errorf("%v, %d bytes", err, len(c.Text))
	}
	c, err := r.Read("big.yaml", "big.yaml")
	if err != nil || c.Platform == nil {
		t.Fatal(err)
	}
	if _, found := c.Platform.Documents(); len(found) != 1 || !strings.Contains(found[0].Message, "exceeds 1024 KiB") {
		t.Errorf("%v", found)
	}
}

// TestDropInPrecedence: of two drop-ins with one name, the one in the more important
// directory of units counts, and one for all services least.
func TestDropInPrecedence(t *testing.T) {
	tree(t, map[string]string{"one/a-.service.d/x.conf": "1", "two/a-b.service.d/x.conf": "2", "one/service.d/y.conf": "1", "two/a-b.service.d/y.conf": "2"})
	var r Reader
	files, err := besideSearch{[]string{"one", "two"}, fileSystem{r.read}}.dropIns("a-b.service")
	if err != nil || len(files) != 2 || files[0].Name != "one/a-.service.d/x.conf" || files[1].Name != "two/a-b.service.d/y.conf" {
		t.Errorf("%v %+v", err, files)
	}
}
