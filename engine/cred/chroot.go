package cred

// Chroot changes the root directory, as chroot(2) does, to a directory other than the root
// of the mount namespace. A task with such a root directory cannot create a user namespace.
// The working directory, which chroot(2) does not change either, is outside the model.
//
// EPERM without SYS_CHROOT. The kernel resolves the path first and reports its errors
// before EPERM.
//
// Kernel: sys_chroot (fs/open.c).
func (c Cred) Chroot() (Cred, Errno) {
	if !c.able(SYS_CHROOT) {
		return c, EPERM
	}
	c.Chrooted = true
	return c, 0
}
