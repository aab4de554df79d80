package containers

import (
	"strings"

	"caprun/platform/declared"
	"caprun/policy"
)

// maxContainerID is the largest ID that Docker and Kubernetes accept.
const maxContainerID = 1<<31 - 1

// SetUser declares the user and the group of a text such as "1000", "1000:1000" or
// "www-data:adm", as docker run -u takes it, and returns what is known about it. An empty
// text is the user of the image.
func (e Engine) SetUser(d *Draft, text string, at declared.Source) User {
	user, group, hasGroup := strings.Cut(text, ":")
	hasGroup = hasGroup && group != ""
	uid, isNumber := ParseID(user, maxContainerID)
	if user == "root" {
		uid, isNumber = 0, true
	}
	gid, groupIsNumber := ParseID(group, maxContainerID)
	if group == "root" {
		gid, groupIsNumber = 0, true
	}
	switch {
	case user == "":
		d.UnknownUser(at, "the image decides the user")
		if hasGroup {
			d.AddLoss(at, "the process has the group %s; a profile cannot have a group without a user", quote(group))
		}
		return AnyUser
	case !isNumber && !isAccount(user) || hasGroup && !groupIsNumber && !isAccount(group):
		d.AddFinding(declared.Refused, at, "write numbers, as in 1000:1000", "%s refuses the user %s", e, quote(text))
		return AnyUser
	}
	d.From(map[bool]string{true: "uid", false: "user"}[isNumber], at)
	if isNumber {
		d.Profile.UID = &uid
		d.Profile.GID = &policy.Group{ID: 0}
	} else {
		d.Profile.User = user
		d.AddLoss(at, "the image decides which number the user %s has", quote(user))
	}
	switch {
	case hasGroup && groupIsNumber:
		d.Profile.GID = &policy.Group{ID: gid}
		d.From("gid", at)
	case hasGroup:
		d.Profile.GID = &policy.Group{Name: group}
		d.From("gid", at)
		d.AddLoss(at, "the image decides which number the group %s has", quote(group))
	case isNumber && uid != 0:
		e.unknownGroup(d, uid, at)
	}
	if isNumber && uid == 0 {
		return Root
	}
	return OtherUser
}

// unknownGroup records that the image can give a number another group than 0.
func (e Engine) unknownGroup(d *Draft, uid uint32, at declared.Source) {
	d.AddLoss(at, "the group is 0, unless /etc/passwd of the image has an entry for %d", uid)
}

// SetVariableUser declares a user such as "1000:${GID}", whose variables are not known, and
// returns what is known about it. notRoot reports that it is not root. how begins the
// message, such as "the value of user has a variable".
func (d *Draft) SetVariableUser(text, how string, at declared.Source) (user User, notRoot bool) {
	name, _, _ := strings.Cut(text, ":")
	uid, ok := ParseID(name, maxContainerID)
	switch {
	case ok && uid != 0:
		d.AddLoss(at, "%s", how)
		return OtherUser, true
	case ok || name == "root":
		d.unknown = &unknownUser{at, how, true}
	default:
		d.UnknownUser(at, how)
	}
	return AnyUser, false
}

// An unknownUser is a user who may be root, or root with an unknown group.
type unknownUser struct {
	at     declared.Source
	reason string
	isRoot bool
}

// UnknownUser records that the file does not declare a user who may be root, and why.
// Declare reports it with what root has.
func (d *Draft) UnknownUser(at declared.Source, reason string) {
	d.unknown = &unknownUser{at, reason, false}
}

// reportUnknown reports what UnknownUser has recorded. The sets are known.
func (d *Draft) reportUnknown() {
	u := d.unknown
	switch {
	case u == nil:
	case u.isRoot:
		d.AddFinding(declared.UnknownIdentity, u.at, d.UserHint, "%s, and the process is uid 0", u.reason)
	default:
		d.AddFinding(declared.UnknownIdentity, u.at, d.UserHint, "%s: %s", u.reason, d.IfRoot())
	}
}

// SetIDs declares a uid and a gid of Kubernetes. A nil gid is that of the image.
func (e Engine) SetIDs(d *Draft, uid uint32, uidAt declared.Source, gid *uint32, gidAt declared.Source) User {
	d.Profile.UID = &uid
	d.From("uid", uidAt)
	d.Profile.GID = &policy.Group{ID: 0}
	if gid != nil {
		d.Profile.GID = &policy.Group{ID: *gid}
		d.From("gid", gidAt)
	} else if uid != 0 {
		e.unknownGroup(d, uid, uidAt)
	}
	if uid == 0 {
		return Root
	}
	return OtherUser
}
