package machine

import "caprun/engine/cred"

// answer is the answer to a yes-no question. The zero value is answerUnknown.
type answer uint8

const (
	answerUnknown answer = iota
	answerYes
	answerNo
)

// overflowIDs are the IDs that stat(2) shows for an owner that the caller's user
// namespace does not map: /proc/sys/kernel/overflowuid and overflowgid. If known is
// false, they could not be read, and may be any ID up to maxOverflowID.
type overflowIDs struct {
	uid, gid uint32
	known    bool
}

// maxOverflowID is the greatest overflow ID that the kernel accepts: maxolduid
// (kernel/sysctl.c).
const maxOverflowID = 65535

// ownerMaps has the facts that decide whether the user namespace maps the owner of a
// file. In the zero value, none is known.
//
// The ID that stat(2) shows does not always tell. A user namespace that maps the
// overflow ID, as every map of 65536 IDs does, shows the same number for its own user
// and for all unmapped users. An idmapped mount, and a file system of another user
// namespace, show the overflow ID in the initial user namespace too.
type ownerMaps struct {
	ns       cred.UserNS
	nsKnown  bool
	overflow overflowIDs
}

// uid reports whether the owner that stat(2) shows as uid shown is mapped.
func (m ownerMaps) uid(shown uint32) answer {
	return m.maps(shown, m.overflow.uid, m.ns.MapsUID(shown))
}

// gid is uid for the group.
func (m ownerMaps) gid(shown uint32) answer {
	return m.maps(shown, m.overflow.gid, m.ns.MapsGID(shown))
}

func (m ownerMaps) maps(shown, overflow uint32, covered bool) answer {
	couldBeOverflow := shown == overflow
	if !m.overflow.known {
		couldBeOverflow = shown <= maxOverflowID
	}
	switch {
	case couldBeOverflow && m.nsKnown && !covered:
		return answerNo
	case !couldBeOverflow && (covered || !m.nsKnown):
		return answerYes
	}
	// Either the map has the overflow ID, or it lacks an ID that the kernel shows:
	// then one of the two was misread.
	return answerUnknown
}
