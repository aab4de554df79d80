package machine

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// statxCall calls statx(2) for one file.
type statxCall func(mask int, st *unix.Statx_t) error

// readMount returns facts about the mount of a file. It asks statmount(2) for the unique
// mount ID (Linux 6.8). If that is not possible, it looks for the other mount ID, which
// the kernel reuses, in /proc/thread-self/mountinfo: an ID there proves that the mount
// belongs to this mount namespace. An ID that is missing proves nothing, because after
// chroot(2) mountinfo lists only the mounts below the root directory.
func readMount(statx statxCall) mountFacts {
	m := mountFacts{id: mountID(statx, unix.STATX_MNT_ID_UNIQUE)}
	if m.id != 0 {
		if m.ours = askStatmount(m.id); m.ours != answerUnknown {
			return m
		}
	}
	reused := mountID(statx, statxMountID)
	if reused != 0 && inMountinfo(reused) {
		m.ours = answerYes
	}
	if m.id == 0 {
		m.id = reused
	}
	return m
}

// statxMountID is STATX_MNT_ID of linux/stat.h (Linux 5.8).
const statxMountID = 0x1000

// mountID returns the mount ID of the kind that mask selects; 0 if statx(2) does not
// return it.
func mountID(statx statxCall, mask int) uint64 {
	var st unix.Statx_t
	if err := ignoreEINTR(func() error { return statx(mask, &st) }); err != nil || st.Mask&uint32(mask) == 0 {
		return 0
	}
	return st.Mnt_id
}

// noMount is an ID that the kernel gives to no mount: unique IDs count up from 2^31.
const noMount = 1<<63 - 1

// askStatmount asks with statmount(2) whether a mount belongs to this mount namespace. To
// detect a system call filter that answers instead of the kernel, it also asks for noMount
// and for a mount that exists.
func askStatmount(id uint64) answer {
	if statmount(noMount) != unix.ENOENT {
		return answerUnknown
	}
	switch statmount(id) {
	case nil, unix.EPERM:
		// EPERM: it belongs to this namespace, but is not below the root directory.
		return answerYes
	case unix.ENOENT:
		if statmountWorks() {
			return answerNo
		}
	}
	return answerUnknown
}

// statmountWorks reports whether statmount(2) finds the mount of the root or the working
// directory. It asks once, before either directory changes.
var statmountWorks = sync.OnceValue(func() bool {
	for _, path := range [...]string{"/", "."} {
		id := mountID(func(mask int, st *unix.Statx_t) error {
			return unix.Statx(unix.AT_FDCWD, path, unix.AT_NO_AUTOMOUNT, mask, st)
		},
			unix.STATX_MNT_ID_UNIQUE)
		if id == 0 {
			continue
		}
		if err := statmount(id); err == nil || err == unix.EPERM {
			return true
		}
	}
	return false
})

// inMountinfo reports whether the mount table of this process lists the mount id.
func inMountinfo(id uint64) bool {
	proc, err := openProc()
	if err != nil {
		return false
	}
	defer unix.Close(proc)
	mounts, err := readMountTable(proc)
	return err == nil && slices.ContainsFunc(mounts, func(m mount) bool { return m.id == id })
}
