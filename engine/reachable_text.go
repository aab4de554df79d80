package engine

import (
	"fmt"

	"caprun/engine/cred"
)

// claim is an index into claimFormats.
type claim int

const (
	claimNoNewPrivs claim = iota
	claimSetRoot
	claimSetRootNoRoot
	claimSetRootEmpty
	claimSetID
	claimFileCaps
	claimNoFileCaps
	claimNotStarted
	claimNotStartedInherit
	claimNoRootPower
	claimRealRoot
	claimRootPower
	claimOrdinary
	claimNoOrdinary
	claimRaise
	claimAnyUser
	claimAnyUserAsRoot
	claimOtherUID
	claimAnyGroup
	claimAnyRoot
	claimSets
	claimClear
	claimSet
	claimOwnsRoot
	claimSecure
)

// claimFormats are the sentences about what the target can gain. An ordinary program has
// neither set-id bits nor file capabilities.
var claimFormats = [...]string{
	claimNoNewPrivs:        "Under no_new_privs, set-id bits and file capabilities grant no program more than the target has.",
	claimSetRoot:           "A set-user-ID-root program without file capabilities runs as uid 0 with %s.",
	claimSetRootNoRoot:     "A set-user-ID-root program runs as uid 0 without capabilities: noroot.",
	claimSetRootEmpty:      "A set-user-ID-root program runs as uid 0 without capabilities: the bounding and inheritable sets are empty.",
	claimSetID:             "Set-user-ID and set-group-ID programs run as the user and the group that own them%s.",
	claimFileCaps:          "A program with file capabilities gets %s%s.",
	claimNoFileCaps:        "File capabilities grant nothing: the bounding and inheritable sets are empty.",
	claimNotStarted:        "A program does not start (EPERM) if its file capabilities are effective and permit a capability outside the bounding set.",
	claimNotStartedInherit: "A program does not start (EPERM) if its file capabilities are effective and permit a capability outside the bounding set, unless it is one of %s and the file has it inheritable, too.",
	claimNoRootPower:       "Ordinary programs get no capability, although the target has uid 0 without noroot.",
	claimRealRoot:          "Ordinary programs get %s permitted and %s effective: real uid 0 without noroot.",
	claimRootPower:         "Ordinary programs get %s: uid 0 without noroot.",
	claimOrdinary:          "Ordinary programs keep %s.",
	claimNoOrdinary:        "Ordinary programs get no capability.",
	claimRaise:             "Ordinary programs get no capability unless the target adds %s to its ambient set.",
	claimAnyUser:           "The target can become any user%s: cap_setuid.",
	claimAnyUserAsRoot:     "The target can become any user%s: cap_setuid. As root, the programs that it runs get %s.",
	claimOtherUID:          "The target can switch between its user IDs %s.",
	claimAnyGroup:          "The target can join any group%s: cap_setgid.",
	claimAnyRoot:           "The target can leave its root directory: cap_sys_chroot.",
	claimSets:              "The target can add the bounding set to its inheritable set and shrink the bounding set: cap_setpcap.",
	claimClear:             "The target can clear %s, which no lock protects: cap_setpcap.",
	claimSet:               "The target can set securebits: cap_setpcap.",
	claimOwnsRoot:          "The target owns root's files, whatever its capabilities: uid 0.",
	claimSecure:            "The dynamic loader ignores LD_PRELOAD and similar variables: AT_SECURE.",
}

// claims is a list of sentences.
type claims []string

func (list *claims) add(c claim, args ...any) {
	*list = append(*list, fmt.Sprintf(claimFormats[c], args...))
}

