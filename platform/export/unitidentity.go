package export

import (
	"strconv"
	"strings"

	"caprun/policy"
)

// identity writes the user and the groups. A service without User= runs as root.
func (w *unit) identity() error {
	p := w.Profile
	if !w.Identity.Declared {
		return nil
	}
	user, named := strconv.FormatUint(uint64(w.Identity.UID), 10), false
	if uid, _, _ := w.KnownIDs(); !uid || p.UID == nil && p.User != "root" && w.Identity.UID != 0 {
		user, named = p.User, true
	}
	if !isUnitAccount(user) {
		return w.refuse("user", "declare uid", "systemd does not accept the name %q", user)
	}
	w.set("User", user)
	if user != "0" {
		w.note("systemd requires an entry for user %[1]s and for each group of the unit, and adds the groups of user %[1]s in /etc/group; compare them with the output of id %[1]s", user)
	}
	if p.GID != nil || p.UID != nil {
		group := policy.Group{ID: w.Identity.GID}
		if p.GID != nil {
			group = *p.GID
		}
		text, err := w.group("gid", group)
		if err != nil {
			return err
		}
		w.set("Group", text)
	}
	return w.groups(named)
}

// groups writes the supplementary groups. For a name without declared groups they are those
// of the database, which systemd sets.
func (w *unit) groups(named bool) error {
	var list []string
	add := func(key string, g policy.Group) error {
		text, err := w.group(key, g)
		list = append(list, text)
		return err
	}
	if named && w.Profile.Groups == nil {
		return nil
	}
	// The plan adds the gid. systemd does, too, if it comes from the user database.
	switch _, gid, _ := w.KnownIDs(); {
	case gid:
		list = append(list, strconv.FormatUint(uint64(w.Identity.GID), 10))
	case w.Profile.GID != nil:
		if err := add("gid", *w.Profile.GID); err != nil {
			return err
		}
	case !named:
		list = append(list, "0")
		w.note("systemd does not add the groups of root in /etc/group")
	}
	for _, g := range w.Profile.Groups {
		if g.Name == "" && g.ID == w.Identity.GID {
			continue
		}
		if err := add("groups", g); err != nil {
			return err
		}
	}
	if len(list) > 0 {
		w.set("SupplementaryGroups", strings.Join(list, " "))
	}
	if named && w.Profile.Groups != nil {
		w.lose("groups", "systemd adds the groups of the user in /etc/group")
	}
	return nil
}

func (w *unit) group(key string, g policy.Group) (string, error) {
	if g.Name == "" {
		return strconv.FormatUint(uint64(g.ID), 10), nil
	}
	if !isUnitAccount(g.Name) {
		return "", w.refuse(key, "declare the number of the group", "systemd does not accept the name %q", g.Name)
	}
	return g.Name, nil
}

// isUnitAccount reports whether a unit can have a name of a user or group without escapes,
// and systemd accepts it.
func isUnitAccount(name string) bool {
	for n, r := range name {
		if !isAlphanumeric(r) && r != '_' && (n == 0 || r != '-' && r != '.' && r != '@') {
			return false
		}
	}
	return name != ""
}
