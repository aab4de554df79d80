package oci

import (
	"slices"
	"strings"

	"caprun/platform/declared"
	"caprun/platform/internal/jsontree"
	"caprun/policy"
)

// limitNames are the resource limits of the specification.
var limitNames = [...]string{
	"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue",
	"nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
}

func (r *reader) rlimits(process *jsontree.Node) {
	m, ok := r.member(process, "rlimits", jsontree.Array)
	if !ok {
		return
	}
	for _, item := range m.Value.Items {
		if item.Kind != jsontree.Object {
			r.refuse(item.Position, "", "a limit must be an object, not %s", item.Kind)
			continue
		}
		r.checkKeys(item, []string{"type", "soft", "hard"}, true)
		r.rlimit(item)
	}
}

// rlimit reads a limit. An absent value is 0 to the runtimes.
func (r *reader) rlimit(item *jsontree.Node) {
	kind, ok := r.member(item, "type", jsontree.String)
	if !ok {
		r.refuse(item.Position, "", "limit without a type")
		return
	}
	at := r.of(kind)
	name := strings.ToLower(strings.TrimPrefix(kind.Value.Text, "RLIMIT_"))
	if !slices.Contains(limitNames[:], name) || kind.Value.Text != "RLIMIT_"+strings.ToUpper(name) {
		r.p.AddFinding(declared.Refused, at, "write one of the names of getrlimit(2), such as RLIMIT_NOFILE", "unknown limit %s: the runtimes refuse to start", shown(kind.Value.Text))
		return
	}
	l := policy.Rlimit{Name: name}
	for _, part := range [...]struct {
		key   string
		value *uint64
	}{{"soft", &l.Soft}, {"hard", &l.Hard}} {
		if m, ok := item.Member(part.key); ok {
			n, ok := r.number(m, 64)
			if !ok {
				return
			}
			*part.value = n
			at.Text += ` "` + part.key + `": ` + m.Value.Text
		}
	}
	limits := r.p.Profile.Rlimits
	if n := slices.IndexFunc(limits, func(other policy.Rlimit) bool { return other.Name == name }); n >= 0 {
		r.p.AddFinding(declared.Ignored, at, "remove one", "limit %s is set twice: the runtimes apply both, and the last stays", kind.Value.Text)
		limits = slices.Delete(slices.Clone(limits), n, n+1)
		r.p.Origins["rlimits."+name] = nil
	}
	if l.Soft > l.Hard {
		r.p.AddFinding(declared.Refused, at, "", "soft limit %s is above hard limit %s: the runtimes refuse to start", policy.LimitText(l.Soft), policy.LimitText(l.Hard))
		return
	}
	if !accepts(policy.Profile{Rlimits: []policy.Rlimit{l}}) {
		r.p.AddLoss(at, "a profile cannot have the limit %s", kind.Value.Text)
		return
	}
	r.p.Profile.Rlimits = append(limits, l)
	slices.SortFunc(r.p.Profile.Rlimits, func(a, b policy.Rlimit) int { return strings.Compare(a.Name, b.Name) })
	r.p.From("rlimits."+name, at)
}
