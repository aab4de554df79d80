package machine

import "caprun/engine/cred"

// HasPrivilege reports whether the caller, whose state is c, has anything that a
// profile could pass on: uid 0, a capability, or a uid that the user namespace does
// not map, which may be 0 outside and own the files of root. Its profile must be one
// that no other user could have written: see ReadTrusted.
func HasPrivilege(c cred.Cred) bool {
	return c.UID == 0 || c.EUID == 0 || c.SUID == 0 || c.Permitted|c.Inheritable|c.Ambient != 0 || mayBeUnmapped(c)
}
