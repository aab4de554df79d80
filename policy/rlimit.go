package policy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// rlimitNames are those of getrlimit(2), sorted.
var rlimitNames = [...]string{
	"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue",
	"nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
}

const unlimited = "unlimited"

var (
	rlimitsKind = mappingKind{what: "rlimits", hint: func(n *yaml.Node) string {
		return writeKey("rlimits", meantRlimits(n), "write a mapping, for example rlimits: {nofile: 1024}")
	}}
	limitKeys = [...]string{"soft", "hard"}
)

func (r *reader) readRlimits(f field) {
	fields, ok := r.fields(f.value, f.path, rlimitsKind)
	if !ok {
		return
	}
	var limits []Rlimit
	for _, f := range fields {
		if !slices.Contains(rlimitNames[:], f.name) {
			r.reportAt(f.key, unknownRlimit, r.limitNameHint(f, fields), "unknown limit %s", quote(f.name))
			continue
		}
		if f.bad {
			continue
		}
		if limit, ok := r.limit(f); ok {
			limits = append(limits, limit)
		}
	}
	slices.SortFunc(limits, func(a, b Rlimit) int { return cmp.Compare(a.Name, b.Name) })
	r.profile.Rlimits = limits
}

// limitNameHint is the hint for a limit that getrlimit(2) does not have.
func (r *reader) limitNameHint(f field, fields []field) string {
	if name := Suggest(limitName(f.name), rlimitNames[:]); name != "" {
		return r.keyHint(f, name, fields, func(r *reader, f field) { r.limit(f) })
	}
	return "the limits are " + strings.Join(rlimitNames[:], ", ")
}

// limitName returns the name of a limit without what other tools write before it:
// RLIMIT_NOFILE, LimitNOFILE.
func limitName(name string) string {
	plain := plainName(name)
	for _, prefix := range [...]string{"rlimit", "limit"} {
		if rest, ok := strings.CutPrefix(plain, prefix); ok {
			return strings.TrimPrefix(rest, "_")
		}
	}
	return plain
}

// limit reads one value for both limits, or a mapping.
func (r *reader) limit(f field) (limit Rlimit, ok bool) {
	limit.Name = f.name
	if f.value.Kind == yaml.MappingNode {
		return r.softAndHard(f)
	}
	limit.Soft, ok = r.amount(f.value, f.name, limitHint(f.value))
	limit.Hard = limit.Soft
	for _, key := range limitKeys {
		r.place(f.path+"."+key, f.key, f.value)
	}
	return limit, ok
}

// softAndHard reads one or both limits; the target inherits the one that is absent.
func (r *reader) softAndHard(f field) (limit Rlimit, ok bool) {
	limit = Rlimit{Name: f.name, InheritSoft: true, InheritHard: true}
	kind := mappingKind{what: f.name}
	if len(f.value.Content) == pair {
		kind.required = limitKeys[:]
	}
	fields, _ := r.fields(f.value, f.path, kind)
	ok = true
	has := map[string]field{}
	for _, f := range fields {
		has[f.name] = f
		switch {
		case !slices.Contains(limitKeys[:], f.name):
			r.unknownKey(f, kind.what, r.limitKeyHint(f, fields))
		case f.bad:
			ok = false
		default:
			v, valid := r.amount(f.value, f.name, boundedHint(f, fields))
			ok = ok && valid
			if f.name == "soft" {
				limit.Soft, limit.InheritSoft = v, false
			} else {
				limit.Hard, limit.InheritHard = v, false
			}
		}
	}
	softField, hasSoft := has["soft"]
	_, hasHard := has["hard"]
	switch {
	case !hasSoft && !hasHard:
		r.reportAt(f.value, missingKey, "write {soft: NUMBER, hard: NUMBER}, or write one number for both", "missing key \"soft\" or \"hard\"")
		return limit, false
	case ok && hasSoft && hasHard && limit.Soft > limit.Hard:
		r.reportAt(softField.value, badRlimit, "lower soft to "+LimitText(limit.Hard)+", or raise hard to "+LimitText(limit.Soft), "soft limit %s is above hard limit %s", LimitText(limit.Soft), LimitText(limit.Hard))
		return limit, false
	}
	return limit, ok
}

func (r *reader) limitKeyHint(f field, fields []field) string {
	if name := Suggest(f.name, limitKeys[:]); name != "" {
		return r.keyHint(f, name, fields, func(r *reader, f field) { r.amount(f.value, f.name, "") })
	}
	return "the keys of a limit are soft and hard"
}

