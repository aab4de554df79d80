//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// limit for one command
const (
	buildTimeout = 20 * time.Minute
	runTimeout   = time.Minute
)

// engineOf is Podman with one runtime, and separate storage.
type engineOf struct {
	runtime string
	command []string
	env     []string
}

// configuration takes no settings from the machine. Podman raises limits unless
// default_ulimits is set, which requires cap_sys_resource.
const configuration = `[containers]
default_ulimits = ["nofile=%[1]d:%[1]d", "nproc=%[2]d:%[2]d"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`

// storage is the configuration of the storage.
const storage = `[storage]
driver = "overlay"
graphroot = "%[1]s/storage"
runroot = "%[1]s/run"
`

// engines returns Podman with each runtime of this machine.
func engines(dir string) ([]engineOf, error) {
	files, err := limit(unix.RLIMIT_NOFILE)
	if err != nil {
		return nil, err
	}
	processes, err := limit(unix.RLIMIT_NPROC)
	if err != nil {
		return nil, err
	}
	conf, store := filepath.Join(dir, "containers.conf"), filepath.Join(dir, "storage.conf")
	if err := errors.Join(
		os.WriteFile(conf, fmt.Appendf(nil, configuration, files, processes), 0o644),
		os.WriteFile(store, fmt.Appendf(nil, storage, dir), 0o644),
	); err != nil {
		return nil, err
	}
	env := append(os.Environ(), "CONTAINERS_CONF="+conf, "CONTAINERS_STORAGE_CONF="+store)
	var list []engineOf
	for _, name := range []string{"runc", "crun"} {
		if _, err := exec.LookPath(name); err != nil {
			continue
		}
		command := []string{"podman", "--runtime", name, "--tmpdir", filepath.Join(dir, "tmp")}
		if name == "crun" {
			// It fails on a machine where cgroup v2 is mounted next to v1.
			hide := []string{"unshare", "--mount", "sh", "-c", `umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"`, "sh"}
			command = append(hide, command...)
		}
		list = append(list, engineOf{name, command, env})
	}
	if len(list) == 0 {
		return nil, errors.New("requires runc or crun")
	}
	return list, nil
}

// limit returns the resource limit for a container, at most that of this process.
func limit(resource int) (uint64, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(resource, &l); err != nil {
		return 0, err
	}
	return min(l.Max, 4096), nil
}

// end is the result of a command.
type end struct {
	stdout, stderr string
	status         int
}

// run runs a command of Podman, whatever its status.
func (e engineOf) run(limit time.Duration, args ...string) (end, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	all := slices.Concat(e.command, args)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Env, cmd.WaitDelay = e.env, time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return end{}, fmt.Errorf("podman %s: %w", strings.Join(args, " "), errors.Join(err, ctx.Err()))
	}
	return end{out.String(), errs.String(), cmd.ProcessState.ExitCode()}, nil
}

// must runs a command of Podman that must exit with status 0, and returns the last
// line of its output.
func (e engineOf) must(limit time.Duration, args ...string) (string, error) {
	got, err := e.run(limit, args...)
	if err != nil {
		return "", err
	}
	if got.status != 0 {
		return "", fmt.Errorf("podman %s: status %d: %s%s", strings.Join(args, " "), got.status, got.stdout, got.stderr)
	}
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	return lines[len(lines)-1], nil
}

// clean empties the storage: containers first, for their mounts.
func (e engineOf) clean() error {
	_, pods := e.must(runTimeout, "pod", "rm", "--all", "--force", "--time", "0")
	_, containers := e.must(runTimeout, "rm", "--all", "--force", "--time", "0")
	_, images := e.must(runTimeout, "rmi", "--all", "--force")
	return errors.Join(pods, containers, images)
}
