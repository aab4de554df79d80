//go:build linux && (amd64 || arm64)

package cred_test

import (
	"fmt"
	"slices"

	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// An observation is what a thread can read of its own credentials without /proc, which is
// missing after a change of the root directory.
type observation struct {
	Cred   cred.Cred // without UserNS, Chrooted, SharedFS, Traced and TracerUID
	Root   inode     // of the root directory
	Secure bool      // AT_SECURE
}

type inode struct{ Device, Number uint64 }

// complete returns the credentials with the fields that a thread cannot read: from the
// prediction, and Chrooted if its root directory is not root.
func (o observation) complete(predicted cred.Cred, root inode) cred.Cred {
	c := o.Cred
	c.UserNS, c.SharedFS = predicted.UserNS, predicted.SharedFS
	c.Traced, c.TracerUID = predicted.Traced, predicted.TracerUID
	c.Chrooted = o.Root != root

	// The kernel shows an unmapped ID and a mapped OverflowID alike.
	same := func(id *uint32, predicted uint32) {
		if *id == cred.OverflowID && predicted == cred.NoID {
			*id = cred.NoID
		}
	}
	same(&c.UID, predicted.UID)
	same(&c.EUID, predicted.EUID)
	same(&c.SUID, predicted.SUID)
	same(&c.FSUID, predicted.FSUID)
	same(&c.GID, predicted.GID)
	same(&c.EGID, predicted.EGID)
	same(&c.SGID, predicted.SGID)
	same(&c.FSGID, predicted.FSGID)
	if slices.Contains(predicted.Groups, cred.NoID) {
		mapped := 0 // of the groups that show as OverflowID
		for _, g := range predicted.Groups {
			if g == cred.OverflowID {
				mapped++
			}
		}
		c.Groups = slices.Clone(c.Groups)
		for n, g := range c.Groups {
			switch {
			case g != cred.OverflowID:
			case mapped > 0:
				mapped--
			default:
				c.Groups[n] = cred.NoID
			}
		}
		slices.Sort(c.Groups)
	}
	return c
}

// observe reads the credentials of the calling thread.
func observe() (observation, error) {
	var o observation
	c := &o.Cred

	var ids [6]int
	ids[0], ids[1], ids[2] = unix.Getresuid()
	ids[3], ids[4], ids[5] = unix.Getresgid()
	c.UID, c.EUID, c.SUID = uint32(ids[0]), uint32(ids[1]), uint32(ids[2])
	c.GID, c.EGID, c.SGID = uint32(ids[3]), uint32(ids[4]), uint32(ids[5])
	// With an ID that cannot exist these calls only return the present one.
	fsuid, _ := unix.SetfsuidRetUid(-1)
	fsgid, _ := unix.SetfsgidRetGid(-1)
	c.FSUID, c.FSGID = uint32(fsuid), uint32(fsgid)

	groups, err := unix.Getgroups()
	if err != nil {
		return o, fmt.Errorf("getgroups: %w", err)
	}
	for _, g := range groups {
		c.Groups = append(c.Groups, uint32(g))
	}
	slices.Sort(c.Groups)

	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return o, fmt.Errorf("capget: %w", err)
	}
	c.Effective = cred.Caps(data[1].Effective)<<32 | cred.Caps(data[0].Effective)
	c.Permitted = cred.Caps(data[1].Permitted)<<32 | cred.Caps(data[0].Permitted)
	c.Inheritable = cred.Caps(data[1].Inheritable)<<32 | cred.Caps(data[0].Inheritable)

	for n := range 64 {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0)
		if err != nil {
			break // EINVAL: the kernel does not have capability n
		}
		c.All = c.All.With(n)
		if in == 1 {
			c.Bounding = c.Bounding.With(n)
		}
		in, err = unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uintptr(n), 0, 0)
		if err != nil {
			return o, fmt.Errorf("read ambient capability %d: %w", n, err)
		}
		if in == 1 {
			c.Ambient = c.Ambient.With(n)
		}
	}

	bits, err := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
	if err != nil {
		return o, fmt.Errorf("read securebits: %w", err)
	}
	c.Securebits = cred.Securebits(bits)
	nnp, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return o, fmt.Errorf("read no_new_privs: %w", err)
	}
	c.NoNewPrivs = nnp == 1

	var st unix.Stat_t
	if err := unix.Stat("/", &st); err != nil {
		return o, fmt.Errorf("stat /: %w", err)
	}
	o.Root = inode{uint64(st.Dev), st.Ino}

	auxv, err := unix.Auxv()
	if err != nil {
		return o, fmt.Errorf("read auxiliary vector: %w", err)
	}
	const atSecure = 23
	for _, entry := range auxv {
		if entry[0] == atSecure {
			o.Secure = entry[1] != 0
		}
	}
	return o, nil
}
