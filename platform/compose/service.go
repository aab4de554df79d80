package compose

import (
	"strconv"
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/tree"
	"caprun/platform/internal/words"
)

// user declares the user and the groups. notRoot reports that the user is not known, and is
// not root.
func (s *service) user() (user containers.User, notRoot bool) {
	s.UserHint = "write the number of the user, as in user: \"33:33\""
	user = containers.AnyUser
	if e, ok := s.entry("user"); ok {
		text, known := plain(e.Value.Text())
		switch {
		case !e.Value.IsText():
			s.refuse(e.KeySource(), "user", "a text")
		case !known && hasDefaults(e.Value.Text()):
			text, _ = s.value(e.Value, e.Source(), "user")
			user = s.engine.SetUser(&s.Draft, text, e.Source())
		case !known:
			user, notRoot = s.SetVariableUser(e.Value.Text(), "the value of user has a variable", e.Source())
		case !e.Value.IsString():
			s.AddFinding(declared.Refused, e.Source(), "put the value in quotes", "Compose refuses user: the value is not a text")
			user = s.engine.SetUser(&s.Draft, text, e.Source())
		default:
			user = s.engine.SetUser(&s.Draft, text, e.Source())
		}
	} else {
		user = s.engine.SetUser(&s.Draft, "", s.At)
	}
	for _, g := range s.texts("group_add") {
		if g.Text == "keep-groups" && s.engine == containers.Podman {
			s.AddLoss(g.At, "the process has the groups of the caller")
			continue
		}
		s.Group(g.Text, g.At)
	}
	return user, notRoot
}

// capabilities declares the capability sets.
func (s *service) capabilities(user containers.User, notRoot bool) {
	r := containers.Request{Add: s.texts("cap_add"), Drop: s.texts("cap_drop"), User: user, NotRoot: notRoot}
	if v, at := s.boolean("privileged"); v {
		r.Privileged = &at
		s.AddLoss(at, "privileged gives the container every device of the host, and no seccomp filter, AppArmor profile or masked path")
	}
	s.engine.Declare(&s.Draft, r)
}

// security declares the options of security_opt.
func (s *service) security() {
	for _, o := range s.texts("security_opt") {
		s.engine.SecurityOption(&s.Draft, o.Text, o.At)
	}
}

// limits declares the resource limits.
func (s *service) limits() {
	e, ok := s.entry("ulimits")
	if !ok {
		return
	}
	if e.Value.Kind != tree.Mapping {
		s.refuse(e.KeySource(), "ulimits", "a mapping")
	}
	for _, l := range e.Value.Entries {
		key := "ulimits." + l.Key
		if l.Value.IsText() {
			if text, ok := s.number(l.Value, l.Source(), key); ok {
				s.engine.SetLimit(&s.Draft, l.Key, text, text, l.Source())
			}
			continue
		}
		soft, hard := l.Value.Get("soft"), l.Value.Get("hard")
		if !soft.IsText() || !hard.IsText() {
			s.refuse(l.KeySource(), key, "a number, or a mapping with soft and hard")
			continue
		}
		at := l.KeySource()
		at.Text = l.Key + ": {soft: " + containers.Short(soft.Value) + ", hard: " + containers.Short(hard.Value) + "}"
		first, ok := s.number(soft, at, key)
		second, also := s.number(hard, at, key)
		if ok && also {
			s.engine.SetLimit(&s.Draft, l.Key, first, second, at)
		}
	}
}

// umask declares the umask. A leading zero means octal digits, as in YAML 1.1.
func (s *service) umask() {
	e, ok := s.entry("umask")
	if !ok {
		return
	}
	text, ok := s.value(e.Value, e.Source(), "umask")
	if !ok {
		return
	}
	v, err := strconv.ParseUint(text, 0, 32)
	if err != nil || !e.Value.IsText() || strings.Contains(text, "_") {
		s.refuse(e.Source(), "umask", "a number")
		return
	}
	if v > 0o777 {
		s.AddLoss(e.Source(), "a profile cannot have the umask %s", containers.Short(text))
		return
	}
	mask := uint32(v)
	s.Profile.Umask = &mask
	s.From("umask", e.Source())
}

