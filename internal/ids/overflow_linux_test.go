package ids

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	reexec.Main(m, reexec.Roles{
		"other":    func() { coverOverflow("/proc/sys/kernel/cap_last_cap") },
		"not proc": func() { coverOverflow("/etc/passwd") },
	})
}

// coverOverflow mounts file over that of the overflow user ID, in a new mount namespace,
// and prints which IDs may be unmapped.
func coverOverflow(file string) {
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err == nil {
		err = unix.Mount(file, "/proc/sys/kernel/overflowuid", "", unix.MS_BIND, "")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(77)
	}
	last, _ := readID("/proc/sys/kernel/cap_last_cap")
	fmt.Println(MayBeUnmappedUID(last), MayBeUnmappedUID(1000), MayBeUnmappedUID(65535), MayBeUnmappedUID(65536), MayBeUnmappedGID(1000))
}

// TestOverflow: only the overflow ID of the kernel may be unmapped, or every ID if the
// file is not one of /proc.
func TestOverflow(t *testing.T) {
	requires.Root(t)
	for role, want := range map[string]string{
		"other":    "true false false false false\n",
		"not proc": "true true true false true\n",
	} {
		r := reexec.Run(t, role, func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		})
		if r.Status == 77 {
			requires.Skip(t, "a mount over a file of /proc: "+r.Stdout)
		}
		if r.Stdout != want || r.Status != 0 {
			t.Errorf("%s: status %d, got %q, want %q %s", role, r.Status, r.Stdout, want, r.Stderr)
		}
	}
}
