package observe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// tracefs is the root directory of the kernel's trace file system.
type tracefs struct{ dir *os.File }

// traceDirs are the directories where tracefs is mounted: Documentation/trace/ftrace.rst.
var traceDirs = []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}

// openTracefs opens tracefs where it is mounted, or mounts it for this process only.
func openTracefs() (tracefs, error) {
	for _, path := range traceDirs {
		fd, err := openAt(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_DIRECTORY)
		switch {
		case err == nil:
		case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR):
			continue
		default:
			return tracefs{}, fmt.Errorf("open %s: %w; use uid 0", path, err)
		}
		var fs unix.Statfs_t
		err = ignoreEINTR(func() error { return unix.Fstatfs(fd, &fs) })
		if err == nil && int64(fs.Type) == unix.TRACEFS_MAGIC {
			return tracefs{os.NewFile(uintptr(fd), path)}, nil
		}
		unix.Close(fd) // only the directory to mount it on
	}
	fd, err := mountTracefs()
	switch {
	case errors.Is(err, unix.ENODEV):
		return tracefs{}, errors.New("tracefs: the kernel does not have it; use a kernel with CONFIG_FTRACE")
	case err != nil:
		return tracefs{}, fmt.Errorf("tracefs is not mounted, and cannot be mounted for this process: %w; run \"mount -t tracefs tracefs /sys/kernel/tracing\" as root", err)
	}
	return tracefs{os.NewFile(uintptr(fd), "tracefs")}, nil
}

func (t tracefs) close() error { return t.dir.Close() }

// maxTraceFile limits what is read of a file of tracefs.
const maxTraceFile = 4 << 20

// read returns the text of a file.
func (t tracefs) read(path string) (string, error) {
	fd, err := openAt(int(t.dir.Fd()), path, unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: t.dir.Name() + "/" + path, Err: err}
	}
	f := os.NewFile(uintptr(fd), t.dir.Name()+"/"+path)
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTraceFile))
	return string(text), err
}

// format reads the format of the tracepoint "system/name", which must have these fields.
func (t tracefs) format(name string, fields ...string) (format, error) {
	text, err := t.read("events/" + name + "/format")
	if err != nil {
		return format{}, err
	}
	f, err := parseFormat(text)
	if err == nil {
		err = f.has(fields...)
	}
	if err != nil {
		return format{}, fmt.Errorf("tracepoint %s: %w", strings.Replace(name, "/", ":", 1), err)
	}
	return f, nil
}

// command writes a line to a file of commands, which are carried out at once. An empty
// line only checks that the file can be written.
func (t tracefs) command(path, line string) error {
	// Never with O_TRUNC: that would remove the probes of all users.
	fd, err := openAt(int(t.dir.Fd()), path, unix.O_WRONLY|unix.O_APPEND|unix.O_NOFOLLOW)
	if err != nil {
		return &os.PathError{Op: "open", Path: t.dir.Name() + "/" + path, Err: err}
	}
	f := os.NewFile(uintptr(fd), t.dir.Name()+"/"+path)
	if line != "" {
		_, err = f.WriteString(line + "\n")
	}
	return errors.Join(err, f.Close())
}
