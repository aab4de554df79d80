package cmdline

import (
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/policy"
)

// setprivOptions are the long options of setpriv. Those with a value have one, after = or
// in the next word. getopt_long(3) accepts an unambiguous beginning.
var setprivOptions = [...]struct {
	name  string
	value bool
	lost  string // what it does, if a profile cannot say it
}{
	{"dump", false, ""}, {"list-caps", false, ""}, {"help", false, ""}, {"version", false, ""},
	{"nnp", false, ""}, {"no-new-privs", false, ""},
	{"ambient-caps", true, ""}, {"inh-caps", true, ""}, {"bounding-set", true, ""}, {"securebits", true, ""},
	{"ruid", true, ""}, {"euid", true, ""}, {"reuid", true, ""}, {"rgid", true, ""}, {"egid", true, ""}, {"regid", true, ""},
	{"clear-groups", false, ""}, {"keep-groups", false, ""}, {"init-groups", false, ""}, {"groups", true, ""},
	{"reset-env", false, ""},
	{"pdeathsig", true, "the parent-death signal is"},
	{"ptracer", true, "another process may trace the process:"},
	{"selinux-label", true, "SELinux has the label"},
	{"apparmor-profile", true, "the AppArmor profile is"},
	{"landlock-access", true, "Landlock denies access:"},
	{"landlock-rule", true, "Landlock permits access:"},
	{"seccomp-filter", true, "the seccomp filter is"},
}

// option is an option with its value.
type option struct {
	name, value string
	at          declared.Source
	expands     bool
}

// options returns the options before the program, each of which setpriv accepts once.
func (c *command) options() (options map[string]option, rest []word, p *problem) {
	options, rest = map[string]option{}, c.args
	for len(rest) > 0 {
		w := rest[0]
		if w.Text == "--" {
			return options, rest[1:], nil
		}
		if w.Text == "-" || !strings.HasPrefix(w.Text, "-") {
			return options, rest, nil
		}
		rest = rest[1:]
		name, value, has := strings.Cut(strings.TrimPrefix(w.Text, "--"), "=")
		if !strings.HasPrefix(w.Text, "--") {
			return nil, nil, &problem{w, "", "setpriv starts no program with the option " + quote(w.Text)}
		}
		n := matchOption(name)
		switch {
		case n < 0:
			hint := ""
			if meant := policy.Suggest(name, optionNames()); meant != "" {
				hint = "did you mean --" + meant + "?"
			}
			return nil, nil, &problem{w, hint, "unknown option " + quote(w.Text)}
		case n < len([...]string{"dump", "list-caps", "help", "version"}):
			return nil, nil, &problem{w, "", "setpriv starts no program with the option " + quote(w.Text)}
		case has && !setprivOptions[n].value:
			return nil, nil, &problem{w, "remove the value", "the option --" + setprivOptions[n].name + " has no value"}
		}
		o := option{name: setprivOptions[n].name, value: value, at: w.at, expands: w.Expands}
		if o.name == "nnp" {
			o.name = "no-new-privs"
		}
		if setprivOptions[n].value && !has {
			if len(rest) == 0 {
				return nil, nil, &problem{w, "", "the option --" + o.name + " has no value"}
			}
			o.value, o.expands = rest[0].Text, rest[0].Expands
			o.at.Text += " " + rest[0].at.Text
			o.at.EndLine, o.at.EndColumn = rest[0].at.EndLine, rest[0].at.EndColumn
			rest = rest[1:]
		}
		if _, again := options[o.name]; again && setprivOptions[n].lost == "" {
			c.AddFinding(declared.Refused, o.at, "remove one of the two", "setpriv refuses a second option --%s", o.name)
			continue
		}
		options[o.name] = o
		if lost := setprivOptions[n].lost; lost != "" {
			c.AddLoss(o.at, "%s %s", lost, containers.Short(o.value))
		}
	}
	return options, rest, nil
}

// matchOption returns the option that a name is the beginning of, or -1.
func matchOption(name string) int {
	found := -1
	for n, o := range setprivOptions {
		switch {
		case o.name == name:
			return n
		case name == "" || !strings.HasPrefix(o.name, name):
		case found >= 0:
			return -1 // ambiguous
		default:
			found = n
		}
	}
	return found
}

func optionNames() []string {
	var names []string
	for _, o := range setprivOptions {
		names = append(names, o.name)
	}
	return names
}
