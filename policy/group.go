package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Group is a group ID, or the name of an entry in /etc/group.
type Group struct {
	Name string // empty for an ID
	ID   uint32 // 0 for a name
}

// String returns the ID or the name. A name that a reader could take for other text, such
// as "none" or "a,b", is in double quotes.
func (g Group) String() string {
	switch {
	case g.Name == "":
		return fmt.Sprint(g.ID)
	case !isPlainName(g.Name):
		return strconv.Quote(g.Name)
	}
	return g.Name
}

// isPlainName reports whether s is like the names that groupadd(8) accepts.
func isPlainName(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("._-", s[i]) < 0 {
			return false
		}
	}
	return s != "" && s != "none" && (s[0] == '_' || isAlphanumeric(s[0])) && !isDecimal(s)
}

var (
	gidKind   = numberKind{what: "gid", hi: maxID, rule: badID, hint: "write the name or the number of a group"}
	groupKind = numberKind{what: "group", hi: maxID, rule: badID, hint: "write the name or the number of a group"}

	groupNameKind = textKind{what: "gid", fix: func(s string) string { return fixAccount(s, inYAML) }}

	groupsKind = listKind{
		what: "groups", limit: maxGroups, separators: ",",
		fix: func(s string) string {
			if s == "none" {
				return ""
			}
			return fixAccount(s, inList)
		},
		hint: "write a list of group names and IDs; [] means no groups",
	}
)

// group returns the group that a node is. k describes the number.
func (r *reader) group(n *yaml.Node, k numberKind) (g Group, ok bool) {
	if looksNumeric(n) {
		id, ok := r.id(n, k)
		return Group{ID: id}, ok
	}
	k.hint = "write the name of a group, or write a number without quotes"
	name, ok := r.text(n, textKind{what: k.what, hint: k.hint, fix: func(s string) string {
		if slices.ContainsFunc(k.items, func(n *yaml.Node) bool { return isScalar(n) && n.Value == s }) && !isScalar(n) {
			return "" // it would be in the list twice
		}
		return fixAccount(s, inList)
	}})
	if !ok {
		return Group{}, false
	}
	if why := badAccountName(name); why != "" {
		r.reportAt(n, badGroup, k.hintFor(n), "invalid %s %s: %s", k.what, quote(name), why)
		return Group{}, false
	}
	return Group{Name: name}, true
}

func (r *reader) readGID(f field) {
	if g, ok := r.group(f.value, gidKind); ok {
		r.profile.GID = &g
	}
}

func (r *reader) readGroups(f field) {
	items, ok := r.items(f.value, groupsKind)
	if !ok {
		return
	}
	groups := make([]Group, 0, len(items))
	seen := newOnce[Group](r)
	for i, n := range items {
		k := groupKind
		k.items = items
		g, ok := r.group(n, k)
		if !ok || !seen.first(n, g, "group "+g.String()) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		groups = append(groups, g)
	}
	r.profile.Groups = groups
}
