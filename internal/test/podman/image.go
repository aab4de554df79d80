//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// example is the directory of the example.
const example = "examples/container/"

// The images. The second also has the reporter.
const (
	image    = "caprun-web"
	reported = "caprun-creds"
)

// build builds both images.
func build(e engineOf, dir string) error {
	base, err := baseName()
	if err != nil {
		return err
	}
	fmt.Printf("the base image %s, of this machine's Go\n", base)
	if err := importBase(e, dir, base); err != nil {
		return err
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
	fmt.Printf("the image %s, from %sDockerfile\n", image, example)
	// The caches are mounted with an overlay: the build changes a copy.
	_, err = e.must(buildTimeout, "build", "--pull=never", "--network=none",
		"--volume", cache+":/root/.cache/go-build:O", "--volume", modules+":/go/pkg/mod:O",
		"--tag", image, "--file", example+"Dockerfile", ".")
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
	dockerfile := "FROM localhost/" + image + "\nCOPY creds /creds\n"
	if err := os.WriteFile(filepath.Join(context, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		return err
	}
	_, err = e.must(buildTimeout, "build", "--pull=never", "--tag", reported, context)
	return err
}

// baseName returns the full name of the Dockerfile's base image.
func baseName() (string, error) {
	text, err := os.ReadFile(example + "Dockerfile")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "FROM" {
			return "docker.io/library/" + words[1], nil
		}
	}
	return "", errors.New("the Dockerfile has no FROM")
}

// importBase makes a base image with what the Dockerfile uses: Go at the path of the
// official image, a shell and install(1).
func importBase(e engineOf, dir, name string) error {
	goroot, err := output("go", "env", "GOROOT")
	if err != nil {
		return err
	}
	root := filepath.Join(dir, "base")
	if err := os.MkdirAll(filepath.Join(root, "usr/local"), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(root, "tmp"), 0o777); err != nil {
		return err
	}
	if err := runHere("cp", "-a", goroot, filepath.Join(root, "usr/local/go")); err != nil {
		return err
	}
	for _, program := range []string{"/bin/sh", "/usr/bin/install"} {
		libraries, err := output("ldd", program)
		if err != nil {
			return err
		}
		files := append(regexp.MustCompile(`/[^ ]+`).FindAllString(libraries, -1), program)
		if err := runHere("cp", append([]string{"--parents", "--dereference", "--target-directory=" + root}, files...)...); err != nil {
			return err
		}
	}
	archive := filepath.Join(dir, "base.tar")
	if err := runHere("tar", "--create", "--file", archive, "--directory", root, "."); err != nil {
		return err
	}
	_, err = e.must(buildTimeout, "import",
		"--change", "ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"--change", "ENV GOPATH=/go", "--change", "ENV GOTOOLCHAIN=local", archive, name)
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
