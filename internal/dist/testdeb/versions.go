package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"caprun/internal/version"
)

// checkVersions returns an error if the package, the program and the manual pages do not
// have the version of the source.
func checkVersions(root, deb string) error {
	field, err := exec.Command("dpkg-deb", "--field", deb, "Version").Output()
	if err != nil {
		return fmt.Errorf("dpkg-deb: %w", err)
	}
	out, err := exec.Command(filepath.Join(root, "usr/bin/caprun"), "version").Output()
	if err != nil {
		return fmt.Errorf("caprun version: %w", err)
	}
	var errs []error
	// A tilde of Debian stands for the first hyphen.
	if have := strings.Replace(strings.TrimSpace(string(field)), "~", "-", 1); have != version.Number {
		errs = append(errs, fmt.Errorf("the version of the package is %s, want %s", have, version.Number))
	}
	if want := "caprun " + version.Number + " "; !bytes.HasPrefix(out, []byte(want)) {
		errs = append(errs, fmt.Errorf("caprun version prints %q, want %q at its beginning", out, want))
	}
	for _, name := range []string{"man1/caprun.1.gz", "man5/caprun-profile.5.gz"} {
		compressed, err := os.ReadFile(filepath.Join(root, "usr/share/man", name))
		if err != nil {
			return err
		}
		r, err := gzip.NewReader(bytes.NewReader(compressed))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		page, err := io.ReadAll(r)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !bytes.Contains(page, []byte("\n.Os caprun "+version.Number+"\n")) {
			errs = append(errs, fmt.Errorf("%s: the footer does not have the version %s", name, version.Number))
		}
	}
	return errors.Join(errs...)
}
