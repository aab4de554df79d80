package machine

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// mayBeUnmapped reports whether a uid of a caller with the credentials c may be one that
// the user namespace does not map. It shows as the overflow ID, and the caller has the
// rights of its owner, who may be root in the initial user namespace. Without /proc every
// overflow ID may be unmapped.
func mayBeUnmapped(c cred.Cred) bool {
	m := readTrustedMaps()
	if m.nsKnown && !m.ns.Nested {
		return false
	}
	return slices.ContainsFunc([]uint32{c.UID, c.EUID, c.SUID, c.FSUID}, func(uid uint32) bool {
		return uid == cred.OverflowID || m.nsKnown && m.uid(uid) != answerYes
	})
}

// mapsOwner reports whether the user namespace maps the owner of an open file, or the
// calling user owns it. The group does not matter. fd may be open with O_PATH; st is the
// result of fstat(2).
//
// A denied write proves that the owner is unmapped only if the group is mapped: a mapped
// user can own a file of an unmapped group, which files in a set-group-ID directory get.
func mapsOwner(m ownerMaps, fd int, st *unix.Stat_t) answer {
	if known := m.uid(st.Uid); known != answerUnknown {
		return known
	}
	write := askWrite(fd, st)
	if write == answerYes {
		return answerYes
	}
	if owner := askOwner(fd, st); owner != answerUnknown {
		return owner
	}
	if write == answerNo && m.gid(st.Gid) == answerYes {
		return answerNo
	}
	return answerUnknown
}

// askOwner asks the kernel whether the caller may set O_NOATIME for a file or directory.
// The owner may, and a process with cap_fowner effective if the user namespace maps the
// owner.
//
//   - answerYes: the owner is mapped, or is the caller.
//   - answerNo: the owner is neither, or a security module denies cap_fowner.
//   - answerUnknown: the caller cannot read the file or lacks the capability, the file
//     system decides in another way, or a system call filter answers.
//
// Kernel: setfl (fs/fcntl.c), inode_owner_or_capable (fs/inode.c).
func askOwner(fd int, st *unix.Stat_t) answer {
	kind := st.Mode & unix.S_IFMT
	if kind != unix.S_IFREG && kind != unix.S_IFDIR || !decidesByMode(fd) {
		return answerUnknown
	}
	proc, err := openProcFS()
	if err != nil {
		return answerUnknown
	}
	defer unix.Close(proc)
	file, err := openAt(proc, fmt.Sprintf("self/fd/%d", fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return answerUnknown
	}
	defer unix.Close(file)
	if setNoAtime(-1) != unix.EBADF {
		return answerUnknown
	}
	switch setNoAtime(file) {
	case nil:
		return answerYes
	case unix.EPERM:
		if hasEffective(cap.FOWNER) {
			return answerNo
		}
	}
	return answerUnknown
}

// hasEffective reports whether the caller has a capability effective. It returns false if
// that cannot be read.
func hasEffective(value cap.Value) bool {
	set, err := cap.GetPID(0)
	if err != nil {
		return false
	}
	able, err := set.GetFlag(cap.Effective, value)
	return err == nil && able
}
