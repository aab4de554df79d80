package machine

import "caprun/engine/cred"

// Alternative has facts that may be true of a file, and why caprun cannot determine
// whether they are.
type Alternative struct {
	File cred.File

	// Unknown is what caprun cannot determine, and Hint what to do about it.
	Unknown, Hint string
}

// resolveFacts adds to the facts f about a file whether its mount belongs to this mount
// namespace (ours), and whether the user namespace maps its owner and group. For each
// unknown answer it returns an alternative.
func resolveFacts(f cred.File, ours answer, owners func() answer) (cred.File, []Alternative) {
	setsIDs := f.Setuid || f.Setgid && f.GroupExec
	if f.NoSuid || !setsIDs && !f.HasCaps {
		return f, nil
	}
	if ours == answerNo {
		f.NoSuid = true
		return f, nil
	}
	var list []Alternative
	if setsIDs {
		unmapped := f
		unmapped.UID = cred.NoID
		switch owners() {
		case answerNo:
			f = unmapped
		case answerUnknown:
			list = append(list, Alternative{unmapped,
				"caprun cannot determine whether the user namespace maps its owner and group; if not, the kernel ignores its set-id bits",
				"chown the program to a user and group that the namespace maps, or remove its set-id bits"})
		}
	}
	if ours == answerUnknown {
		foreign := f
		foreign.NoSuid = true
		list = append(list, Alternative{foreign,
			"caprun cannot determine whether its mount belongs to this mount namespace; if not, the kernel ignores its set-id bits and file capabilities",
			"allow caprun statmount(2) (Linux 6.8) and statx(2), or mount /proc; or remove the program's set-id bits and file capabilities"})
	}
	return f, list
}

// UnmappedOwner reports whether the user namespace does not map the owner or the group
// of f. The kernel then ignores the set-id bits of the file.
func UnmappedOwner(f cred.File) bool { return f.UID == cred.NoID || f.GID == cred.NoID }
