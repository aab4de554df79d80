package machine

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// formatsDir is the mount point of binfmt_misc.
const formatsDir = "/proc/sys/fs/binfmt_misc"

// readFormats returns the enabled formats of binfmt_misc; none if it is not mounted.
func readFormats() ([]format, error) {
	// With O_PATH the open does not trigger an automount.
	dir, err := openDir(unix.AT_FDCWD, formatsDir)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", formatsDir, err)
	}
	defer unix.Close(dir)
	var fs unix.Statfs_t
	if err := ignoreEINTR(func() error { return unix.Fstatfs(dir, &fs) }); err != nil {
		return nil, fmt.Errorf("%s: %w", formatsDir, err)
	}
	if fs.Type != unix.BINFMTFS_MAGIC {
		return nil, nil
	}
	list, err := formatsIn(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", formatsDir, err)
	}
	return list, nil
}

// formatsIn returns the enabled formats in a directory.
func formatsIn(dir int) ([]format, error) {
	const maxFormat, maxFormats = 8 << 10, 1 << 10
	status, err := readFileAt(dir, "status", maxFormat)
	if err != nil || string(status) != "enabled\n" {
		return nil, err
	}
	names, err := namesIn(dir)
	if err != nil {
		return nil, err
	}
	if len(names) > maxFormats {
		return nil, fmt.Errorf("%d formats; the limit is %d", len(names), maxFormats)
	}
	var list []format
	for _, name := range names {
		if name == "status" || name == "register" {
			continue
		}
		text, err := readFileAt(dir, name, maxFormat)
		if errors.Is(err, unix.ENOENT) {
			continue // it was removed
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		f, ok, err := parseFormat(name, text)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, f)
		}
	}
	return list, nil
}

// namesIn returns the names of the entries of a directory.
func namesIn(at int) ([]string, error) {
	dir, err := openAt(at, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	var names []string
	buf := make([]byte, 8192)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}
