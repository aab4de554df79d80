package machine

import "caprun/engine/cred"

// answer is what is known about a question of yes or no. The zero value says
// that the answer is not known.
type answer uint8

const (
	answerUnknown answer = iota
	answerYes
	answerNo
)

// overflowIDs are the ids that stat(2) shows for an owner whom the user
// namespace of the caller does not map: /proc/sys/kernel/overflowuid and
// overflowgid. Where known is false they could not be read, and every id that
// the kernel accepts there may be one of them.
type overflowIDs struct {
	uid, gid uint32
	known    bool
}

// maxOverflowID is the greatest number that the kernel accepts as an overflow
// id: maxolduid of kernel/sysctl.c.
const maxOverflowID = 65535

// ownerMaps tells whether the user namespace maps the owner of a file. The
// zero value knows nothing.
//
// The id that stat shows does not answer that. A user namespace that maps the
// overflow id, as every map of 65536 ids does, shows its own user of that
// number and all unmapped users alike; an idmapped mount and a file system of
// another user namespace show the overflow id in the initial namespace too.
type ownerMaps struct {
	ns       cred.UserNS
	nsKnown  bool
	overflow overflowIDs
}

// uid reports whether the user is mapped whom stat shows as an owner.
func (m ownerMaps) uid(shown uint32) answer {
	return m.maps(shown, m.overflow.uid, m.ns.MapsUID(shown))
}

// gid is uid for a group.
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
	// The overflow ID of a namespace that maps it, or an ID that the kernel shows
	// although the map lacks it: one of the two was misread.
	return answerUnknown
}
