package containers

import (
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

// A User is what is known about the user of a process.
type User int

const (
	Root      User = iota // uid 0
	OtherUser             // another uid, or a name other than root
	AnyUser               // that of the image
)

// A Word is a word of a list of capabilities.
type Word struct {
	Text string
	At   declared.Source
}

// A Request is what a file says about the capabilities of a container.
type Request struct {
	Add, Drop  []Word
	Privileged *declared.Source // nil if the container is not privileged
	User       User
	Unknown    bool // the uid is not known, even if User is OtherUser
	NotRoot    bool // the uid is not known, and is not 0
}

// all has every capability with a name.
const all = cred.Caps(1<<cap.NamedCount - 1)

// Declare sets the capability sets of a process, and reports what the engine ignores or
// refuses, and what UnknownUser has recorded.
func (e Engine) Declare(d *Draft, r Request) {
	p := d.Process
	for _, list := range [][]Word{r.Add, r.Drop} {
		for _, w := range list {
			p.From("caps", w.At)
			p.From("iab", w.At)
		}
	}
	add, addAll := e.words(p, r.Add, "adds")
	drop, dropAll := e.words(p, r.Drop, "drops")
	bounding := e.bounding(add, drop, addAll, dropAll)
	if r.Privileged != nil {
		p.From("caps", *r.Privileged)
		p.From("iab", *r.Privileged)
		for _, w := range r.Drop {
			p.AddFinding(declared.Ignored, w.At, "remove it, or privileged", "%s does not drop %s: the container is privileged", e, quote(w.Text))
		}
		bounding = all
	} else {
		e.conflicts(p, r, add, drop, addAll, dropAll)
	}
	p.Sets = declared.Sets{Bounding: bounding, UnknownUID: r.User == AnyUser || r.Unknown || r.NotRoot, NotRoot: r.NotRoot}
	ambient := e.ambient(r, add, addAll)
	p.Sets.Ambient = ambient.Intersect(bounding)
	p.Sets.Inheritable = p.Sets.Ambient
	if out := ambient.Minus(bounding); out != 0 && len(r.Drop) > 0 {
		p.AddFinding(declared.AmbientOutsideBounding, r.Drop[0].At, "do not add what you drop", "%s makes %s ambient, which the bounding set does not have; the container does not start", e, out.Join())
	}
	if r.User == OtherUser && ambient == 0 {
		e.ineffective(p, r)
	}
	d.reportUnknown()
}

// bounding returns the bounding set of a container that is not privileged.
func (e Engine) bounding(add, drop cred.Caps, addAll, dropAll bool) cred.Caps {
	switch e {
	case Docker:
		// TweakCapabilities: to add wins.
		switch {
		case addAll:
			return all.Minus(drop)
		case dropAll:
			return add
		}
		return e.Defaults().Minus(drop).Union(add)
	case Podman:
		// MergeCapabilities; it refuses to add and drop one capability.
		switch {
		case dropAll:
			return add
		case addAll:
			return all.Minus(drop)
		}
		return e.Defaults().Union(add).Minus(drop)
	}
	// To drop wins.
	set := e.Defaults()
	if addAll {
		set = all
	}
	if dropAll {
		set = 0
	}
	return set.Union(add).Minus(drop)
}

// ambient returns the capabilities that the engine makes ambient.
func (e Engine) ambient(r Request, add cred.Caps, addAll bool) cred.Caps {
	switch {
	case e == Podman && r.User == OtherUser && addAll:
		return all
	case e == Podman && r.User == OtherUser:
		return add
	case e == CRIO && r.Privileged != nil:
		// SetupPrivileged fills all five sets.
		return all
	}
	return 0
}

// words returns the capabilities that words name, and reports the others.
func (e Engine) words(p *declared.Process, list []Word, verb string) (set cred.Caps, hasAll bool) {
	for _, w := range list {
		if isAll(w.Text) {
			hasAll = true
			continue
		}
		n, prefixed, ok := e.capability(w.Text)
		if ok {
			set = set.With(n)
			continue
		}
		hint := suggestion(w.Text, e == Containerd)
		switch {
		case prefixed:
			p.AddFinding(declared.UnknownCapability, w.At, hint, "%s %s nothing for %s: names have no prefix CAP_ here", e, verb, quote(w.Text))
		case e.ignoresUnknown():
			p.AddFinding(declared.UnknownCapability, w.At, hint, "%s %s nothing for the unknown capability %s", e, verb, quote(w.Text))
		default:
			p.AddFinding(declared.UnknownCapability, w.At, hint, "%s refuses the unknown capability %s", e, quote(w.Text))
		}
	}
	return set, hasAll
}

// suggestion returns the hint for an unknown capability.
func suggestion(word string, bare bool) string {
	lower := strings.ToLower(word)
	if lower == "cap_all" {
		return "write ALL"
	}
	name := policy.Suggest("cap_"+strings.TrimPrefix(lower, "cap_"), all.Names())
	if name == "" {
		return ""
	}
	name = strings.ToUpper(name)
	if bare || !strings.HasPrefix(lower, "cap_") {
		name = strings.TrimPrefix(name, "CAP_")
	}
	return "write " + name
}

// conflicts reports capabilities that are added and dropped.
func (e Engine) conflicts(p *declared.Process, r Request, add, drop cred.Caps, addAll, dropAll bool) {
	if addAll && dropAll && len(r.Drop) > 0 {
		at := r.Drop[0].At
		switch e {
		case Docker:
			p.AddFinding(declared.Ignored, at, "remove one of the two", "Docker adds ALL and ignores that ALL is dropped")
		case Podman:
			p.AddFinding(declared.Refused, at, "remove one of the two", "Podman refuses to add ALL and to drop ALL")
		default:
			p.AddFinding(declared.Ignored, at, "remove one of the two", "%s drops ALL and ignores that ALL is added", e)
		}
	}
	for _, w := range r.Drop {
		n, _, ok := e.capability(w.Text)
		if !ok || !add.Has(n) || !drop.Has(n) {
			continue
		}
		switch {
		case e == Docker && !addAll:
			p.AddFinding(declared.Ignored, w.At, "remove one of the two", "Docker adds %s and ignores that it is dropped", quote(w.Text))
		case e == Podman && !dropAll && !addAll:
			p.AddFinding(declared.Refused, w.At, "remove one of the two", "Podman refuses to add and to drop %s", quote(w.Text))
		case e == Containerd || e == CRIO:
			p.AddFinding(declared.Ignored, w.At, "remove one of the two", "%s drops %s and ignores that it is added", e, quote(w.Text))
		}
	}
}

// ineffective reports the capabilities that a user other than root does not get.
func (e Engine) ineffective(p *declared.Process, r Request) {
	for _, w := range r.Add {
		if _, _, ok := e.capability(w.Text); !ok && !isAll(w.Text) {
			continue
		}
		hint := "start the container as root, with a sealed launcher as its entrypoint"
		if !p.Profile.NoNewPrivs {
			// Under no_new_privs a file grants no capability that is not permitted.
			hint += ", or add the capability to the program's file"
		}
		p.AddFinding(declared.Ineffective, w.At, hint,
			"the process does not get %s: %s adds it only to the bounding set for a user other than root", quote(w.Text), e)
	}
	if r.Privileged != nil {
		p.AddFinding(declared.Ineffective, *r.Privileged, "", "the process gets no capability: %s fills only the bounding set of a privileged container of a user other than root", e)
	}
}
