package machine

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxMountTable is the maximum size of mountinfo, in bytes: 100000 mounts (fs.mount-max)
// with lines of 300 bytes.
const maxMountTable = 32 << 20

// mount is a line of proc_pid_mountinfo(5).
type mount struct {
	id            uint64
	device        string // of the file system: major:minor
	root          string // the directory of the file system that is mounted
	point         string // where it is mounted, below the root directory of the process
	writable      bool   // the mount is not read-only
	superWritable bool   // the file system is not read-only
}

// writableAs returns a path through which this mount namespace can write the open file or
// directory fd, apart from permissions: on its own mount, or on another mount of the same
// file system that contains it. The path is empty if there is none. The error is about
// determining that.
//
// Renames by other users do not make the result wrong. A user who renames a directory
// above fd can write its parent, so a writable mount contains both. The root of the topmost
// such mount cannot be renamed through any mount, so its path is a prefix of every path
// that fd can have.
func writableAs(fd int) (string, error) {
	proc, err := openProcFS()
	if err != nil {
		return "", err
	}
	defer unix.Close(proc)
	mounts, err := readMountTable(proc)
	if err != nil {
		return "", err
	}
	// After chroot(2) to a directory that is not a mount point, mountinfo lacks the
	// mount of the root directory and every mount not below it.
	root, err := openDir(unix.AT_FDCWD, "/")
	if err != nil {
		return "", err
	}
	defer unix.Close(root)
	if _, err := mountOf(proc, root, mounts); err != nil {
		return "", fmt.Errorf("the root directory: %w", err)
	}
	own, err := mountOf(proc, fd, mounts)
	if err != nil {
		return "", err
	}
	path, err := readLinkAt(proc, fmt.Sprintf("self/fd/%d", fd))
	if err != nil {
		return "", fmt.Errorf("/proc/self/fd: %w", err)
	}
	return own.writableAs(path, mounts)
}

// writableAs is the function writableAs for a path on the mount m.
func (m mount) writableAs(path string, mounts []mount) (string, error) {
	if !m.superWritable {
		return "", nil
	}
	below, ok := pathBelow(path, m.point)
	if !ok || !cleanPath(path) || !cleanPath(m.root) {
		return "", fmt.Errorf("/proc/thread-self/mountinfo does not show where %s is in its file system", path)
	}
	inside := filepath.Join(m.root, below)
	for _, other := range mounts {
		if other.device != m.device || !other.writable {
			continue
		}
		root := strings.TrimSuffix(other.root, "//deleted")
		if !cleanPath(root) {
			return "", fmt.Errorf("/proc/thread-self/mountinfo does not show which directory is mounted at %s", other.point)
		}
		if below, ok := pathBelow(inside, root); ok {
			return filepath.Join(other.point, below), nil
		}
	}
	return "", nil
}

// mountOf returns the mount of an open file.
func mountOf(proc, fd int, mounts []mount) (mount, error) {
	text, err := readFileAt(proc, fmt.Sprintf("self/fdinfo/%d", fd), maxMap)
	if err != nil {
		return mount{}, fmt.Errorf("/proc/self/fdinfo: %w", err)
	}
	var found []mount
	for line := range bytes.Lines(text) {
		field, ok := bytes.CutPrefix(line, []byte("mnt_id:"))
		if !ok {
			continue
		}
		id, err := strconv.ParseUint(string(bytes.TrimSpace(field)), 10, 64)
		if err != nil {
			return mount{}, fmt.Errorf("/proc/self/fdinfo: %w", err)
		}
		for _, m := range mounts {
			if m.id == id {
				found = append(found, m)
			}
		}
	}
	if len(found) != 1 {
		return mount{}, errors.New("/proc/thread-self/mountinfo does not list its mount")
	}
	return found[0], nil
}

// readMountTable returns the mounts that this process can see. proc is a descriptor of
// /proc.
func readMountTable(proc int) ([]mount, error) {
	text, err := readFileAt(proc, "thread-self/mountinfo", maxMountTable)
	if err != nil {
		return nil, fmt.Errorf("/proc/thread-self/mountinfo: %w", err)
	}
	mounts, err := parseMountinfo(text)
	if err != nil {
		return nil, fmt.Errorf("/proc/thread-self/mountinfo: %w", err)
	}
	return mounts, nil
}

// parseMountinfo parses a mountinfo file. It returns an error if a line is invalid.
func parseMountinfo(text []byte) ([]mount, error) {
	var mounts []mount
	for line := range strings.Lines(string(text)) {
		m, ok := parseMount(strings.TrimSuffix(line, "\n"))
		if !ok {
			return nil, fmt.Errorf("invalid line %q", line)
		}
		mounts = append(mounts, m)
	}
	return mounts, nil
}

// parseMount parses a line. Its fields are: ID, parent, device, root, mount point, options
// of the mount, any number of optional fields, a hyphen, type, source (may be empty),
// options of the file system.
func parseMount(line string) (m mount, ok bool) {
	const device, root, point, options, optional = 2, 3, 4, 5, 6
	const kind, source, super = 1, 2, 3 // after the hyphen
	f := strings.Split(line, " ")
	hyphen := optional
	for hyphen < len(f) && f[hyphen] != "-" {
		hyphen++
	}
	if len(f) < hyphen+super+1 || f[hyphen+kind] == "" || f[device] == "" {
		return m, false
	}
	var err error
	if m.id, err = strconv.ParseUint(f[0], 10, 64); err != nil {
		return m, false
	}
	m.device = f[device]
	var ok1, ok2, ok3, ok4 bool
	m.root, ok1 = unescapeOctal(f[root])
	m.point, ok2 = unescapeOctal(f[point])
	m.writable, ok3 = isWritable(f[options])
	m.superWritable, ok4 = isWritable(f[hyphen+super])
	return m, ok1 && ok2 && ok3 && ok4 && cleanPath(m.point)
}

// isWritable reports whether the first of the mount options, "rw" or "ro", is "rw".
func isWritable(options string) (writable, ok bool) {
	first, _, _ := strings.Cut(options, ",")
	return first == "rw", first == "rw" || first == "ro"
}

// unescapeOctal decodes the octal escapes by which the kernel writes spaces, tabs, line
// feeds and backslashes.
func unescapeOctal(s string) (string, bool) {
	const digits = 3
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(s, `\`)
		b.WriteString(plain)
		if !found {
			return b.String(), true
		}
		if len(rest) < digits {
			return "", false
		}
		n, err := strconv.ParseUint(rest[:digits], 8, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(n))
		s = rest[digits:]
	}
}

// cleanPath reports whether path is absolute and has no component that is empty, "." or
// "..".
func cleanPath(path string) bool { return filepath.IsAbs(path) && filepath.Clean(path) == path }

// pathBelow returns path relative to dir; both are absolute and clean. ok is false if path
// is neither dir nor below it.
func pathBelow(path, dir string) (below string, ok bool) {
	if path == dir {
		return "", true
	}
	return strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// isUnwritable reports whether no process of this mount namespace can write an open file or
// directory, whatever its mode. It ignores that a file can have another name elsewhere.
func isUnwritable(fd int) bool {
	if !readOnly(fd) {
		return false
	}
	path, err := writableAs(fd)
	return err == nil && path == ""
}

// readOnly reports whether the mount of an open file is read-only. Another mount of the
// same file system can be writable, see writableAs.
func readOnly(fd int) bool {
	var fs unix.Statfs_t
	err := unix.Fstatfs(fd, &fs)
	return err == nil && fs.Flags&unix.ST_RDONLY != 0
}