// Reachable returns what the target, and the programs that it executes, can and cannot
// gain after the target has started. Each element is a sentence that is true in the model.
func (p *Plan) Reachable() []string {
	f, a := p.reachable(), p.AfterExec
	var list claims
	list.addSetID(f, a)
	list.addFileCaps(f, a)
	list.addOrdinary(f, a)
	where := ""
	if a.UserNS.Nested {
		where = " of its user namespace"
	}
	switch {
	case f.anyUser && f.asRoot.Minus(f.ordinary) != 0:
		list.add(claimAnyUserAsRoot, where, capsPhrase(f.asRoot, a.All))
	case f.anyUser:
		list.add(claimAnyUser, where)
	case f.otherUID:
		list.add(claimOtherUID, uidsText(a))
	}
	if f.anyGroup {
		list.add(claimAnyGroup, where)
	}
	if f.anyRoot {
		list.add(claimAnyRoot)
	}
	if f.anyVector {
		list.add(claimSets)
	}
	if f.clear != 0 {
		list.add(claimClear, SecbitsText(f.clear))
	} else if f.set != 0 {
		list.add(claimSet)
	}
	if f.ownsRoot {
		list.add(claimOwnsRoot)
	}
	if f.secure {
		list.add(claimSecure)
	}
	return list
}

// addSetID adds the sentences about set-id programs.
func (list *claims) addSetID(f reachable, a cred.Cred) {
	switch {
	case f.noNewPrivs:
		list.add(claimNoNewPrivs)
	case !f.setRoot:
	case f.setRootCaps != 0:
		list.add(claimSetRoot, capsPhrase(f.setRootCaps, a.All))
	case a.Securebits.Has(cred.SecNoRoot):
		list.add(claimSetRootNoRoot)
	default:
		list.add(claimSetRootEmpty)
	}
	if f.setID {
		where := ""
		if a.UserNS.Nested {
			where = ", if the user namespace maps both"
		}
		list.add(claimSetID, where)
	}
}

// addFileCaps adds the sentences about programs with file capabilities.
func (list *claims) addFileCaps(f reachable, a cred.Cred) {
	ambient := ""
	if a.Ambient != 0 {
		ambient = ", and not the ambient set"
	}
	switch {
	case f.rootPower:
		// It gets what an ordinary program gets.
	case f.filePermitted.Union(f.fileInheritable) != 0:
		list.add(claimFileCaps, grantedText(f.filePermitted, f.fileInheritable, a.All), ambient)
	case !f.noNewPrivs:
		list.add(claimNoFileCaps)
	}
	switch {
	case a.All.SubsetOf(a.Bounding):
	case a.Inheritable.SubsetOf(a.Bounding):
		list.add(claimNotStarted)
	default:
		list.add(claimNotStartedInherit, a.Inheritable.Minus(a.Bounding).String())
	}
}

// grantedText describes the permitted and the inheritable file capabilities that a program
// gets.
func grantedText(permitted, inheritable, all cred.Caps) string {
	text := ""
	switch {
	case permitted == inheritable:
		return "the permitted and inheritable ones within " + capsPhrase(permitted, all)
	case permitted == all:
		text = "all permitted ones"
	case permitted != 0:
		text = "the permitted ones within " + permitted.String()
	}
	switch {
	case inheritable == 0:
		return text
	case text != "":
		text += " and "
	}
	return text + "the inheritable ones within " + inheritable.String()
}

// addOrdinary adds the sentences about programs without set-id bits and file capabilities.
func (list *claims) addOrdinary(f reachable, a cred.Cred) {
	has := capsPhrase(f.ordinary, a.All)
	switch {
	case f.rootPower && f.ordinary == 0:
		list.add(claimNoRootPower)
	case f.rootPower && f.ordinaryEffective != f.ordinary:
		list.add(claimRealRoot, has, f.ordinaryEffective.String())
	case f.rootPower:
		list.add(claimRootPower, has)
	case f.ordinary != 0:
		list.add(claimOrdinary, has)
	case f.raisable != 0:
		// No target that passes capabilities on has others to raise.
		list.add(claimRaise, capsPhrase(f.raisable, a.All))
	case a.Permitted != 0:
		list.add(claimNoOrdinary)
	}
}

// capsPhrase returns a set as part of a sentence.
func capsPhrase(caps, all cred.Caps) string {
	if caps == all {
		return "every capability"
	}
	return caps.String()
}

func uidsText(c cred.Cred) string {
	text := fmt.Sprintf("%d and %d", c.UID, c.EUID)
	if c.SUID != c.EUID && c.SUID != c.UID {
		text += fmt.Sprintf(" and %d", c.SUID)
	}
	return text
}
