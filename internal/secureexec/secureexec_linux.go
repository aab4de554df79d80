package secureexec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Entries of getauxval(3).
const (
	atUID    = 11
	atEUID   = 12
	atGID    = 13
	atEGID   = 14
	atSecure = 23
)

// Check returns an error if the kernel started caprun with AT_SECURE, with the reason,
// or if this cannot be determined. It opens no file.
func Check() error {
	auxv, err := unix.Auxv()
	if err != nil {
		return fmt.Errorf("cannot determine whether the kernel started caprun in secure-execution mode (AT_SECURE): %w", err)
	}
	entries := map[uintptr]uint32{}
	for _, entry := range auxv {
		entries[entry[0]] = uint32(entry[1])
	}
	secure, known := entries[atSecure]
	switch {
	case !known:
		return errors.New("cannot determine whether the kernel started caprun in secure-execution mode: it passed no AT_SECURE")
	case secure == 0:
		return nil
	}
	file, err := readSecureFile()
	return secureError(entries, file, err)
}

// secureFile has the properties of the executable of caprun that change credentials.
type secureFile struct {
	mode, uid, gid uint32
	caps           bool
}

// readSecureFile returns the properties of the executable, without opening it.
func readSecureFile() (f secureFile, err error) {
	const path = "/proc/self/exe"
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return f, err
	}
	f.mode, f.uid, f.gid = st.Mode, st.Uid, st.Gid
	var data [64]byte
	switch n, err := unix.Getxattr(path, "security.capability", data[:]); err {
	case nil:
		const header, effective = 4, 1
		f.caps = n > header && (binary.LittleEndian.Uint32(data[:])&effective != 0 || slices.ContainsFunc(data[header:n], func(b byte) bool { return b != 0 }))
	case unix.ENODATA, unix.ENOTSUP:
	default:
		return f, err
	}
	return f, nil
}

// secureError returns the error for AT_SECURE. The reason is the file of caprun, or that
// the real and effective IDs of the caller differ. unread is why the file is unknown.
func secureError(entries map[uintptr]uint32, file secureFile, unread error) error {
	const mode = "the kernel started caprun in secure-execution mode (AT_SECURE)"
	const trust = "so caprun cannot trust its caller"
	if unread != nil {
		return fmt.Errorf("%s, %s; cannot determine the reason: read the file of caprun: %w; start caprun as root", mode, trust, unread)
	}
	var differ, has, remove []string
	if r, e := entries[atUID], entries[atEUID]; r != e {
		differ = append(differ, fmt.Sprintf("real and effective uid differ (%d and %d)", r, e))
		if file.mode&unix.S_ISUID != 0 && file.uid == e {
			has, remove = append(has, "is set-user-ID"), append(remove, "chmod u-s")
		}
	}
	if r, e := entries[atGID], entries[atEGID]; r != e {
		differ = append(differ, fmt.Sprintf("real and effective gid differ (%d and %d)", r, e))
		if file.mode&unix.S_ISGID != 0 && file.mode&unix.S_IXGRP != 0 && file.gid == e {
			has, remove = append(has, "is set-group-ID"), append(remove, "chmod g-s")
		}
	}
	if len(differ) > 0 && len(has) == 0 {
		// This is a reason even if the file has capabilities, too.
		return fmt.Errorf("the caller's %s, so %s; start caprun with equal ids, see setpriv(1)",
			strings.Join(differ, ", and its "), mode)
	}
	if file.caps {
		has, remove = append(has, "has file capabilities"), append(remove, "setcap -r")
	}
	if len(has) > 0 {
		return fmt.Errorf("caprun %s, %s; remove that with %s, and start caprun as root", strings.Join(has, " and "), trust, strings.Join(remove, ", "))
	}
	// Before Linux 6.17, cap_bprm_creds_from_file makes the IDs of such a caller equal if
	// no_new_privs is set or a process traces it, and sets AT_SECURE nevertheless.
	return fmt.Errorf("%s, %s; its ids are equal, and its file is not set-user-ID or set-group-ID and has no capabilities: "+
		"a security module may be the reason, or before Linux 6.17 a caller whose real and effective ids differ, with no_new_privs or a tracer; "+
		"start caprun without the module, and with equal ids", mode, trust)
}
