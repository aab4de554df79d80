package policy

import "gopkg.in/yaml.v3"

func (r *reader) readEnv(f field) {
	fields, ok := r.fields(f.value, f.path, "env")
	if !ok {
		return
	}
	env := &Env{KeepAll: true}
	given, taken := map[string]bool{}, map[string]bool{}
	for _, f := range fields {
		switch {
		case f.name != "keep" && f.name != "set" && f.name != "unset":
			r.reportUnknown(f, unknownKey, "env", didYouMean(Suggest(f.name, []string{"keep", "set", "unset"})))
		case f.bad:
		case f.name == "keep":
			env.KeepAll, env.Keep = r.readKeep(f)
			for _, name := range env.Keep {
				given[name] = true
			}
		case f.name == "set":
			env.Set = r.readSet(f)
			for name := range env.Set {
				given[name] = true
			}
		case f.name == "unset":
			env.Unset, _ = r.variables(f)
			for _, name := range env.Unset {
				taken[name] = true
			}
		}
	}
	r.checkVariables(fields, given, taken)
	r.profile.Env = env
}

// readKeep reads "all" or a list of names.
func (r *reader) readKeep(f field) (all bool, names []string) {
	if !isScalar(f.value) {
		names, _ := r.variables(f)
		return false, names
	}
	s, ok := r.text(f.value, "keep")
	if ok && s != "all" {
		hint := "write keep: all, or keep: [PATH, LANG]"
		if isVariable(s) {
			hint = "write keep: [" + s + "] or keep: all"
		}
		r.reportAt(f.value, badType, hint, "keep must be all or a list of names, not %s", quote(s))
	}
	return true, nil
}

func (r *reader) readSet(f field) map[string]string {
	fields, ok := r.fields(f.value, f.path, "set")
	if !ok {
		return nil
	}
	if len(fields) > maxVariables {
		r.reportAt(fields[maxVariables].key, tooLong, "let the program read them from a file", "set has %d variables; at most %d make sense", len(fields), maxVariables)
		return nil
	}
	set := make(map[string]string, len(fields))
	for _, f := range fields {
		if !r.checkVariable(f.key) || f.bad {
			continue
		}
		if value, ok := r.argument(f.value, "a variable"); ok {
			set[f.name] = value
		}
	}
	return set
}

// variables reads a list of names.
func (r *reader) variables(f field) (names []string, ok bool) {
	items, ok := r.items(f.value, f.name, maxVariables)
	if !ok {
		return nil, false
	}
	names = make([]string, 0, len(items))
	seen := newOnce[string](r)
	for i, n := range items {
		name, ok := r.text(n, "the name of a variable")
		if !ok || !r.checkVariable(n) || !seen.first(n, name, name) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		names = append(names, name)
	}
	return names, true
}

// checkVariable reports a name that no program could read everywhere.
func (r *reader) checkVariable(n *yaml.Node) bool {
	if isVariable(n.Value) {
		return true
	}
	r.reportAt(n, badVariable, "use letters, digits and '_', not beginning with a digit", "%s cannot be the name of a variable", quote(n.Value))
	return false
}

func isVariable(s string) bool {
	if s == "" || len(s) > maxVariableLength || '0' <= s[0] && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if s[i] != '_' && (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// checkVariables reports the names that are both given and taken away, at the
// later mention.
func (r *reader) checkVariables(fields []field, given, taken map[string]bool) {
	seen := map[string]string{}
	for _, f := range fields {
		if f.bad || f.name != "keep" && f.name != "set" && f.name != "unset" {
			continue
		}
		step, from := 1, f.value.Content
		if f.name == "set" {
			step = 2
		}
		for i := 0; i < len(from); i += step {
			name := from[i].Value
			if !given[name] || !taken[name] {
				continue
			}
			if other := seen[name]; other != "" && (other == "unset") != (f.name == "unset") {
				r.reportAt(from[i], conflictingVariable, "keep one of them", "%s is in %s and in %s", name, other, f.name)
			}
			seen[name] = f.name
		}
	}
}
