//go:build linux

package platforms

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Manager is the path of systemd on Debian.
const Manager = "/lib/systemd/systemd"

// Output is the directory in the root of a System whose files Boot returns. Every user can
// write there.
const Output = "/platform/out"

// A System is what runs below systemd.
type System struct {
	// Units has the texts of units and drop-ins by their path below
	// /run/systemd/system, such as "a.service" and "a.service.d/b.conf".
	Units map[string]string

	// Files are written into the root, which otherwise is that of the machine. Keys
	// are absolute paths.
	Files map[string]File

	// Start has the units to start. Boot returns when each has started, which for
	// Type=oneshot is when it ended, or has failed.
	Start []string
}

// A File is a file in the root of a System.
type File struct {
	Text []byte
	Mode fs.FileMode
}

// A Run is what remains of a System.
type Run struct {
	Files map[string]string // the files below Output, by their path there
	Log   string            // of systemd
}

// target wants all units of Start, and end runs after them.
const (
	target = "platform-test.target"
	end    = "platform-test-end.service"
)

//go:embed boot.sh
var script string

// Boot starts systemd as PID 1 of new mount, pid, network, IPC, UTS and cgroup namespaces,
// over a root that is an overlay of the machine's, and returns what the units wrote below
// Output. Nothing of the machine changes. When ctx ends, systemd and everything below it
// are killed, and the error says so; the Run then has what there is.
func Boot(ctx context.Context, s System) (run Run, err error) {
	// systemd is killed when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dir, err := os.MkdirTemp("", "platform-test-")
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := s.write(dir); err != nil {
		return run, err
	}
	group, err := newCgroup()
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, group.remove()) }()

	log, err := newConsole()
	if err != nil {
		return run, err
	}
	var early bytes.Buffer // errors of the script
	defer func() { run.Log = early.String() + log.close() }()
	c := exec.CommandContext(ctx, "/bin/sh", "-euc", script, "boot", dir, Manager, target, log.path)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	c.Stdout, c.Stderr = &early, &early
	c.WaitDelay = 10 * time.Second
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
			unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP,
		Pdeathsig: unix.SIGKILL, UseCgroupFD: true, CgroupFD: int(group.Fd()),
	}
	if err := c.Start(); err != nil {
		return run, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	err = wait(ctx, filepath.Join(dir, "out", "end"), ended)
	_ = c.Process.Kill() // PID 1 of the namespace: everything in it ends
	if err == nil {
		<-ended
	}
	files, readErr := readFiles(filepath.Join(dir, "out"))
	run.Files = files
	return run, errors.Join(err, readErr)
}

// wait returns nil when the file exists.
func wait(ctx context.Context, file string, ended <-chan error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("systemd ended before the units: %v, %w", err, context.Cause(ctx))
		case <-tick.C:
			if st, err := os.Stat(file); err == nil && st.Size() > 0 {
				return nil
			}
		}
	}
}

// write writes the units and files below dir, from where the script takes them.
func (s System) write(dir string) error {
	units := map[string]string{
		target: "[Unit]\nDefaultDependencies=no\nWants=" + strings.Join(slices.Concat(s.Start, []string{end}), " ") + "\n",
		end: "[Unit]\nDefaultDependencies=no\nAfter=" + strings.Join(s.Start, " ") + "\n" +
			"[Service]\nType=oneshot\nExecStart=/bin/echo end\nStandardOutput=truncate:" + Output + "/end\n",
	}
	for name, text := range s.Units {
		units[name] = text
	}
	all := map[string]File{}
	for name, text := range units {
		all[filepath.Join("units", name)] = File{[]byte(text), 0o644}
	}
	for name, f := range s.Files {
		all[filepath.Join("files", name)] = f
	}
	for name, f := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Text, f.Mode); err != nil {
			return err
		}
	}
	for _, name := range []string{"files", "overlay", "out"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(filepath.Join(dir, "out"), 0o777)
}

// maxOutput is the largest output of a unit, in bytes.
const maxOutput = 1 << 20

func readFiles(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		if info, err := e.Info(); err != nil || info.Size() > maxOutput {
			return fmt.Errorf("%s: larger than %d bytes, %w", path, maxOutput, err)
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(text)
		return err
	})
	return files, err
}

// A cgroup is the directory of a control group.
type cgroup struct{ *os.File }

// newCgroup makes a control group in the hierarchy of version 2.
func newCgroup() (cgroup, error) {
	for _, root := range [...]string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var st unix.Statfs_t
		if unix.Statfs(root, &st) != nil || st.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		dir, err := os.MkdirTemp(root, "platform-test-")
		if err != nil {
			return cgroup{}, err
		}
		f, err := os.Open(dir)
		return cgroup{f}, err
	}
	return cgroup{}, errors.New("no hierarchy of cgroups of version 2 is mounted")
}

// remove kills what is left in the group and removes it with the groups below it.
func (g cgroup) remove() error {
	defer g.Close()
	if err := os.WriteFile(filepath.Join(g.Name(), "cgroup.kill"), []byte("1"), 0); err != nil {
		return err
	}
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = removeGroups(g.Name()); err == nil {
			return nil
		}
	}
	return err
}

func removeGroups(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.IsDir() {
			if err := removeGroups(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return os.Remove(dir)
}