// environment declares the variables.
func (s *service) environment() {
	if e, ok := s.entry("env_file"); ok {
		s.AddLoss(e.Source(), "env_file adds variables of other files")
	}
	e, ok := s.entry("environment")
	if !ok {
		return
	}
	for _, item := range e.Value.Items {
		name, value, has := strings.Cut(item.Text(), "=")
		s.variable(name, value, has, item.Source())
	}
	for _, v := range e.Value.Entries {
		if v.Value.Kind != tree.Scalar {
			s.refuse(v.KeySource(), "environment", "a text")
			continue
		}
		if !v.Value.Quoted && (v.Value.Tag == "!!float" || v.Value.Tag == "!!int" || v.Value.Tag == "!!timestamp") && !isDecimal(v.Value.Value) {
			s.AddLoss(v.Source(), "the variable %s has a number or a date, which Compose writes in its own notation", containers.Short(v.Key))
			continue
		}
		value := v.Value.Value
		if v.Value.Tag == "!!bool" && !v.Value.Quoted {
			value = strings.ToLower(value)
		}
		s.variable(v.Key, value, !v.Value.Null, v.Source())
	}
}

// isDecimal reports whether a number is in the notation that Compose writes.
func isDecimal(text string) bool {
	_, ok := tree.ParseUint(strings.TrimPrefix(text, "-"), 1<<62)
	return ok && text != "-0"
}

// variable declares a variable. Without a value it is the caller's.
func (s *service) variable(name, value string, has bool, at declared.Source) {
	name, known := plain(name)
	if !known {
		s.AddLoss(at, "a variable has a name with a variable: %s", containers.Short(name))
		return
	}
	if !has {
		s.KeepEnv(name, at)
		return
	}
	text, ok := plain(value)
	if !ok {
		s.AddLoss(at, "the variable %s has the value of a variable: %s", containers.Short(name), containers.Short(value))
		return
	}
	s.SetEnv(name, text, at)
}

// words returns the words of entrypoint or command. ok is false if they are not known.
func (s *service) words(e tree.Entry) (list []string, ok bool) {
	if e.Value.IsText() && !e.Value.IsString() {
		s.refuse(e.Source(), e.Key, "a text or a list of texts")
		return nil, false
	}
	if e.Value.IsText() {
		text, known := plain(e.Value.Value)
		if !known {
			s.AddLoss(e.KeySource(), "%s has variables", e.Key)
			return nil, false
		}
		list, rest, ok := words.SplitCompose(text)
		switch {
		case !ok:
			s.AddFinding(declared.Refused, e.Source(), "write a list of words", "Compose refuses %s: its quotes or parentheses are wrong", e.Key)
		case rest != "":
			s.AddFinding(declared.Ignored, e.Source(), "write [sh, -c, \"COMMAND\"]", "Compose ignores the end of %s, which no shell reads: %s", e.Key, containers.Short(rest))
		}
		return list, ok
	}
	for _, item := range e.Value.Items {
		text, known := plain(item.Text())
		if !item.IsString() {
			s.refuse(item.Source(), e.Key, "a list of texts")
			return nil, false
		}
		if !known {
			s.AddLoss(e.KeySource(), "%s has variables", e.Key)
			return nil, false
		}
		list = append(list, text)
	}
	return list, true
}

// command declares the program, if the file replaces that of the image.
func (s *service) command() {
	entry, hasEntry := s.entry("entrypoint")
	command, hasCommand := s.entry("command")
	switch {
	case hasEntry:
		list, ok := s.words(entry)
		at := []declared.Source{entry.KeySource()}
		if hasCommand {
			more, also := s.words(command)
			list, ok, at = append(list, more...), ok && also, append(at, command.KeySource())
		}
		if ok {
			s.Command(list, at...)
		}
	case hasCommand:
		if _, ok := s.words(command); ok {
			s.AddLoss(command.KeySource(), "the command is passed to the entrypoint of the image")
		}
	}
	if e, ok := s.entry("working_dir"); ok {
		if dir, ok := plain(e.Value.Text()); ok {
			s.Cwd(dir, e.Source())
		} else {
			s.AddLoss(e.Source(), "the working directory has a variable")
		}
	}
}
