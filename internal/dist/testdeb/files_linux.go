package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// makeSmallRoot creates a root directory with an empty database of dpkg. dpkg removes
// empty directories of a package: those that a system has are not empty.
func makeSmallRoot(root string) error {
	for _, dir := range []string{"etc", "proc", "usr/bin", "usr/share", "var/log", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"var/lib/dpkg/status", "var/lib/dpkg/available", "etc/other", "usr/bin/other", "usr/share/other"} {
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// list returns a line for each file below root: its name, mode, owner, and the size of a
// regular file. Those that dpkg itself writes are left out.
func list(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below := strings.TrimPrefix(name, root)
		if strings.HasPrefix(below, "/var/lib/dpkg/") || below == "/var/log/dpkg.log" {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size := int64(0)
		if info.Mode().IsRegular() {
			size = info.Size()
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("%s: unknown owner", name)
		}
		files = append(files, fmt.Sprintf("%s %v %d:%d %d", below, info.Mode(), stat.Uid, stat.Gid, size))
		return nil
	})
	return files, err
}

// want are files and directories of the package, with their modes.
var want = map[string]fs.FileMode{
	"/etc/caprun":     fs.ModeDir | 0o755,
	"/usr/bin/caprun": 0o755,
	"/usr/share/bash-completion/completions/caprun":    0o644,
	"/usr/share/caprun/profiles/web.yaml":              0o644,
	"/usr/share/caprun/schema/profile.schema.json":     0o644,
	"/usr/share/doc/caprun/README.md":                  0o644,
	"/usr/share/doc/caprun/changelog.gz":               0o644,
	"/usr/share/doc/caprun/copyright":                  0o644,
	"/usr/share/doc/caprun/docs/install.md":            0o644,
	"/usr/share/doc/caprun/examples/ci/check.sh":       0o755,
	"/usr/share/doc/caprun/profiles":                   fs.ModeSymlink | 0o777,
	"/usr/share/doc/caprun/schema":                     fs.ModeSymlink | 0o777,
	"/usr/share/caprun/schema/check.schema.json":       0o644,
	"/usr/share/fish/vendor_completions.d/caprun.fish": 0o644,
	"/usr/share/man/man1/caprun.1.gz":                  0o644,
	"/usr/share/man/man5/caprun-profile.5.gz":          0o644,
	"/usr/share/zsh/vendor-completions/_caprun":        0o644,
}

// checkFiles checks files of the installed package.
func checkFiles(root string) error {
	var errs []error
	for name, mode := range want {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if info.Mode() != mode || !ok || stat.Uid != 0 || stat.Gid != 0 {
			errs = append(errs, fmt.Errorf("%s: mode %v, want %v and root:root", name, info.Mode(), mode))
		}
	}
	return errors.Join(errs...)
}

// use runs the installed caprun.
func use(root string) error {
	profile := filepath.Join(root, "etc/caprun/site.yaml")
	if err := os.WriteFile(profile, []byte("version: 1\nname: site\nuid: 65534\ngid: 65534\ncaps: \"=\"\nno_new_privs: true\n"), 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"version"},
		{"-profile", "builtin:unprivileged", "--", "/usr/bin/caprun", "show"},
		{"-profile", "site", "--", "/usr/bin/caprun", "show"},
		{"check", "/usr/share/caprun/profiles"},
	} {
		if err := inRoot(root, append([]string{"caprun"}, args...)...); err != nil {
			return err
		}
	}
	return os.Remove(profile)
}
