// Command testdeb installs the Debian package of a release in a new root directory, uses
// it there, removes and purges it, and compares the files with those before. It requires
// root.
//
//	go run ./internal/dist/testdeb [-small] DIRECTORY
//
// The root directory is a new Debian bookworm, which debootstrap(8) downloads, and
// lintian(1) checks the packages. With -small the root directory has nothing but dpkg's
// database, and no network is used.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"caprun/internal/version"
)

func main() {
	small := flag.Bool("small", false, "use a root directory without a system")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "testdeb: want one argument, the directory of the release")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *small); err != nil {
		fmt.Fprintln(os.Stderr, "testdeb:", err)
		os.Exit(1)
	}
}

// run tests the package for this machine.
func run(dist string, small bool) (err error) {
	if os.Getuid() != 0 {
		return errors.New("not root; start it as root")
	}
	deb, err := filepath.Abs(filepath.Join(dist, fmt.Sprintf("caprun_%s_%s.deb", version.Number, runtime.GOARCH)))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "caprun-deb-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	root := filepath.Join(dir, "root")
	if small {
		err = makeSmallRoot(root)
	} else {
		if err = lint(dist); err == nil {
			err = execute("debootstrap", "--variant=minbase", "bookworm", root)
		}
	}
	if err != nil {
		return err
	}
	return testPackage(root, deb, small)
}

// testPackage installs, uses and purges a package in a root directory.
func testPackage(root, name string, small bool) error {
	dpkg := func(args ...string) error {
		if small {
			return execute("dpkg", append([]string{"--root=" + root}, args...)...)
		}
		return inRoot(root, append([]string{"dpkg"}, args...)...)
	}
	before, err := list(root)
	if err != nil {
		return err
	}
	installed := name
	if !small {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, "caprun.deb"), data, 0o644); err != nil {
			return err
		}
		installed = "/caprun.deb"
	}
	if err := dpkg("--install", installed); err != nil {
		return err
	}
	if !small {
		if err := os.Remove(filepath.Join(root, "caprun.deb")); err != nil {
			return err
		}
	}
	if err := errors.Join(checkFiles(root), checkVersions(root, name), use(root)); err != nil {
		return err
	}
	for _, action := range []string{"--remove", "--purge"} {
		// After dpkg --remove of a package without conffiles, nothing is left to purge: then
		// dpkg --purge does nothing and succeeds.
		if err := dpkg(action, "caprun"); err != nil {
			return err
		}
	}
	after, err := list(root)
	if err != nil {
		return err
	}
	return compare(before, after)
}

// compare returns an error if the files differ.
func compare(before, after []string) error {
	var errs []error
	for _, f := range after {
		if !slices.Contains(before, f) {
			errs = append(errs, fmt.Errorf("after the purge: %s", f))
		}
	}
	for _, f := range before {
		if !slices.Contains(after, f) {
			errs = append(errs, fmt.Errorf("missing after the purge: %s", f))
		}
	}
	if len(errs) == 0 {
		fmt.Printf("the same %d files as before the installation, without those of dpkg\n", len(after))
	}
	return errors.Join(errs...)
}

// lint runs lintian about the packages. With --show-overrides it would fail for what the
// overrides of the package permit.
func lint(dist string) error {
	names, err := filepath.Glob(filepath.Join(dist, "*.deb"))
	if err != nil {
		return err
	}
	return execute("lintian", append([]string{"--allow-root", "--fail-on", "error,warning", "--display-info"}, names...)...)
}

// execute prints and runs a command. Its output goes to the standard output, except that
// of debootstrap.
func execute(name string, args ...string) error {
	fmt.Println("+", name, strings.Join(args, " "))
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if name == "debootstrap" {
		cmd.Stdout = nil
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// inRoot runs a command in a root directory with a proc file system, in a mount namespace
// of its own: no mount is left.
func inRoot(root string, args ...string) error {
	return execute("unshare", append([]string{"--mount", "--propagation", "private", "sh", "-ec", `mount -t proc proc "$0/proc"; exec chroot "$0" "$@"`, root}, args...)...)
}
