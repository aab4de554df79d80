//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// example is the directory of the example.
const example = "examples/container/"

// A built is an image of the example, and one that also has the reporter.
type built struct {
	dockerfile string
	image      string
	reported   string
}

// The images, by their Dockerfiles.
var (
	sealed = built{"Dockerfile", "caprun-web", "caprun-web-creds"}
	full   = built{"Dockerfile.caprun", "caprun-full", "caprun-full-creds"}
	users  = built{"Dockerfile.users", "caprun-users", "caprun-users-creds"}
)

// A base is an image that a Dockerfile begins with, made from files of this machine.
type base struct {
	name  string
	files []string
	env   []string
}

// bases are those of the Dockerfiles. What they use is in them: Go at the path of the
// official image, a shell, the programs of the build and of the script, and a user
// database.
var bases = []base{
	{"golang:1.26", []string{"/bin/sh", "/usr/bin/install"}, []string{
		"PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GOPATH=/go", "GOTOOLCHAIN=local",
	}},
	{"debian:bookworm-slim", []string{"/bin/sh", "/bin/mkdir", "/bin/chown", "/etc/passwd", "/etc/group"}, []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}},
}

// build builds all images.
func build(e engineOf, dir string) error {
	for _, b := range bases {
		fmt.Printf("the base image %s, of files of this machine\n", b.name)
		if err := importBase(e, dir, b); err != nil {
			return err
		}
	}
	if err := runHere("go", "mod", "download"); err != nil {
		return err
	}
	cache, err := output("go", "env", "GOCACHE")
	if err != nil {
		return err
	}
	modules, err := output("go", "env", "GOMODCACHE")
	if err != nil {
		return err
	}
	context := filepath.Join(dir, "reporter")
	if err := os.Mkdir(context, 0o755); err != nil {
		return err
	}
	if err := runHere("go", "build", "-buildvcs=false", "-o", filepath.Join(context, "creds"), "./internal/test/creds"); err != nil {
		return err
	}
	for _, b := range []built{sealed, full, users} {
		if err := checkBases(b.dockerfile); err != nil {
			return err
		}
		// The caches are mounted with an overlay: the build changes a copy.
		_, err = e.must(buildTimeout, "build", "--pull=never", "--network=none",
			"--volume", cache+":/root/.cache/go-build:O", "--volume", modules+":/go/pkg/mod:O",
			"--tag", b.image, "--file", example+b.dockerfile, ".")
		if err != nil {
			return err
		}
		dockerfile := "FROM localhost/" + b.image + "\nCOPY creds /creds\n"
		if err := os.WriteFile(filepath.Join(context, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
			return err
		}
		if _, err = e.must(buildTimeout, "build", "--pull=never", "--tag", b.reported, context); err != nil {
			return err
		}
		if err := printImage(e, b, dir); err != nil {
			return err
		}
	}
	return nil
}

// printImage prints the size of an image and, if it is small, its files.
func printImage(e engineOf, b built, dir string) error {
	size, err := e.must(runTimeout, "image", "inspect", "--format={{.Size}}", b.image)
	if err != nil {
		return err
	}
	fmt.Printf("the image %s, from %s%s: %s bytes\n", b.image, example, b.dockerfile, size)
	id, err := e.must(runTimeout, "create", b.image)
	if err != nil {
		return err
	}
	archive := filepath.Join(dir, "image.tar")
	_, exported := e.must(runTimeout, "export", "--output", archive, id)
	_, removed := e.must(runTimeout, "rm", id)
	if err := errors.Join(exported, removed); err != nil {
		return err
	}
	list, err := output("tar", "--list", "--verbose", "--numeric-owner", "--file", archive)
	if err == nil && strings.Count(list, "\n") < 12 {
		fmt.Println(list)
	}
	return errors.Join(err, os.Remove(archive))
}

// checkBases reports a base image of a Dockerfile that is not in the list.
func checkBases(dockerfile string) error {
	text, err := os.ReadFile(example + dockerfile)
	if err != nil {
		return err
	}
	known := []string{"scratch"}
	for _, b := range bases {
		known = append(known, b.name)
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "FROM" {
			continue
		}
		if !slices.Contains(known, words[1]) {
			return fmt.Errorf("%s: no base image %s: add it to the list", dockerfile, words[1])
		}
		if len(words) == 4 {
			known = append(known, words[3])
		}
	}
	return nil
}

// importBase makes a base image.
func importBase(e engineOf, dir string, b base) error {
	root := filepath.Join(dir, "base")
	if err := os.MkdirAll(filepath.Join(root, "usr/local/bin"), 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "var/lib"), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(root, "tmp"), 0o777); err != nil {
		return err
	}
	if strings.HasPrefix(b.name, "golang:") {
		goroot, err := output("go", "env", "GOROOT")
		if err != nil {
			return err
		}
		if err := runHere("cp", "-a", goroot, filepath.Join(root, "usr/local/go")); err != nil {
			return err
		}
	}
	for _, file := range b.files {
		files := []string{file}
		if !strings.HasPrefix(file, "/etc/") {
			libraries, err := output("ldd", file)
			if err != nil {
				return err
			}
			files = append(regexp.MustCompile(`/[^ ]+`).FindAllString(libraries, -1), file)
		}
		if err := runHere("cp", append([]string{"--parents", "--dereference", "--target-directory=" + root}, files...)...); err != nil {
			return err
		}
	}
	archive := filepath.Join(dir, "base.tar")
	if err := runHere("tar", "--create", "--file", archive, "--directory", root, "."); err != nil {
		return err
	}
	args := []string{"import"}
	for _, variable := range b.env {
		args = append(args, "--change", "ENV "+variable)
	}
	_, err := e.must(buildTimeout, append(args, archive, "docker.io/library/"+b.name)...)
	return errors.Join(err, os.Remove(archive), os.RemoveAll(root))
}

// runHere runs a command of this machine without cgo, for static programs.
func runHere(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// output returns the output of a command.
func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
