package containers

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"caprun/platform/declared"
	"caprun/policy"
)

// A Draft is a process whose profile a reader fills. Each value that a profile cannot have
// becomes a loss. The zero value with a Process is ready for use.
type Draft struct {
	*declared.Process

	// UserHint is the hint where a file does not declare the user, such as
	// "add --user 33:33".
	UserHint string

	unknown *unknownUser // reported by Declare

	used   int // bytes of the profile, estimated from above
	silent int // values that did not fit
	groups map[policy.Group]bool
}

const (
	// maxText is the number of bytes that the values of a profile may have, so that it
	// stays below 64 KiB with its other keys.
	maxText = 44 << 10

	// perValue is the number of bytes of a value's comment: two of at most 100 bytes,
	// and indentation.
	perValue = 240
)

// fits reports whether values fit into the profile, and reserves their bytes. A loss names
// the first that does not.
func (d *Draft) fits(at declared.Source, values ...string) bool {
	return d.reserve(at, perValue, values...)
}

// reserve is fits for values with a comment of a length.
func (d *Draft) reserve(at declared.Source, size int, values ...string) bool {
	for _, v := range values {
		size += len(v) + 6 + strings.Count(v, `\`) + strings.Count(v, `"`) + strings.Count(v, "\n") + strings.Count(v, "\t")
	}
	if d.used+size > maxText {
		if d.silent++; d.silent == 1 {
			d.AddLoss(at, "the values from here on do not fit into a profile")
		}
		return false
	}
	d.used += size
	return true
}

// ClearEnv declares that the process does not inherit the variables of its caller.
func (d *Draft) ClearEnv() *policy.Env {
	if d.Profile.Env == nil {
		d.Profile.Env = &policy.Env{Keep: []string{}}
	}
	return d.Profile.Env
}

// maxVariables is the largest number of variables in a profile.
const maxVariables = 1024

// SetEnv declares a variable.
func (d *Draft) SetEnv(name, value string, at declared.Source) {
	env := d.ClearEnv()
	_, again := env.Set[name]
	switch {
	case !isVariable(name):
		d.AddLoss(at, "a profile cannot have a variable with the name %s", quote(name))
	case !isText(value):
		d.AddLoss(at, "a profile cannot have the control characters in the variable %s", name)
	case len(value) > maxText/2:
		d.AddLoss(at, "a profile cannot have a variable as long as %s", name)
	case len(env.Set)+len(env.Keep) >= maxVariables && !again:
		d.AddLoss(at, "a profile cannot have so many variables: %s", name)
	case d.fits(at, name, value):
		if env.Set == nil {
			env.Set = map[string]string{}
		}
		env.Set[name] = value
		env.Keep = slices.DeleteFunc(env.Keep, func(s string) bool { return s == name })
		d.Origins = setOrigin(d.Origins, "env.set."+name, at)
	}
}

// KeepEnv declares a variable that the caller gives.
func (d *Draft) KeepEnv(name string, at declared.Source) {
	env := d.ClearEnv()
	switch {
	case !isVariable(name):
		d.AddLoss(at, "a profile cannot have a variable with the name %s", quote(name))
	case slices.Contains(env.Keep, name):
	case len(env.Set)+len(env.Keep) >= maxVariables:
		d.AddLoss(at, "a profile cannot have so many variables: %s", name)
	case d.fits(at, name):
		delete(env.Set, name)
		delete(d.Origins, "env.set."+name)
		env.Keep = append(env.Keep, name)
		d.From("env.keep", at)
	}
}

// setOrigin replaces the declarations behind a key.
func setOrigin(origins map[string][]declared.Source, key string, at declared.Source) map[string][]declared.Source {
	if origins == nil {
		origins = map[string][]declared.Source{}
	}
	origins[key] = []declared.Source{at}
	return origins
}

// maxArguments is the largest number of arguments that a reader takes over.
const maxArguments = 1024

// Command declares the program and its arguments.
func (d *Draft) Command(words []string, at ...declared.Source) {
	switch {
	case len(words) == 0 || len(at) == 0:
	case words[0] == "":
		d.AddLoss(at[0], "a profile cannot have an empty program")
	case len(words) > maxArguments:
		d.AddLoss(at[0], "a profile cannot have a command with %d arguments", len(words))
	case slices.ContainsFunc(words, func(s string) bool { return !isText(s) || len(s) > maxText/2 }):
		d.AddLoss(at[0], "a profile cannot have the command: a word is too long or has control characters")
	case d.fits(at[0], words...):
		d.Profile.Command = words
		d.From("command", at...)
	}
}

// Cwd declares the working directory.
func (d *Draft) Cwd(dir string, at declared.Source) {
	clean := path.Clean(dir)
	switch {
	case dir == "" || dir[0] != '/' || len(dir) > maxPathLength || !isText(dir) || strings.ContainsFunc(dir, unicode.IsControl):
		d.AddLoss(at, "a profile cannot have the working directory %s", quote(dir))
	case d.fits(at, clean):
		d.Profile.Cwd = clean
		d.From("cwd", at)
	}
}

// Group declares a supplementary group, a number or a name.
func (d *Draft) Group(text string, at declared.Source) {
	g := policy.Group{Name: text}
	if id, ok := ParseID(text, maxID); ok {
		g = policy.Group{ID: id}
	} else if !isAccount(text) {
		d.AddLoss(at, "a profile cannot have the group %s", quote(text))
		return
	}
	switch {
	case d.groups[g]:
	case d.Profile.UID == nil && d.Profile.User == "":
		d.AddLoss(at, "the process has the supplementary group %s; a profile cannot have groups without a user", quote(text))
	case len(d.Profile.Groups) == maxGroups:
		d.AddLoss(at, "a profile cannot have so many groups: %s", quote(text))
	case d.reserve(at, 0, text):
		if d.groups == nil {
			d.groups = map[policy.Group]bool{}
		}
		d.groups[g] = true
		d.Profile.Groups = append(d.Profile.Groups, g)
		d.From("groups", at)
	}
}

// Limit declares a resource limit with a name of getrlimit(2) in lower case. The reader
// has checked the name and the values.
func (d *Draft) Limit(name string, soft, hard uint64, at declared.Source) {
	l := policy.Rlimit{Name: name, Soft: soft, Hard: hard}
	// No kernel reaches such a limit.
	for _, v := range []*uint64{&l.Soft, &l.Hard} {
		if *v > maxRlimit {
			*v = policy.Unlimited
		}
	}
	limits := slices.DeleteFunc(d.Profile.Rlimits, func(o policy.Rlimit) bool { return o.Name == name })
	d.Profile.Rlimits = append(limits, l)
	slices.SortFunc(d.Profile.Rlimits, func(a, b policy.Rlimit) int { return strings.Compare(a.Name, b.Name) })
	d.Origins = setOrigin(d.Origins, "rlimits."+name, at)
}
