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
	case user == "" && hasGroup:
		d.Find(declared.UnknownIdentity, at, "write the number of the user", "the image decides the user, who has the group %s", quote(group))
		return AnyUser
	case user == "":
		d.Find(declared.UnknownIdentity, at, "write the number of the user", "the image decides the user")
		return AnyUser
	case !isNumber && !isAccount(user) || hasGroup && !groupIsNumber && !isAccount(group):
		d.Find(declared.Refused, at, "write numbers, as in 1000:1000", "%s refuses the user %s", e, quote(text))
		return AnyUser
	}
	d.From(map[bool]string{true: "uid", false: "user"}[isNumber], at)
	if isNumber {
		d.Profile.UID = &uid
		d.Profile.GID = &policy.Group{ID: 0}
	} else {
		d.Profile.User = user
		d.Find(declared.UnknownIdentity, at, "write the number of the user", "the image decides which number the user %s has", quote(user))
	}
	switch {
	case hasGroup && groupIsNumber:
		d.Profile.GID = &policy.Group{ID: gid}
		d.From("gid", at)
	case hasGroup:
		d.Profile.GID = &policy.Group{Name: group}
		d.From("gid", at)
		d.Find(declared.UnknownIdentity, at, "write the number of the group", "the image decides which number the group %s has", quote(group))
	case isNumber && uid != 0:
		e.unknownGroup(d, uid, at)
	}
	if isNumber && uid == 0 {
		return Root
	}
	return OtherUser
}

// unknownGroup reports that the image can give a number another group than 0.
func (e Engine) unknownGroup(d *Draft, uid uint32, at declared.Source) {
	d.Find(declared.UnknownIdentity, at, "declare the group, too", "the group is 0, unless /etc/passwd of the image has an entry for %d", uid)
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
