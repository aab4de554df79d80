package declared

import (
	"fmt"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/internal/profiletext"
	"caprun/policy"
)

// A Document is the text of a profile, and where its lines come from.
type Document struct {
	*Process

	// Text is the profile. A comment at each key names the declarations that it
	// comes from.
	Text []byte

	keys []string // of the lines of Text
}

// maxOrigin is the largest length of a declaration in a comment, in bytes: the comment
// names the line, where all of it stands.
const maxOrigin = 100

// maxOrigins is the largest number of declarations in the comments of one key.
const maxOrigins = 8

// Document returns the profile that declares what p does. The error says that a profile
// cannot have one of the values, or that the profile is too large.
func (p *Process) Document() (*Document, error) {
	if err := p.declareSets(); err != nil {
		return nil, err
	}
	if p.Profile.Name == "" {
		p.Profile.Name = profileName(p.Name)
	}
	text, keys, err := profiletext.Write(&p.Profile, p.comments)
	if err != nil {
		return nil, err
	}
	return &Document{p, text, keys}, nil
}

// comments returns the comments of a key.
func (p *Process) comments(key string) []string {
	from := p.Origins[key]
	var lines []string
	for n, s := range from {
		if n == maxOrigins {
			lines = append(lines, fmt.Sprintf("and %d more", len(from)-n))
			break
		}
		lines = append(lines, s.comment())
	}
	// The key names what the bounding set lacks.
	const readable = 3
	if key == "iab" && cred.FirstCaps(cap.NamedCount).Minus(p.Sets.Bounding).Len() > readable {
		lines = append(lines, "bounding set: "+p.Sets.Bounding.String())
	}
	return lines
}

func (s Source) comment() string {
	at := profiletext.Inert(s.File, maxOrigin)
	if s.IsKnown() {
		at += fmt.Sprintf(":%d", s.Line)
	}
	return at + ": " + profiletext.Inert(s.Text, maxOrigin)
}

// Locate returns a finding about the profile as one about the file of the platform. A
// key without a declaration has the position of the process.
func (d *Document) Locate(f policy.Diagnostic) policy.Diagnostic {
	at := d.At
	if line := f.Line - 1; line >= 0 && line < len(d.keys) {
		at = d.Origin(d.keys[line])
	}
	f.File, f.Position = at.File, at.Position
	return f
}

// Origin returns the last declaration behind a key, or behind the mapping that has it. For
// a key without a declaration it is that of the process.
func (d *Document) Origin(key string) Source {
	for key != "" {
		if from := d.Origins[key]; len(from) > 0 {
			return from[len(from)-1]
		}
		key = parent(key)
	}
	return d.At
}

// StandIn returns the profile to make a plan of, from what package policy has read of Text.
// It differs from p if the uid of the process is unknown and not 0: then it has the uid and
// the gid 65534 as a stand-in. A profile without uid would stand for that of the caller.
func (d *Document) StandIn(p *policy.Profile) *policy.Profile {
	if !d.Sets.NotRoot {
		return p
	}
	const nobody = 65534
	uid, c := uint32(nobody), *p
	c.UID, c.GID = &uid, &policy.Group{ID: nobody}
	return &c
}

// IsLike reports whether two processes of a unit differ in their commands only.
func (d *Document) IsLike(e *Document) bool { return d.privileges() == e.privileges() }

// privileges returns the lines of the profile that are not about the command.
func (d *Document) privileges() string {
	var b strings.Builder
	n := 0
	for line := range strings.Lines(string(d.Text)) {
		key := d.keys[n]
		n++
		if key != "name" && key != "command" && !strings.HasPrefix(strings.TrimLeft(line, " "), "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// A Declaration is a key of the profile, and the declarations that it comes from; none for
// what the platform sets by itself.
type Declaration struct {
	Key  string
	From []Source
}

// Declarations returns the keys of the profile with their declarations, in the order of
// the profile.
func (d *Document) Declarations() []Declaration {
	var list []Declaration
	seen := map[string]bool{}
	for _, key := range d.keys {
		if seen[key] || key == "version" || key == "name" {
			continue
		}
		seen[key] = true
		list = append(list, Declaration{key, d.Origins[key]})
	}
	return list
}

// parent returns the path before the last dot, "" if there is no dot.
func parent(path string) string { return path[:max(strings.LastIndexByte(path, '.'), 0)] }

// profileName returns a name that a profile can have, or "" if there is none.
func profileName(name string) string {
	valid := func(r rune) rune {
		if r < 0x80 && (strings.ContainsRune("._-", r) || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') {
			return r
		}
		return '-'
	}
	name = strings.TrimLeft(strings.Map(valid, name), "._-")
	const longest = 64 // of policy
	return name[:min(len(name), longest)]
}
