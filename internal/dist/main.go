// Command dist builds the files of a release: archives, Debian packages, lists of
// components and checksums. The same source, commit and version of Go give the same bytes
// on every machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// targets are the systems of a release. Those other than Linux have the commands that only
// read text.
var targets = [...]target{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

func main() {
	version := flag.String("version", "", "version of the tag of the commit; empty without a tag")
	commit := flag.String("commit", "", "commit that is built, with -modified if a file differs; empty if unknown")
	out := flag.String("out", "dist", "directory of the files, which is replaced")
	flag.Parse()
	if err := run(*version, *commit, *out); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// run builds a release of the module in the current directory, and then replaces the
// directory out.
func run(version, commit, out string) (err error) {
	r, err := newRelease(version, commit)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "caprun-dist-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	licences, err := readLicences()
	if err != nil {
		return err
	}
	common, err := commonFiles(licences)
	if err != nil {
		return err
	}
	completions, err := completionFiles(filepath.Join(work, "host"))
	if err != nil {
		return err
	}
	common = append(common, completions...)
	result := map[string][]byte{}
	for _, t := range targets {
		binary := filepath.Join(work, t.os+"-"+t.arch, t.binary())
		if err := r.build(t, binary); err != nil {
			return err
		}
		if err := r.addTarget(result, t, binary, common, licences, work); err != nil {
			return fmt.Errorf("%s/%s: %w", t.os, t.arch, err)
		}
	}
	result["SHA256SUMS"] = checksums(result)
	return writeDirectory(out, result)
}

// addTarget adds the files of a target to those of the release.
func (r release) addTarget(result map[string][]byte, t target, binary string, common []file, licences []licence, work string) error {
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("caprun-%s-%s-%s", r.version, t.os, t.arch)
	files := append([]file{{name: t.binary(), mode: 0o755, data: program}}, common...)
	if t.os == "windows" {
		result[name+".zip"], err = r.zip(name, files)
	} else {
		result[name+".tar.gz"], err = r.tarGz(name, files)
	}
	if err != nil {
		return err
	}
	if result[name+".cdx.json"], err = r.components(binary, licences); err != nil {
		return err
	}
	if t.os == "linux" {
		result[r.debName(t)], err = r.deb(t, debFiles(r, program, common, licences), work)
	}
	return err
}

// writeDirectory replaces a directory. The modes of the files do not depend on the umask.
func writeDirectory(dir string, files map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := writeFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
