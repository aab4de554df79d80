package machine

import "caprun/engine/cred"

// Alternative is what the kernel may take a file for.
type Alternative struct {
	File cred.File

	// Unknown says what caprun cannot determine about the file, and Hint what to
	// do about it.
	Unknown, Hint string
}

// resolveFacts adds to the facts about a file what the kernel asks beside its
// mode and attributes: whether its mount belongs to this mount namespace (ours),
// and whether the user namespace maps its owners. What is not known gives
// alternatives.
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
				"caprun cannot determine whether the user namespace maps its owner and group, without which the kernel ignores its set-id bits",
				"chown the program to a user and group that the namespace maps, or remove its set-id bits"})
		}
	}
	if ours == answerUnknown {
		foreign := f
		foreign.NoSuid = true
		list = append(list, Alternative{foreign,
			"caprun cannot determine whether its mount belongs to this mount namespace, without which the kernel ignores its set-id bits and file capabilities",
			"allow caprun statmount(2) (Linux 6.8) and statx(2), or mount /proc; or remove the program's set-id bits and file capabilities"})
	}
	return f, list
}

// UnmappedOwner reports whether the user namespace does not map the owner or the
// group of a file, so that the kernel ignores its set-id bits.
func UnmappedOwner(f cred.File) bool { return f.UID == cred.NoID || f.GID == cred.NoID }
