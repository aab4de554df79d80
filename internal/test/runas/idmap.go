//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// idmap mounts a directory over itself, with mapped owners: ON-DISK:SHOWN:COUNT:PATH.
func idmap(value string) error {
	f := strings.SplitN(value, ":", 4)
	if len(f) != 4 {
		return errors.New("not ON-DISK:SHOWN:COUNT:PATH")
	}
	ids := []syscall.SysProcIDMap{{ContainerID: int(parse(f[0])), HostID: int(parse(f[1])), Size: int(parse(f[2]))}}
	// A process that waits for its input to end holds the user namespace.
	cmd := exec.Command("/proc/self/exe", "wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", cmd.Process.Pid))
	err = errors.Join(err, in.Close(), cmd.Wait())
	if err != nil {
		return err
	}
	defer ns.Close()
	tree, err := unix.OpenTree(unix.AT_FDCWD, f[3], unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns.Fd())}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return err
	}
	return unix.MoveMount(tree, "", unix.AT_FDCWD, f[3], unix.MOVE_MOUNT_F_EMPTY_PATH)
}
