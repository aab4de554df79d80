package learned

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"caprun/internal/test/command"
	"caprun/internal/test/reexec"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	reexec.Main(tests{m}, reexec.Roles{"box": boxRole})
}

type tests struct{ *testing.M }

func (m tests) Run() int { return command.Main(m.M) }

// box is a command in namespaces of its own: it cannot reach the network, the processes
// or the files of the machine in a directory that it writes to.
type box struct {
	Dirs  []string // directories whose content is copied to memory
	Setup string   // a shell script that runs first
	Argv  []string
}

// run runs the command, and returns what it printed and its exit status.
func (b box) run(t *testing.T) (stdout, stderr string, status int) {
	t.Helper()
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	cmd := reexec.Command("box")
	cmd.Env = append(cmd.Env, "BOX="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
	}
	return command.Run(t, cmd)
}

// boxRole is process 1 of the namespaces: the kernel ends all others with it.
func boxRole() {
	var b box
	err := json.Unmarshal([]byte(os.Getenv("BOX")), &b)
	if err == nil {
		err = b.enter()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "enter the namespaces:", err)
		os.Exit(99)
	}
	cmd := exec.Command(b.Argv[0], b.Argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	os.Exit(cmd.ProcessState.ExitCode())
}

// work is the directory of the programs, in memory.
const work = "/run/box"

func (b box) enter() error {
	unix.Umask(0o022)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	const plain = unix.MS_NOSUID | unix.MS_NODEV
	if err := unix.Mount("proc", "/proc", "proc", plain|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	for _, dir := range b.Dirs {
		if err := copyToMemory(dir); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	if err := os.MkdirAll("/run", 0o755); err != nil {
		return err
	}
	// Devices are permitted there.
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	os.Clearenv()
	for name, value := range map[string]string{"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"} {
		os.Setenv(name, value)
	}
	if err := os.Chdir(work); err != nil {
		return err
	}
	if b.Setup == "" {
		return nil
	}
	if out, err := exec.Command("/bin/sh", "-ec", b.Setup).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// copyToMemory mounts a file system in memory on a directory, with its content.
func copyToMemory(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	old, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer old.Close()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("mode=%o", info.Mode().Perm())); err != nil {
		return err
	}
	st := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(dir, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	cp := exec.Command("cp", "-a", "/proc/self/fd/3/.", dir)
	cp.ExtraFiles = []*os.File{old}
	if out, err := cp.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// loopbackUp sets the loopback interface up: netdevice(7).
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(request))); errno != 0 {
		return fmt.Errorf("set the loopback interface up: %w", errno)
	}
	return nil
}

// caprun returns the path of a caprun that every user can execute, outside of the
// directories that a box replaces.
func caprun(t *testing.T) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(command.Caprun(t))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