// amount reads a whole number or "unlimited".
func (r *reader) amount(n *yaml.Node, what, hint string) (uint64, bool) {
	k := numberKind{what: what, hi: maxRlimit, or: unlimited, rule: badRlimit, hint: hint, exact: true}
	switch {
	case r.opaque(n):
		return 0, false
	case isScalar(n) && n.Value == unlimited && !looksNumeric(n):
		return Unlimited, true
	case looksNumeric(n) && n.Value != "-1" || isQuoted(n) && isDecimal(n.Value) || isAmbiguous(n) || isNull(n):
		return r.whole(n, k)
	case isScalar(n) && (n.Style != 0 || kindOf(n) == "text" || looksNumeric(n)):
		r.reportAt(n, badRlimit, k.hint, "invalid %s %s: %s", what, quote(n.Value), k.want())
	default:
		r.reportAt(n, badType, k.hint, "%s must be a whole number or unlimited, not %s", what, kindOf(n))
	}
	return 0, false
}

// limitHint is the hint for a value that is not a limit.
func limitHint(n *yaml.Node) string {
	values := scalarsOf(n)
	if len(values) == 1 {
		if meant := meantAmounts(values[0]); len(meant) > 0 {
			return "write " + strings.Join(meant, ", or write ")
		}
	}
	return write(meantLimit(values), "write a whole number, or write unlimited")
}

// meantLimit returns, as YAML, the limit that was meant by a number in another notation,
// by what other tools write for unlimited, or by a soft and a hard limit; "" if that is
// not certain.
func meantLimit(values []string) string {
	if len(values) == 1 {
		if meant := meantAmounts(values[0]); len(meant) == 1 {
			return meant[0]
		}
		soft, hard, _ := strings.Cut(values[0], ":")
		values = []string{soft, hard}
	}
	if len(values) != 2 {
		return ""
	}
	soft, hard := fixAmount(values[0]), fixAmount(values[1])
	if soft == "" || hard == "" || amountOf(soft) > amountOf(hard) {
		return ""
	}
	return "{soft: " + soft + ", hard: " + hard + "}"
}

// meantRlimits returns, as YAML, the value of rlimits that was meant by the limits of an
// OCI runtime, or by those of docker run; "" if that is not certain.
func meantRlimits(n *yaml.Node) string {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var limits []string
	seen := map[string]bool{}
	for _, item := range items {
		name, value := limitIn(item)
		if value == "" || seen[name] || len(limits) == len(rlimitNames) {
			return ""
		}
		seen[name] = true
		limits = append(limits, name+": "+value)
	}
	if limits == nil {
		return ""
	}
	return "{" + strings.Join(limits, ", ") + "}"
}

// limitIn returns a limit of rlimits, and its value as YAML: {type: RLIMIT_NOFILE, soft:
// 1, hard: 2} or nofile=1:2. The value is "" for anything else.
func limitIn(n *yaml.Node) (name, value string) {
	parts := map[string]string{}
	if text, number, ok := strings.Cut(n.Value, "="); ok {
		name, value = limitOf(text), meantLimit([]string{number})
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += pair {
		parts[n.Content[i].Value] = n.Content[i+1].Value
	}
	if len(parts) == len([...]string{"type", "soft", "hard"}) {
		name, value = limitOf(parts["type"]), meantLimit([]string{parts["soft"], parts["hard"]})
	}
	if name == "" {
		return "", ""
	}
	return name, value
}

// limitOf returns the limit that another tool names, or "".
func limitOf(name string) string {
	if name = limitName(name); slices.Contains(rlimitNames[:], name) {
		return name
	}
	return ""
}

// boundedHint is limitHint for a soft or a hard limit next to the other.
func boundedHint(f field, fields []field) string {
	least, most := "0", unlimited
	for _, other := range fields {
		if isScalar(other.value) && other.name != f.name && fixAmount(other.value.Value) != "" {
			if f.name == "soft" {
				most = fixAmount(other.value.Value)
			} else {
				least = fixAmount(other.value.Value)
			}
		}
	}
	if values := scalarsOf(f.value); len(values) == 1 {
		for _, v := range meantAmounts(values[0]) {
			if amountOf(least) <= amountOf(v) && amountOf(v) <= amountOf(most) {
				return "write " + v
			}
		}
	}
	if least == most {
		return "write " + least
	}
	return "write a limit from " + least + " to " + most
}

// meantAmounts returns the limits that may be meant by a text.
func meantAmounts(s string) []string {
	if fixed := fixAmount(s); fixed != "" {
		return []string{fixed}
	}
	return slices.DeleteFunc(decimals(s), func(s string) bool { return fixAmount(s) == "" })
}

// fixAmount returns the limit that was meant by a text, or "".
func fixAmount(s string) string {
	switch strings.ToLower(s) {
	case unlimited, "infinity", "-1":
		return unlimited
	}
	return numberKind{hi: maxRlimit}.fix(s)
}

// amountOf returns the value of a limit that is right.
func amountOf(s string) uint64 {
	if v, err := strconv.ParseUint(s, 10, 64); err == nil {
		return v
	}
	return Unlimited
}
