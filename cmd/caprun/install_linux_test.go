package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/command"
	"caprun/internal/test/requires"
)

// makeInstall runs make install or uninstall with a umask that permits others nothing.
func makeInstall(t *testing.T, target, destination, prefix string) {
	t.Helper()
	requires.Tool(t, "make")
	cmd := exec.Command("sh", "-c", `umask 077; exec make -C ../.. "$@"`, "sh", target, "DESTDIR="+destination, "PREFIX="+prefix, "CAPRUN="+command.Caprun(t))
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", target, err, out)
	}
}

// installedFiles returns the regular files below a directory. It reports a mode that
// depends on the umask.
func installedFiles(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		below := strings.TrimPrefix(name, root)
		want := fs.FileMode(0o644)
		if d.IsDir() || strings.HasSuffix(below, "/bin/caprun") || strings.HasSuffix(below, "/examples/ci/check.sh") || strings.HasSuffix(below, "/entrypoint.sh") {
			want = 0o755
		}
		if info.Mode().Perm() != want && d.Type() != fs.ModeSymlink {
			t.Errorf("%s: mode %v, want %v", below, info.Mode(), want)
		}
		if !d.IsDir() {
			files = append(files, below)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestInstall installs into a directory, and removes what was installed.
func TestInstall(t *testing.T) {
	for _, prefix := range []string{"/usr/local", "/opt/with space"} {
		root := t.TempDir()
		makeInstall(t, "install", root, prefix)
		installedFiles(t, root) // checks the modes
		for _, name := range []string{
			"/bin/caprun", "/share/man/man1/caprun.1", "/share/man/man5/caprun-profile.5",
			"/share/bash-completion/completions/caprun", "/share/zsh/site-functions/_caprun", "/share/fish/vendor_completions.d/caprun.fish",
			"/share/caprun/profiles/web.yaml", "/share/caprun/schema/profile.schema.json",
			"/share/doc/caprun/LICENSE", "/share/doc/caprun/README.md", "/share/doc/caprun/docs/install.md", "/share/doc/caprun/docs/rules/README.md",
			"/share/doc/caprun/profiles/web.yaml", "/share/doc/caprun/schema/check.schema.json", "/share/doc/caprun/examples/services/nginx/nginx.service",
		} {
			if _, err := os.Stat(filepath.Join(root, prefix, name)); err != nil {
				t.Error(err)
			}
		}
		script, err := os.ReadFile(filepath.Join(root, prefix, "share/bash-completion/completions/caprun"))
		if err != nil || string(script) != completionScript("bash", newOffers()) {
			t.Errorf("the completion script differs: %v", err)
		}
		etc := filepath.Join(root, "etc/caprun")
		if _, err := os.Stat(etc); (err == nil) != (prefix == "/usr/local") {
			t.Errorf("PREFIX=%s: /etc/caprun: %v", prefix, err)
		}
		makeInstall(t, "uninstall", root, prefix)
		if files := installedFiles(t, root); len(files) > 0 {
			t.Errorf("uninstall left %q", files)
		}
		for _, dir := range []string{etc, filepath.Join(root, prefix, "share/caprun"), filepath.Join(root, prefix, "share/doc/caprun")} {
			if _, err := os.Stat(dir); err == nil {
				t.Errorf("uninstall left %s", dir)
			}
		}
	}
}

// TestInstallFollowsNoLink: install replaces a link at the place of a file. Who could
// write the directory before must not choose which file it writes.
func TestInstallFollowsNoLink(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	kept := filepath.Join(other, "kept")
	if err := os.WriteFile(kept, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"bin/caprun": other, "share/bash-completion/completions/caprun": kept, "share/man/man1/caprun.1": kept, "share/doc/caprun/profiles": other,
	} {
		place := filepath.Join(root, "usr", name)
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, place); err != nil {
			t.Fatal(err)
		}
	}
	makeInstall(t, "install", root, "/usr")
	text, err := os.ReadFile(kept)
	if err != nil || string(text) != "text" {
		t.Errorf("the target of a link has %d bytes, %v", len(text), err)
	}
	if info, err := os.Stat(kept); err != nil || info.Mode() != 0o600 {
		t.Errorf("the target of a link: %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(other); err != nil || len(entries) != 1 {
		t.Errorf("the target of a link has %v, %v", entries, err)
	}
	if info, err := os.Lstat(filepath.Join(root, "usr/bin/caprun")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("caprun: %v, %v", info.Mode(), err)
	}
}

// TestUninstallKeeps: uninstall leaves the files of the user.
func TestUninstallKeeps(t *testing.T) {
	root := t.TempDir()
	makeInstall(t, "install", root, "/usr")
	kept := []string{"/etc/caprun/web.yaml", "/usr/share/caprun/profiles/mine.yaml"}
	for _, name := range kept {
		if err := os.WriteFile(root+name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	makeInstall(t, "uninstall", root, "/usr")
	if files := installedFiles(t, root); !slices.Equal(files, kept) {
		t.Errorf("uninstall left %q, want %q", files, kept)
	}
}
