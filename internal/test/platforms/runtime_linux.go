//go:build linux

package platforms

import (
	"bytes"
	"context"
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

// A Runtime is a container runtime, runc or crun. It also works on a machine that is a
// container itself, for a configuration without limits and without linux.resources:
//
//   - runc gets --no-new-keyring: the machine may have too few keyrings, or forbid them.
//   - crun gets --cgroup-manager=disabled. It still refuses a machine on which cgroup v2
//     is mounted next to v1, so it runs in a mount namespace without that mount.
type Runtime struct {
	Name string

	// Proc reports that containers need the proc file system: runc reads
	// /proc/self/fd of the container before it starts anything.
	Proc bool

	command []string // the words before the subcommand
	flags   []string // of the subcommand run
}

// NewRuntime finds a runtime, or skips the test. The runtime keeps its state in dir.
func NewRuntime(t *testing.T, name, dir string) Runtime {
	t.Helper()
	requires.Root(t)
	path, state := requires.Tool(t, name), filepath.Join(dir, "state")
	if name == "runc" {
		return Runtime{name, true, []string{path, "--root", state}, []string{"--no-new-keyring"}}
	}
	private := []string{requires.Tool(t, "unshare"), "--mount", requires.Tool(t, "sh"), "-c", `umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"`, "sh"}
	return Runtime{name, false, append(private, path, "--cgroup-manager=disabled", "--root", state), nil}
}

// Container is the result of a container that has ended.
type Container struct {
	Stdout, Stderr string
	Status         int
}

// containerTimeout bounds one container.
const containerTimeout = time.Minute

// Run runs the container of a bundle, the directory with config.json, until it ends.
func (r Runtime) Run(t *testing.T, bundle string) Container {
	t.Helper()
	cmd, _ := r.Start(t, bundle)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return Container{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// Start returns the command that runs the container of a bundle, and the file for its
// process ID. The container is deleted at the end of the test.
func (r Runtime) Start(t *testing.T, bundle string) (cmd *exec.Cmd, pidFile string) {
	t.Helper()
	// The test's directories have unique parents, and the bundle a name in it.
	id := fmt.Sprintf("caprun-test-%d-%s-%s", os.Getpid(), filepath.Base(filepath.Dir(bundle)), filepath.Base(bundle))
	pidFile = filepath.Join(bundle, "pid")
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
