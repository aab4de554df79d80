package ids

import (
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// maxOverflow is the largest overflow ID that the kernel accepts.
const maxOverflow = 65535

// overflow are the overflow IDs, which are the same in every user namespace.
type overflow struct {
	uid, gid uint32
	known    bool
}

// readOverflow reads the overflow IDs once, from /proc/sys/kernel/overflowuid and
// overflowgid: proc_sys_kernel(5).
var readOverflow = sync.OnceValue(func() (o overflow) {
	uid, okUID := readID("/proc/sys/kernel/overflowuid")
	gid, okGID := readID("/proc/sys/kernel/overflowgid")
	return overflow{uid, gid, okUID && okGID}
})

// ReadOverflow reads the overflow IDs. Call it before a change of the root directory.
func ReadOverflow() { readOverflow() }

// MayBeUnmappedUID reports whether the kernel may have returned uid instead of a user ID
// that the user namespace does not map. If the overflow ID cannot be read, that is true
// for every ID up to 65535.
func MayBeUnmappedUID(uid uint32) bool {
	o := readOverflow()
	return uid <= maxOverflow && (!o.known || uid == o.uid)
}

// MayBeUnmappedGID is like MayBeUnmappedUID, for a group ID.
func MayBeUnmappedGID(gid uint32) bool {
	o := readOverflow()
	return gid <= maxOverflow && (!o.known || gid == o.gid)
}

// readID reads an overflow ID from a file in /proc. ok is false if it cannot be read.
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
