package cap

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// hungRoles run in a new mount namespace.
var hungRoles = reexec.Roles{"launch-hung": launchHung}

// launchHung launches programs on a file system that does not respond, more than
// GOMAXPROCS, and at the same time a program on another file system.
func launchHung() {
	watch()
	try(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	dir, err := os.MkdirTemp("", "hung")
	try(err)
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Mount("hung", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", device))
	}
	if err != nil {
		os.Remove(dir)
		fmt.Println("no FUSE:", err)
		return
	}
	leadsOut(filepath.Join(dir, "program"))
	errs := make(chan error)
	var begun sync.WaitGroup
	hung := 4 * runtime.GOMAXPROCS(0)
	begun.Add(hung)
	for n := range hung {
		l := NewLauncher(filepath.Join(dir, "program"), []string{"program"}, nil)
		if n%2 == 1 {
			l.path = "/program"
			l.SetChroot(dir)
		}
		go func() {
			begun.Done()
			_, err := l.Launch(nil)
			errs <- err
		}()
	}
	begun.Wait()
	for range 3 {
		pid, err := NewLauncher("/bin/true", []string{"true"}, nil).Launch(nil)
		try(err)
		_, err = syscall.Wait4(pid, nil, 0, nil)
		try(err)
		// It stops all goroutines, and waits for those that cannot be stopped.
		runtime.GC()
	}
	select {
	case err := <-errs:
		fmt.Println("a launch has ended:", err)
	default:
		fmt.Println("others run")
	}
	// Without a server, a launch does not wait for the file system.
	unix.Close(device)
	for range hung {
		if err := <-errs; err == nil {
			fmt.Println("a program was there")
		}
	}
	try(unix.Unmount(dir, unix.MNT_DETACH))
	try(os.Remove(dir))
}

// leadsOut launches a program with another root directory. The program is a symbolic link
// to a path that exists only outside that directory.
func leadsOut(path string) {
	jail, err := os.MkdirTemp("", "jail")
	try(err)
	defer os.RemoveAll(jail)
	try(os.Symlink(path, filepath.Join(jail, "program")))
	l := NewLauncher("/program", []string{"program"}, nil)
	l.SetChroot(jail)
	if _, err := l.Launch(nil); err != syscall.ENOENT {
		fmt.Println("a link that leads out of the root directory:", err)
	}
}

// TestLaunchHung: programs on a file system that does not respond delay no other launch
// and no other goroutine. Neither does a symbolic link in a new root directory that would
// lead to such a file system outside.
func TestLaunchHung(t *testing.T) {
	requires.Root(t)
	if able, err := GetProc().GetFlag(Effective, SYS_ADMIN); err != nil || !able {
		requires.Skip(t, "a mount namespace of its own: "+SYS_ADMIN.String())
	}
	r := reexec.Run(t, "launch-hung", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	})
	if strings.HasPrefix(r.Stdout, "no FUSE") {
		requires.Skip(t, r.Stdout)
	}
	if r.Stdout != "others run\n" || r.Status != 0 {
		t.Errorf("status %d: %s%s", r.Status, r.Stdout, r.Stderr)
	}
}
