package policy

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// envKeys are the keys of env.
var envKeys = [...]string{"keep", "set", "unset"}

var (
	envKind = mappingKind{what: "env", hint: envHint}
	setKind = mappingKind{what: "env.set", hint: func(n *yaml.Node) string {
		return write(assignments(scalarsOf(n)), "write a mapping, for example {LANG: C.UTF-8}")
	}}
	keepKind = listKind{
		what: "env.keep", limit: maxVariables, separators: ",", fix: variableName,
		hint: "write all, or write a list, for example [PATH, LANG]",
	}
	unsetKind = listKind{
		what: "env.unset", limit: maxVariables, separators: ",", fix: variableName,
		hint: "write a list, for example [DEBUG]",
	}
	variableKind = textKind{what: "a variable name", valid: isVariable, hint: "use letters, digits, '_', '.' and '-', and begin with a letter or '_'"}
	valueKind    = textKind{what: "a variable", hint: "write text"}
)

// envHint is the hint for what is not a mapping.
func envHint(n *yaml.Node) string {
	return writeKey("env", meantEnv(n), "write a mapping, for example env: {keep: [PATH, LANG]}")
}

// meantEnv returns, as YAML, the value of env that was meant by names of variables, or by
// assignments, as other tools take them; "" if that is not certain.
func meantEnv(n *yaml.Node) string {
	words := scalarsOf(n)
	switch names := inBrackets(fixAll(words, variableName)); {
	case n.Kind == yaml.MappingNode:
		return setOf(assignmentsIn(n))
	case slices.Equal(words, []string{"all"}):
		return "{keep: all}"
	case len(words) > 0 && names != "":
		return "{keep: " + names + "}"
	}
	return setOf(assignments(words))
}

// setOf returns the value of env that sets variables; "" if a hint cannot show it.
func setOf(variables string) string {
	if set := "{set: " + variables + "}"; variables != "" && len(set) <= maxShown {
		return set
	}
	return ""
}

// assignmentsIn is assignments for a mapping of names to values, without keys of env.
func assignmentsIn(n *yaml.Node) string {
	var words []string
	for i := 0; i+1 < len(n.Content); i += pair {
		name, value := n.Content[i], n.Content[i+1]
		if !isScalar(value) || isNull(value) || len(words) > maxShown || slices.Contains(envKeys[:], name.Value) {
			return ""
		}
		words = append(words, name.Value+"="+value.Value)
	}
	return assignments(words)
}

// assignments returns words such as LANG=C as a mapping; "" if one is not an assignment,
// or if a hint cannot show them.
func assignments(words []string) string {
	var pairs []string
	seen, total := map[string]bool{}, 0
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		text := inList(value)
		total += len(word)
		if !ok || text == "" || total > maxShown || seen[name] || !isVariable(name) || inList(name) != name {
			return ""
		}
		seen[name] = true
		pairs = append(pairs, name+": "+text)
	}
	if pairs == nil {
		return ""
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// variableName returns a name as an item of keep or unset. A word in small
// letters, such as none, is probably not the name of a variable.
func variableName(word string) string {
	if !isVariable(word) || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" || inList(word) != word {
		return ""
	}
	return word
}

func (r *reader) readEnv(f field) {
	fields, ok := r.fields(f.value, f.path, envKind)
	if !ok {
		return
	}
	env := &Env{KeepAll: true}
	variables := setOf(assignmentsIn(f.value))
	for _, f := range fields {
		switch {
		case !slices.Contains(envKeys[:], f.name):
			r.unknownKey(f, "env", r.envKeyHint(f, fields, variables))
		case f.bad:
		case f.name == "keep":
			env.KeepAll, env.Keep = r.readKeep(f)
		case f.name == "set":
			env.Set = r.readSet(f)
		case f.name == "unset":
			env.Unset, _ = r.variables(f, unsetKind)
		}
	}
	r.checkVariables(fields)
	r.profile.Env = env
}

// envKeyHint is the hint for a key that env does not have. If all keys of env are
// variables, it is how to write them.
func (r *reader) envKeyHint(f field, fields []field, variables string) string {
	name := Suggest(f.name, envKeys[:])
	switch {
	case name == "" && variables != "":
		return writeKey("env", variables, "")
	case name == "":
		return "the keys of env are keep, set and unset; variables to set belong below set"
	}
	return r.keyHint(f, name, fields, func(r *reader, f field) {
		switch f.name {
		case "keep":
			r.readKeep(f)
		case "set":
			r.readSet(f)
		case "unset":
			r.variables(f, unsetKind)
		}
	})
}

// readKeep reads "all" or a list of names.
func (r *reader) readKeep(f field) (all bool, names []string) {
	if isPlain(f.value) && f.value.Value == "all" || isQuoted(f.value) && f.value.Value == "all" {
		return true, nil
	}
	if isScalar(f.value) {
		if !r.opaque(f.value) {
			r.reportAt(f.value, badType, keepKind.hintFor(f.value), "env.keep must be all or a list of names, not %s", quote(f.value.Value))
		}
		return true, nil
	}
	names, _ = r.variables(f, keepKind)
	return false, names
}

func (r *reader) readSet(f field) map[string]string {
	fields, ok := r.fields(f.value, f.path, setKind)
	if !ok {
		return nil
	}
	if len(fields) > maxVariables {
		r.reportAt(fields[maxVariables].key, tooLong, "let the program read them from a file", "env.set has %d variables; the limit is %d", len(fields), maxVariables)
		return nil
	}
	set := make(map[string]string, len(fields))
	for _, f := range fields {
		if !r.checkVariable(f.key) || f.bad {
			continue
		}
		if value, ok := r.argument(f.value, valueKind); ok {
			set[f.name] = value
		}
	}
	return set
}

// variables reads a list of names.
func (r *reader) variables(f field, k listKind) (names []string, ok bool) {
	items, ok := r.items(f.value, k)
	if !ok {
		return nil, false
	}
	names = make([]string, 0, len(items))
	seen := newOnce[string](r)
	for i, n := range items {
		name, ok := r.text(n, variableKind)
		if !ok || !r.checkVariable(n) || !seen.first(n, name, "variable "+name) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		names = append(names, name)
	}
	return names, true
}

// checkVariable reports a name that programs do not read. Some, such as Elasticsearch and
// Spring, read names with dots and hyphens, which a shell cannot set.
func (r *reader) checkVariable(n *yaml.Node) bool {
	if isVariable(n.Value) {
		return true
	}
	r.reportAt(n, badVariable, variableKind.hint, "invalid variable name %s", quote(n.Value))
	return false
}

func isVariable(s string) bool {
	if s == "" || len(s) > maxVariableLength || strings.IndexByte("0123456789.-", s[0]) >= 0 {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("_.-", s[i]) < 0 {
			return false
		}
	}
	return true
}

// checkVariables reports names that are both passed on and removed, at the
// later mention.
func (r *reader) checkVariables(fields []field) {
	seen := map[string]string{} // in which key a name was mentioned last
	for _, f := range fields {
		step, kind := 1, yaml.SequenceNode
		if f.name == "set" {
			step, kind = pair, yaml.MappingNode
		}
		if f.bad || f.value.Kind != kind || !slices.Contains(envKeys[:], f.name) {
			continue
		}
		from := f.value.Content
		for i := 0; i < len(from); i += step {
			name := from[i].Value
			if other := seen[name]; other != "" && (other == "unset") != (f.name == "unset") && isVariable(name) {
				r.reportAt(from[i], conflictingVariable, "remove it from one of them", "%s is in %s and in %s", name, other, f.name)
			}
			seen[name] = f.name
		}
	}
}
