//go:build linux

// Command podman builds the images of examples/container with Podman, from their
// Dockerfiles, and starts them in the ways of docs/containers.md.
//
//	go run ./internal/test/podman [TEXT]
//
// With TEXT, it tries only the ways whose name contains it.
//
// It requires root and podman. It starts each container with a reporter instead of
// caprun, which shows that the caller is the expected one, and with the reporter as the
// target of caprun and of the sealed launcher. The target's state, or the message of a
// refusal by caprun, must be the one that explain prints for that caller.
//
// It uses no registry: the base images are made from files of this machine, which must
// be Debian, and the modules come from this machine's cache. Images, containers and configuration are in a
// temporary directory, which it removes at the end.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "podman:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	if os.Geteuid() != 0 {
		return errors.New("needs root")
	}
	if _, err := exec.LookPath("podman"); err != nil {
		return errors.New("requires podman: apt-get install podman catatonit")
	}
	if _, err := os.Stat(example + sealed.dockerfile); err != nil {
		return fmt.Errorf("start this from the root directory of the repository: %w", err)
	}
	dir, err := os.MkdirTemp("", "caprun-podman-")
	if err != nil {
		return err
	}
	var all []engineOf
	defer func() {
		for _, e := range all {
			err = errors.Join(err, e.clean())
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	// Another user must reach the files of a container.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if all, err = engines(dir); err != nil {
		return err
	}
	if err := build(all[0], dir); err != nil {
		return err
	}
	failed := 0
	for _, e := range all {
		for _, c := range cases() {
			if len(os.Args) > 1 && !strings.Contains(c.name, os.Args[1]) {
				continue
			}
			err := c.try(e)
			result := "ok"
			if err != nil {
				failed++
				result = "FAILED: " + err.Error()
			}
			fmt.Printf("%-5s %-45s %s\n", e.runtime, c.name, result)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d failed", failed)
	}
	return nil
}
