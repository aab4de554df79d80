// Package ids reads the user and group IDs of the calling thread. A seccomp(2) filter can
// make a system call succeed without effect; the functions return ErrNoEffect if the
// kernel has written no result.
package ids

import (
	"errors"
	"syscall"
	"unsafe"
)

// ErrNoEffect is the error of a system call that succeeded without effect.
var ErrNoEffect = errors.New("it had no effect")

// none is (uid_t)-1, which is never the ID of a process or a group.
const none = ^uint32(0)

// UIDs returns the real, effective, saved and file system user ID: getresuid(2) and
// setfsuid(2). With an invalid ID, setfsuid changes nothing and returns the current ID.
func UIDs() ([4]uint32, error) { return read(SysGetresuid, sysSetfsuid) }

// GIDs returns the real, effective, saved and file system group ID: getresgid(2) and
// setfsgid(2).
func GIDs() ([4]uint32, error) { return read(SysGetresgid, sysSetfsgid) }

func read(getres, setfs uintptr) (list [4]uint32, err error) {
	// On the heap, because the stack may move before the kernel writes to it.
	p := &[3]uint32{none, none, none}
	if _, err := call(getres, uintptr(unsafe.Pointer(&p[0])), uintptr(unsafe.Pointer(&p[1])), uintptr(unsafe.Pointer(&p[2]))); err != nil {
		return list, err
	}
	if p[0] == none || p[1] == none || p[2] == none {
		return list, ErrNoEffect
	}
	fs, err := call(setfs, uintptr(none), 0, 0)
	return [4]uint32{p[0], p[1], p[2], uint32(fs)}, err
}

// MaxGroups is the maximal number of supplementary groups: NGROUPS_MAX.
const MaxGroups = 65536

// Groups returns the supplementary groups in the order of the kernel: getgroups(2). The
// result is not nil unless there is an error.
func Groups() ([]uint32, error) {
	n, err := call(SysGetgroups, 0, 0, 0)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return []uint32{}, checkNoGroups()
	}
	list := make([]uint32, min(n, MaxGroups))
	for k := range list {
		list[k] = none
	}
	got, err := call(SysGetgroups, uintptr(len(list)), uintptr(unsafe.Pointer(&list[0])), 0)
	if err != nil {
		return nil, err
	}
	if got != n || list[len(list)-1] == none {
		return nil, ErrNoEffect
	}
	return list, nil
}

// checkNoGroups returns ErrNoEffect unless it is the kernel that returned no groups. The
// kernel returns an error for a negative size, and for a buffer that is too small.
func checkNoGroups() error {
	if _, err := call(SysGetgroups, uintptr(none), 0, 0); err != syscall.EINVAL {
		return ErrNoEffect
	}
	group := new([1]uint32)
	n, err := call(SysGetgroups, 1, uintptr(unsafe.Pointer(&group[0])), 0)
	if err != nil || n != 0 {
		return ErrNoEffect
	}
	return nil
}

// call makes a system call on the calling thread. Arguments that were pointers stay alive
// and in place during the call.
//
//go:uintptrescapes
func call(nr, a1, a2, a3 uintptr) (uintptr, error) {
	r, _, errno := syscall.RawSyscall(nr, a1, a2, a3)
	if errno != 0 {
		return 0, errno
	}
	return r, nil
}
