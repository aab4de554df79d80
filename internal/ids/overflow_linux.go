package ids

import (
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// maxOverflow is the largest id that the kernel accepts as an overflow id.
const maxOverflow = 65535

// overflow has the overflow ids. They are the same in every namespace.
type overflow struct {
	uid, gid uint32
	known    bool
}

// readOverflow reads the overflow ids once: /proc/sys/kernel/overflowuid and
// overflowgid in proc_sys_kernel(5).
var readOverflow = sync.OnceValue(func() (o overflow) {
	uid, okUID := readID("/proc/sys/kernel/overflowuid")
	gid, okGID := readID("/proc/sys/kernel/overflowgid")
	return overflow{uid, gid, okUID && okGID}
})

// ReadOverflow reads the overflow ids, before a change of the root directory.
func ReadOverflow() { readOverflow() }

// MayBeUnmappedUID reports whether the kernel may show uid for one that the user
// namespace does not map. Where the overflow id cannot be read, every id up to 65535
// may be it.
func MayBeUnmappedUID(uid uint32) bool {
	o := readOverflow()
	return uid <= maxOverflow && (!o.known || uid == o.uid)
}

// MayBeUnmappedGID is MayBeUnmappedUID for gids.
func MayBeUnmappedGID(gid uint32) bool {
	o := readOverflow()
	return gid <= maxOverflow && (!o.known || gid == o.gid)
}

// readID reads a number from a file of the proc file system; ok is false without that.
func readID(path string) (id uint32, ok bool) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	if unix.Fstatfs(fd, &fs) != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return 0, false
	}
	buf := make([]byte, 32)
	n, err := unix.Read(fd, buf)
	if err != nil || n <= 0 {
		return 0, false
	}
	n64, err := strconv.ParseUint(strings.TrimSuffix(string(buf[:n]), "\n"), 10, 32)
	return uint32(n64), err == nil && n64 <= maxOverflow
}
