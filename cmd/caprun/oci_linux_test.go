package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"caprun/internal/test/requires"
)

// ociRuntime is a container runtime.
type ociRuntime struct {
	name    string
	command []string // the words before the subcommand
	flags   []string // of the subcommand run
	proc    bool     // containers need the proc file system
}

// newRuntime finds a runtime, or skips the test. The runtime keeps its state in dir.
func newRuntime(t *testing.T, name, dir string) ociRuntime {
	t.Helper()
	requires.Root(t)
	path, state := requires.Tool(t, name), filepath.Join(dir, "state")
	if name == "runc" {
		return ociRuntime{name, []string{path, "--root", state}, []string{"--no-new-keyring"}, true}
	}
	private := []string{requires.Tool(t, "unshare"), "--mount", requires.Tool(t, "sh"), "-c", `umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"`, "sh"}
	return ociRuntime{name, append(private, path, "--cgroup-manager=disabled", "--root", state), nil, false}
}

// ociConfig has the parts of a config.json that these tests need.
type ociConfig struct {
	Version string     `json:"ociVersion"`
	Root    ociRoot    `json:"root"`
	Mounts  []ociMount `json:"mounts"`
	Process ociProcess `json:"process"`
	Linux   ociLinux   `json:"linux"`
}

type ociRoot struct {
	Path     string `json:"path"`
	Readonly bool   `json:"readonly"`
}

type ociMount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options,omitempty"`
}

type ociProcess struct {
	User            ociUser  `json:"user"`
	Args            []string `json:"args"`
	Env             []string `json:"env"`
	Cwd             string   `json:"cwd"`
	Capabilities    ociCaps  `json:"capabilities"`
	NoNewPrivileges bool     `json:"noNewPrivileges"`
	Misspelled      bool     `json:"noNewPrivilege,omitempty"`
}

type ociUser struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"additionalGids,omitempty"`
}

// ociCaps are capability sets, with names such as CAP_KILL.
type ociCaps struct {
	Bounding    []string `json:"bounding"`
	Effective   []string `json:"effective"`
	Permitted   []string `json:"permitted"`
	Inheritable []string `json:"inheritable,omitempty"`
	Ambient     []string `json:"ambient,omitempty"`
}

type ociLinux struct {
	Namespaces  []ociNamespace `json:"namespaces"`
	UIDMappings []ociMapping   `json:"uidMappings,omitempty"`
	GIDMappings []ociMapping   `json:"gidMappings,omitempty"`
}

type ociNamespace struct {
	Type string `json:"type"`
}

type ociMapping struct {
	ContainerID uint32 `json:"containerID"`
	HostID      uint32 `json:"hostID"`
	Size        uint32 `json:"size"`
}

// mappedRoot is the uid to which a user namespace maps uid 0.
const mappedRoot = 100000

// containerTimeout bounds one container.
const containerTimeout = hangs

// containerResult is the result of a container.
type containerResult struct {
	stdout, stderr string
	status         int
}

// run runs a container until it ends.
func (r ociRuntime) run(t *testing.T, c ociConfig) containerResult {
	t.Helper()
	cmd, _ := r.start(t, c)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return containerResult{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// start writes the bundle of a container. It returns the command that runs it, and the
// file for its process ID. The container is deleted at the end of the test.
func (r ociRuntime) start(t *testing.T, c ociConfig) (cmd *exec.Cmd, pidFile string) {
	t.Helper()
	bundle := t.TempDir()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(bundle, "config.json"), text, 0o600)
	// The name of the directory, which is unique, is also that of the container.
	id, pidFile := fmt.Sprintf("caprun-test-%d-%s", os.Getpid(), filepath.Base(bundle)), filepath.Join(bundle, "pid")
	ctx, cancel := context.WithTimeout(t.Context(), containerTimeout)
	args := slices.Concat(r.command, []string{"run", "--bundle", bundle, "--pid-file", pidFile}, r.flags, []string{id})
	cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = 10 * time.Second
	t.Cleanup(func() {
		cancel()
		// The runtime has already deleted a container that has ended.
		args := slices.Concat(r.command, []string{"delete", "--force", id})
		_ = exec.Command(args[0], args[1:]...).Run()
	})
	return cmd, pidFile
}
