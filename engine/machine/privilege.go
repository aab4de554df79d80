package machine

import "caprun/engine/cred"

// HasPrivilege reports whether a caller with the credentials c has a privilege that a
// profile can pass on to the target: uid 0, a capability, or a uid that the user
// namespace does not map. An unmapped uid may be 0 in the initial user namespace, and
// own root's files. Such a caller must read its profile with [ReadTrusted].
func HasPrivilege(c cred.Cred) bool {
	return c.UID == 0 || c.EUID == 0 || c.SUID == 0 || c.Permitted|c.Inheritable|c.Ambient != 0 || mayBeUnmapped(c)
}
