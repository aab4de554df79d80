package observe

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// program describes an executed program. A path is resolved below the root directory of
// the process, or of the recorder if the process has ended; the file may have been replaced
// since the process executed it. Where the path
// depends on the process (/proc/self/exe, /dev/fd/3), and for the path "", it describes
// what the process executes now.
func (l live) program(pid int, path string) programFile {
	p := programFile{path: path}
	if path == "" || strings.HasPrefix(path, "/proc/") || strings.HasPrefix(path, "/dev/") {
		if path == "" {
			p.path, _ = l.link(pid, "exe")
		}
		fd, err := openAt(unix.AT_FDCWD, fmt.Sprintf("/proc/%d/exe", pid), unix.O_PATH)
		if err == nil {
			p.privileged = privileged(fd)
			unix.Close(fd)
		}
		return p
	}
	const interpreters = 5 // that are scripts themselves: exec_binprm (fs/exec.c)
	file := path
	for range interpreters + 1 {
		fd, err := openOf(pid, file)
		if err != nil {
			return p
		}
		found := privileged(fd)
		head, err := readHead(fd)
		unix.Close(fd)
		if err != nil {
			if found == Yes {
				p.privileged = Yes
			}
			return p
		}
		next, script := scriptInterpreter(head)
		if !script {
			// The kernel ignores the bits of scripts.
			p.privileged = found
			return p
		}
		if next == "" {
			return p
		}
		file, p.interpreter = next, next
	}
	return p
}

// openOf opens a file as a path with O_PATH, so that not even a device or a pipe has an
// effect. The path is one of the process, and its symbolic links too.
func openOf(pid int, path string) (fd int, err error) {
	from, resolve := "root", []uint64{unix.RESOLVE_IN_ROOT}
	if !strings.HasPrefix(path, "/") {
		// An absolute symbolic link would be resolved in the recorder's root directory.
		from, resolve = "cwd", []uint64{unix.RESOLVE_NO_SYMLINKS, unix.RESOLVE_BENEATH}
	}
	dir, err := openAt(unix.AT_FDCWD, fmt.Sprintf("/proc/%d/%s", pid, from), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil && from == "root" {
		dir, err = openAt(unix.AT_FDCWD, "/", unix.O_PATH|unix.O_DIRECTORY) // the process has ended
	}
	if err != nil {
		return -1, err
	}
	defer unix.Close(dir)
	for _, flag := range resolve {
		how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: flag | unix.RESOLVE_NO_MAGICLINKS}
		err = ignoreEINTR(func() error {
			fd, err = unix.Openat2(dir, path, &how)
			return err
		})
		if err == nil {
			return fd, nil
		}
	}
	return -1, err
}

// privileged reports whether a file, opened with O_PATH, gives privilege to what executes it.
func privileged(fd int) Tristate {
	var st unix.Stat_t
	if err := ignoreEINTR(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return Unknown
	}
	const setGID = unix.S_ISGID | unix.S_IXGRP // without the latter, the former means something else
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return Unknown
	case st.Mode&unix.S_ISUID != 0 || st.Mode&setGID == setGID:
		return Yes
	}
	err := ignoreEINTR(func() error {
		_, err := unix.Getxattr(fmt.Sprintf("/proc/self/fd/%d", fd), "security.capability", nil)
		return err
	})
	switch {
	case err == nil:
		return Yes
	case errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP):
		return No
	}
	return Unknown
}

// headSize is the number of bytes in which the kernel looks for the interpreter:
// BINPRM_BUF_SIZE of linux/binfmts.h.
const headSize = 256

// readHead returns the beginning of a regular file that is open with O_PATH.
func readHead(fd int) ([]byte, error) {
	var st unix.Stat_t
	if err := ignoreEINTR(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, unix.EINVAL
	}
	readable, err := openAt(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	defer unix.Close(readable)
	head := make([]byte, headSize)
	n := 0
	err = ignoreEINTR(func() error {
		n, err = unix.Pread(readable, head, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return head[:n], nil
}
