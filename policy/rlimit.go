package policy

import (
	"cmp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// rlimitNames are those of getrlimit(2), sorted.
var rlimitNames = [...]string{
	"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue",
	"nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
}

const unlimited = "unlimited"

func (r *reader) readRlimits(f field) {
	fields, ok := r.fields(f.value, f.path, "rlimits")
	if !ok {
		return
	}
	var limits []Rlimit
	for _, f := range fields {
		if !slices.Contains(rlimitNames[:], f.name) {
			plain := strings.TrimPrefix(strings.TrimPrefix(plainName(f.name), "rlimit_"), "limit")
			hint := didYouMean(Suggest(plain, rlimitNames[:]))
			if hint == "" {
				hint = "there are " + strings.Join(rlimitNames[:], ", ")
			}
			r.reportAt(f.key, unknownRlimit, hint, "there is no resource limit %s", quote(f.name))
			continue
		}
		if f.bad {
			continue
		}
		limit := Rlimit{Name: f.name}
		if f.value.Kind == yaml.MappingNode {
			limit.Soft, limit.Hard, ok = r.softAndHard(f)
		} else {
			limit.Soft, ok = r.amount(f.value, f.name)
			limit.Hard = limit.Soft
			for _, path := range [...]string{f.path + ".soft", f.path + ".hard"} {
				r.place(path, f.key, f.value)
			}
		}
		if ok {
			limits = append(limits, limit)
		}
	}
	slices.SortFunc(limits, func(a, b Rlimit) int { return cmp.Compare(a.Name, b.Name) })
	r.profile.Rlimits = limits
}

func (r *reader) softAndHard(f field) (soft, hard uint64, ok bool) {
	fields, _ := r.fields(f.value, f.path, f.name)
	good := 0
	has := map[string]field{}
	for _, f := range fields {
		has[f.name] = f
		switch {
		case f.name != "soft" && f.name != "hard":
			r.reportUnknown(f, unknownKey, "a resource limit", didYouMean(Suggest(f.name, []string{"soft", "hard"})))
		case f.bad:
		default:
			v, ok := r.amount(f.value, f.name)
			if !ok {
				continue
			}
			good++
			if f.name == "soft" {
				soft = v
			} else {
				hard = v
			}
		}
	}
	_, hasSoft := has["soft"]
	_, hasHard := has["hard"]
	switch {
	case !hasSoft && !hasHard:
		r.reportAt(f.value, missingKey, "write {soft: …, hard: …}, or one value for both", "%s has neither soft nor hard", f.name)
	case !hasSoft:
		r.reportAt(has["hard"].key, missingKey, "add soft, or write one value for both", "hard needs soft")
	case !hasHard:
		r.reportAt(has["soft"].key, missingKey, "add hard, or write one value for both", "soft needs hard")
	case good == 2 && soft > hard:
		r.reportAt(has["soft"].value, badRlimit, "lower soft, or raise hard", "the soft limit is above the hard one")
	default:
		return soft, hard, good == 2
	}
	return 0, 0, false
}

// amount reads a whole number or "unlimited".
func (r *reader) amount(n *yaml.Node, what string) (uint64, bool) {
	const hint = "write a whole number, or unlimited"
	if looksNumeric(n) || isQuoted(n) && isDecimal(n.Value) {
		if n.Value == "-1" {
			r.reportAt(n, badRlimit, "write unlimited", "%s must be a whole number or unlimited, not -1", what)
			return 0, false
		}
		return r.whole(n, what, 0, maxRlimit, badRlimit, hint)
	}
	if !isScalar(n) {
		r.reportAt(n, badType, hint, "%s must be a whole number or unlimited, not %s", what, kindOf(n))
		return 0, false
	}
	s, ok := r.text(n, what)
	if !ok {
		return 0, false
	}
	if s != unlimited {
		r.reportAt(n, badRlimit, hint, "%s must be a whole number or unlimited, not %s", what, quote(s))
		return 0, false
	}
	return Unlimited, true
}
