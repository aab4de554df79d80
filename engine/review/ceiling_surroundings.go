package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/policy"
)

// Comparison with a ceiling: root directory, session, environment, limits and
// descriptors.

func (c *ceilingCheck) root(d compare.Difference) {
	trim := func(v compare.Value) string { return strings.TrimSuffix(string(v.(compare.RootDirectory)), "/") }
	limit, has := trim(d.Old), trim(d.New)
	switch {
	case limit == "" || has == limit:
	case has == "":
		c.report(c.at("chroot"), "no chroot"+c.more(), "add chroot: "+limit)
	case processLinks(has):
		c.report(c.at("chroot"), fmt.Sprintf("chroot %s can lead to any directory", has)+c.more(), "name the directory by its own path")
	case strings.HasPrefix(limit, has+"/"):
		c.report(c.at("chroot"), fmt.Sprintf("chroot %s contains %s", has, limit)+c.more(), "write "+limit+", or write a directory below it")
	}
}

// session reports a target that keeps the caller's session.
func (c *ceilingCheck) session(d compare.Difference) {
	if d.Order == compare.More {
		c.report(policy.Position{}, "no new_session"+c.more(), "add new_session: true")
	}
}

// keyring reports that the target keeps the caller's session keyring, where the
// ceiling replaces it.
func (c *ceilingCheck) keyring(d compare.Difference) {
	if d.Order == compare.More && c.profile.InheritKeyring {
		c.report(c.at("keyring"), "keyring: inherit"+c.more(), "remove keyring")
	}
}

// environment reports the caller's variables that reach the target but not that
// of the ceiling.
func (c *ceilingCheck) environment(d compare.Difference) {
	env := d.New.(compare.Environ)
	names, all, loader := env.Exceeding(d.Old.(compare.Environ))
	// HOME, USER and LOGNAME follow the user.
	names = slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains(engine.IdentityVariables(), name) && !slices.Contains(env.DeclaredNames(), name)
	})
	if all {
		c.report(c.at("env.keep", "env"), "the caller's entire environment"+c.more(), c.keepHint())
		return
	}
	if len(names) > 0 {
		at, hint := c.at("env.keep", "env"), "add "+strings.Join(names, ",")+" to env.unset"
		if env := c.profile.Env; env != nil && !env.KeepAll {
			at, hint = c.at(fmt.Sprintf("env.keep[%d]", slices.Index(env.Keep, names[0]))), "remove "+strings.Join(names, ",")+" from env.keep"
		}
		c.report(at, "the caller's "+enumeration(names)+c.more(), hint)
	}
	if loader {
		c.report(c.at("env.keep", "env"), "the caller's loader variables, such as LD_PRELOAD, which this launch does not remove"+c.more(), c.keepHint())
	}
}

// keepHint returns what to keep of the caller's environment: what the ceiling keeps,
// if it has a list.
func (c *ceilingCheck) keepHint() string {
	const few = 10
	env := c.ceiling.Profile.Env
	if env == nil || env.KeepAll || len(env.Keep) > few || slices.ContainsFunc(env.Keep, engine.IsLoaderVariable) {
		return "set env.keep to the variables that the target needs"
	}
	return "set env.keep to [" + strings.Join(env.Keep, ", ") + "]; " + c.name + " keeps no other variables"
}

func (c *ceilingCheck) limits(d compare.Difference) {
	ceiling, has := d.Old.(compare.LimitMap), d.New.(compare.LimitMap)
	var absent, declared []string
	for _, name := range slices.Sorted(maps.Keys(ceiling)) {
		if _, ok := has[name]; !ok && restricts(ceiling[name]) {
			absent = append(absent, name)
			declared = append(declared, engine.LimitEntry(ceiling[name]))
		}
	}
	if absent != nil {
		c.report(c.profile.KeyPosition("rlimits"), fmt.Sprintf("rlimits does not set %s, but %s does", enumeration(absent), c.name), "add "+enumeration(declared)+" to rlimits")
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		limit, ok := ceiling[name]
		path := "rlimits." + name
		l := has[name]
		hint := "write " + engine.LimitEntry(within(l, limit))
		switch {
		case !ok && l.Hard == policy.Unlimited:
			c.report(c.at(path+".hard"), name+" unlimited, but "+c.name+" does not set it", "remove "+name+" from rlimits, or set a lower limit")
		case !ok:
		case limit.InheritHard && l.Hard == policy.Unlimited:
			c.report(c.at(path+".hard"), name+" unlimited, but "+c.name+" does not set the hard limit", hint)
		case l.InheritHard && !limit.InheritHard && limit.Hard != policy.Unlimited:
			c.report(c.at(path), name+" does not set the hard limit, but "+c.name+" does", hint)
		case !limit.InheritHard && l.Hard > limit.Hard:
			c.report(c.at(path+".hard"), name+" "+policy.LimitText(l.Hard)+c.more(), hint)
		case l.InheritSoft && !limit.InheritSoft && limit.Soft < l.Hard:
			c.report(c.at(path), name+" does not set the soft limit, but "+c.name+" does", hint)
		case limit.InheritSoft && !l.InheritSoft:
			c.report(c.at(path+".soft"), name+" sets the soft limit, but "+c.name+" does not", hint)
		case !limit.InheritSoft && l.Soft > limit.Soft:
			c.report(c.at(path+".soft"), name+" "+policy.LimitText(l.Soft)+c.more(), hint)
		}
	}
}

// within returns the limit nearest to l that is not above that of a ceiling.
func within(l, limit policy.Rlimit) policy.Rlimit {
	switch {
	case limit.InheritHard && l.Hard == policy.Unlimited:
		l.InheritHard = true
	case limit.InheritHard:
	case l.InheritHard:
		l.Hard, l.InheritHard = limit.Hard, false
	default:
		l.Hard = min(l.Hard, limit.Hard)
	}
	switch {
	case limit.InheritSoft:
		l.InheritSoft = true
	case l.InheritSoft:
		l.Soft, l.InheritSoft = limit.Soft, false
	default:
		l.Soft = min(l.Soft, limit.Soft)
	}
	if !l.InheritHard && !l.InheritSoft {
		l.Soft = min(l.Soft, l.Hard)
	}
	return l
}

// restricts reports whether a limit restricts the target.
func restricts(l policy.Rlimit) bool {
	return !l.InheritSoft && l.Soft != policy.Unlimited || !l.InheritHard && l.Hard != policy.Unlimited
}

func (c *ceilingCheck) descriptors(d compare.Difference) {
	gained := d.Gained()
	if len(gained) == 0 {
		return
	}
	n := slices.IndexFunc(c.profile.KeepFDs, func(fd int) bool { return slices.Contains(gained, fmt.Sprint(fd)) })
	c.report(c.at(fmt.Sprintf("keep_fds[%d]", n), "keep_fds"), "keep_fds "+strings.Join(gained, ",")+c.more(), "remove "+strings.Join(gained, ",")+" from keep_fds")
}
