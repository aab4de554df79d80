package machine

import (
	"strings"
	"sync"

	"caprun/cap"
	"caprun/internal/ids"

	"golang.org/x/sys/unix"
)

// readOverflowIDs returns the overflow IDs, which are the same in every namespace.
var readOverflowIDs = sync.OnceValue(func() overflowIDs {
	uid, okUID := readID("/proc/sys/kernel/overflowuid")
	gid, okGID := readID("/proc/sys/kernel/overflowgid")
	return overflowIDs{uid, gid, okUID && okGID}
})

func readID(path string) (id uint32, ok bool) {
	const maxLine = 32
	text, err := readFile(path, maxLine)
	if err != nil {
		return 0, false
	}
	id, err = ParseID(strings.TrimSuffix(string(text), "\n"))
	return id, err == nil && id <= maxOverflowID
}

// readOwnerMaps reads the maps of this process's user namespace. If they lack the IDs of
// this process although the kernel shows them, they were misread and count as unknown.
func readOwnerMaps() ownerMaps {
	m := ownerMaps{overflow: readOverflowIDs()}
	m.ns, m.nsKnown = readUserNS()
	if !m.nsKnown {
		return m
	}
	misread := func(shown, overflow uint32, covered bool) bool {
		return !covered && m.overflow.known && shown != overflow
	}
	uid, gid := uint32(unix.Geteuid()), uint32(unix.Getegid())
	if misread(uid, m.overflow.uid, m.ns.MapsUID(uid)) || misread(gid, m.overflow.gid, m.ns.MapsGID(gid)) {
		m.nsKnown = false
	}
	return m
}

// mapsOwners reports whether the user namespace maps both the owner and the group of an
// open file; st is the result of fstat(2). Otherwise the kernel ignores set-id bits.
//
// Kernel: bprm_fill_uid (fs/exec.c).
func mapsOwners(fd int, st *unix.Stat_t) answer {
	m := readOwnerMaps()
	uid, gid := m.uid(st.Uid), m.gid(st.Gid)
	switch {
	case uid == answerNo || gid == answerNo:
		return answerNo
	case uid == answerYes && gid == answerYes:
		return answerYes
	}
	if askWrite(fd, st) == answerYes {
		return answerYes
	}
	return answerUnknown
}

// askWrite asks the kernel whether cap_dac_override lets the caller write a file or
// directory although the mode and the access control list deny it. fd may be open with
// O_PATH; st is the result of fstat(2).
//
//   - answerYes: the capability applies to the file, so the user namespace maps its owner
//     and its group.
//   - answerNo: the kernel denies it (EACCES) to a caller with the capability effective.
//     Either the namespace does not map the owner or the group, or a security module
//     denies it.
//   - answerUnknown: the answer proves nothing. The mode grants writing, the caller lacks
//     the capability, the file system or the mount is read-only or does not decide by mode
//     and owner alone, the kernel lacks faccessat2(2) (Linux 5.8), or a system call filter
//     answers.
//
// Kernel: capable_wrt_inode_uidgid (kernel/capability.c), generic_permission and
// inode_permission (fs/namei.c).
func askWrite(fd int, st *unix.Stat_t) answer {
	uids, err := ids.UIDs()
	if err != nil || st.Mode&(worldWrites|groupWrites) != 0 {
		// The bits of the group are also the mask of an access control list.
		return answerUnknown
	}
	if st.Mode&ownerWrites != 0 && st.Uid == uids[3] {
		// The caller may own it, even if both uids show as the overflow ID.
		return answerUnknown
	}
	kind := st.Mode & unix.S_IFMT
	if kind != unix.S_IFREG && kind != unix.S_IFDIR || !decidesByMode(fd) {
		return answerUnknown
	}
	if !hasEffective(cap.DAC_OVERRIDE) {
		return answerUnknown
	}
	if accessKnown() != nil {
		return answerUnknown
	}
	switch effectiveAccess(fd, unix.W_OK) {
	case nil:
		return answerYes
	case unix.EACCES:
		return answerNo
	}
	return answerUnknown
}

// ownerWrites is the mode bit that lets the owner write.
const ownerWrites = 0o200

// decidesByMode reports whether the file system of a file is known to decide on access
// with generic_permission (fs/namei.c). Others, such as FUSE and NFS, ask a server, whose
// answer proves nothing about owners.
func decidesByMode(fd int) bool {
	var fs unix.Statfs_t
	if ignoreEINTR(func() error { return unix.Fstatfs(fd, &fs) }) != nil {
		return false
	}
	switch uint32(fs.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC:
		return true
	}
	return false
}
