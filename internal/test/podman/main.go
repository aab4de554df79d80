//go:build linux

// Command podman builds the image of examples/container with Podman, from its
// Dockerfile, and starts it in the ways of docs/containers.md.
//
//	go run ./internal/test/podman [TEXT]
//
// With TEXT, only the ways whose name has it are tried.
//
// It needs root and podman. Each container is started twice: with a reporter in
// the place of caprun, which shows that the start is the one meant, and with
// the reporter as caprun's target. Its state must be the one that explain
// predicts for that start, or the message the one that explain prints.
//
// No registry is asked: the base image is made of this machine's Go, and the
// modules come from this machine's cache. Images, containers and configuration
// lie in a temporary directory, which is removed at the end.
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
		return errors.New("needs podman: apt-get install podman")
	}
	if _, err := os.Stat(example + "Dockerfile"); err != nil {
		return fmt.Errorf("start it from the root of the repository: %w", err)
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
