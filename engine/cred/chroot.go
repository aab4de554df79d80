package cred

// Chroot changes the root directory, as chroot(2) does, to one that is not the
// root of the mount namespace. After it no user namespace can be made. The
// working directory is no part of the credentials and does not follow.
//
// EPERM without SYS_CHROOT. The kernel looks the path up first and reports
// what is wrong with it before that.
//
// Kernel: sys_chroot (fs/open.c).
func (c Cred) Chroot() (Cred, Errno) {
	if !c.able(SYS_CHROOT) {
		return c, EPERM
	}
	c.Chrooted = true
	return c, 0
}
