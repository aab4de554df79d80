package machine

import (
	"slices"

	"caprun/engine/cred"
	"caprun/policy"
)

// Unknown describes an ID, or several, of an account that was not looked up.
type Unknown struct {
	User  string // the user whose uid or gid it is
	Group string // or the name of the group whose gid it is

	// Supplementary reports that it is not the gid of User, but stands for all
	// supplementary groups of User.
	Supplementary bool
}

// String returns the description as text, such as "of user www" or, for a group, its name.
func (u Unknown) String() string {
	switch {
	case u.Group != "":
		return policy.Group{Name: u.Group}.String()
	case u.Supplementary:
		return "groups of user " + u.User
	}
	return "of user " + u.User
}

// placeholders are numbers that stand for unknown IDs.
type placeholders struct {
	taken  []uint32      // numbers that are something else
	mapped []cred.Extent // the IDs of a nested user namespace; nil outside of one
	ids    []uint32
	of     []Unknown // what each of ids stands for
}

// add returns the placeholder of an ID. A new one is a great number that is not taken. In a
// nested user namespace it is mapped, if possible: the kernel refuses an ID that is not.
func (p *placeholders) add(of Unknown) uint32 {
	if n := slices.Index(p.of, of); n >= 0 {
		return p.ids[n]
	}
	id := cred.NoID - 1
	for slices.Contains(p.taken, id) {
		id--
	}
	for _, x := range p.mapped {
		// One of this many cannot be taken.
		for n := range min(x.Count, uint32(len(p.taken))+1) {
			if mapped := x.Inside + x.Count - 1 - n; !slices.Contains(p.taken, mapped) {
				p.set(mapped, of)
				return mapped
			}
		}
	}
	p.set(id, of)
	return id
}

// set makes id the placeholder of an ID.
func (p *placeholders) set(id uint32, of Unknown) {
	p.taken, p.ids, p.of = append(p.taken, id), append(p.ids, id), append(p.of, of)
}

func (p *placeholders) find(id uint32) (of Unknown, ok bool) {
	if n := slices.Index(p.ids, id); n >= 0 {
		return p.of[n], true
	}
	return Unknown{}, false
}
