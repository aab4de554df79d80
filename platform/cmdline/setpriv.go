package cmdline

import (
	"slices"
	"strconv"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
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
			c.Find(declared.Refused, o.at, "remove one of the two", "setpriv refuses a second option --%s", o.name)
			continue
		}
		options[o.name] = o
		if lost := setprivOptions[n].lost; lost != "" {
			c.Lose(o.at, "%s %s", lost, containers.Short(o.value))
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

// setpriv reads a command line of setpriv. The steps are in the order of main in
// sys-utils/setpriv.c.
func (c *command) setpriv(before []word) *problem {
	options, target, p := c.options()
	if p != nil {
		return p
	}
	if len(target) == 0 {
		return &problem{word{at: c.At}, "add a program", "no program is declared"}
	}
	c.assignments(before)
	s := newState(c)
	known := func(name string) (option, bool) {
		o, ok := options[name]
		if ok && o.expands {
			c.Find(declared.UnknownValue, o.at, "write the value", "the value of --%s is what a shell expands: %s", name, containers.Short(o.value))
			return o, false
		}
		return o, ok
	}
	if o, ok := options["no-new-privs"]; ok {
		s.Cred = s.SetNoNewPrivs()
		c.From("no_new_privs", o.at)
	}
	s.call(c.At, "keep-caps")(s.SetKeepCaps(true))
	unknown := s.setprivIDs(options, known)
	if o, ok := known("securebits"); ok {
		s.setprivBits(o)
	}
	if o, ok := known("bounding-set"); ok {
		set := s.setprivCaps(o, s.Bounding)
		for n := range s.Bounding.Minus(set).All() {
			s.call(o.at, "--bounding-set")(s.DropBounding(n))
		}
	}
	if o, ok := known("inh-caps"); ok {
		set := s.setprivCaps(o, s.Inheritable)
		s.call(o.at, "--inh-caps")(s.Capset(s.Effective, s.Permitted, set))
	}
	if o, ok := known("ambient-caps"); ok {
		s.setprivAmbient(o)
	}
	if o, ok := options["securebits"]; ok {
		c.From("secbits", o.at)
	}
	for _, name := range [...]string{"bounding-set", "inh-caps", "ambient-caps"} {
		if o, ok := options[name]; ok {
			c.From("caps", o.at)
			c.From("iab", o.at)
		}
	}
	s.finish()
	if unknown {
		s.Sets.UnknownUID, c.Profile.UID, c.Profile.GID, c.Profile.User, c.Profile.Groups = true, nil, nil, "", nil
	}
	if o, ok := options["reset-env"]; ok {
		c.resetEnv(s, o)
	}
	c.target(target)
	return nil
}

// setprivIDs sets the IDs and the groups. unknown reports that a value is not known.
func (s *state) setprivIDs(options map[string]option, known func(string) (option, bool)) (unknown bool) {
	account := func(names ...string) (a account, at declared.Source, ok bool) {
		for _, name := range names {
			o, has := options[name]
			if !has {
				continue
			}
			if o, has = known(name); has {
				if a, ok = parseAccount(o.value); !ok {
					s.Find(declared.Refused, o.at, "write a number or a name", "setpriv refuses the value %s of --%s", quote(o.value), name)
				}
			}
			if !ok {
				unknown = true
			}
			return a, o.at, ok
		}
		return a, at, false
	}
	for _, both := range [...][3]string{{"reuid", "ruid", "euid"}, {"regid", "rgid", "egid"}} {
		o, has := options[both[0]]
		for _, name := range both[1:] {
			if _, also := options[name]; also && has {
				s.Find(declared.Refused, o.at, "remove one of the two", "setpriv refuses --%s with --%s", both[0], name)
			}
		}
	}
	ruid, ruidAt, hasR := account("reuid", "ruid")
	euid, euidAt, hasE := account("reuid", "euid")
	if hasR || hasE {
		r, e := s.UID, s.EUID
		if hasR {
			r, s.user = ruid.id, ruid.name
		}
		if hasE {
			e, s.user = euid.id, euid.name
		}
		permitted, effective, inheritable := s.Permitted, s.Effective, s.Inheritable
		at := euidAt
		if !hasE {
			at = ruidAt
		}
		s.call(at, "setresuid")(s.Setresuid(r, e, e))
		s.call(at, "capset")(s.Capset(effective, permitted, inheritable))
		s.From(map[bool]string{true: "user", false: "uid"}[s.user != ""], at)
		if hasR != hasE || ruid != euid {
			s.split = &at
		}
	}
	rgid, rgidAt, hasRG := account("regid", "rgid")
	egid, egidAt, hasEG := account("regid", "egid")
	if hasRG || hasEG {
		r, e := s.GID, s.EGID
		at := egidAt
		if hasRG {
			r, s.group = rgid.id, rgid.name
		}
		if hasEG {
			e, s.group = egid.id, egid.name
		} else {
			at = rgidAt
		}
		s.sawGID = true
		s.call(at, "setresgid")(s.Setresgid(r, e, e))
		s.From("gid", at)
		if s.split == nil && (hasRG != hasEG || rgid != egid) {
			s.split = &at
		}
	}
	s.setprivGroups(options, known, hasR || hasE, hasRG || hasEG)
	return unknown
}

// setprivGroups sets the supplementary groups.
func (s *state) setprivGroups(options map[string]option, known func(string) (option, bool), hasUID, hasGID bool) {
	var given []option
	for _, name := range [...]string{"clear-groups", "keep-groups", "init-groups", "groups"} {
		if o, ok := options[name]; ok {
			given = append(given, o)
		}
	}
	if len(given) > 1 {
		s.Find(declared.Refused, given[1].at, "remove one of the two", "setpriv refuses --%s with --%s", given[0].name, given[1].name)
	}
	if len(given) == 0 {
		if hasGID {
			s.Find(declared.Refused, s.At, "add --clear-groups or --init-groups", "setpriv refuses a group without an option for the supplementary groups")
		}
		if hasUID {
			s.Lose(s.At, "the process keeps the supplementary groups of the caller")
		}
		return
	}
	switch o := given[0]; o.name {
	case "keep-groups":
		s.Lose(o.at, "the process keeps the supplementary groups of the caller")
	case "clear-groups":
		s.From("groups", o.at)
	case "init-groups":
		if !hasUID {
			s.Find(declared.Refused, o.at, "add --reuid", "setpriv refuses --init-groups without a user")
			return
		}
		if s.groupsOf = s.user; s.groupsOf == "" {
			s.groupsOf = "uid " + strconv.FormatUint(uint64(s.UID), 10)
		}
	case "groups":
		o, ok := known("groups")
		if !ok {
			return
		}
		ids, ok := s.setGroups(o.value, o.at)
		if !ok {
			s.groups, s.groupsAt = nil, nil
			s.Find(declared.Refused, o.at, "write numbers or names, separated by commas", "setpriv refuses the value %s of --groups", quote(o.value))
			return
		}
		s.call(o.at, "setgroups")(s.Setgroups(ids))
	}
}

// setprivBits sets the securebits.
func (s *state) setprivBits(o option) {
	bits := s.Securebits &^ cred.SecKeepCaps
	for text := range strings.SplitSeq(o.value, ",") {
		sign, name := "", text
		if text != "" {
			sign, name = text[:1], text[1:]
		}
		var bit cred.Securebits
		switch name {
		case "all":
			if sign == "-" {
				bits = 0
				continue
			}
		case "noroot":
			bit = cred.SecNoRoot
		case "noroot_locked":
			bit = cred.SecNoRootLocked
		case "no_setuid_fixup":
			bit = cred.SecNoSetuidFixup
		case "no_setuid_fixup_locked":
			bit = cred.SecNoSetuidFixupLocked
		case "keep_caps_locked":
			bit = cred.SecKeepCapsLocked
		}
		if bit == 0 || sign != "+" && sign != "-" {
			hint := ""
			if meant := policy.Suggest(name, []string{"noroot", "noroot_locked", "no_setuid_fixup", "no_setuid_fixup_locked", "keep_caps_locked"}); meant != "" && meant != name {
				hint = "did you mean " + meant + "?"
			} else if sign != "+" && sign != "-" {
				hint = "write + or - before each securebit"
			}
			s.Find(declared.Refused, o.at, hint, "setpriv refuses the securebit %s", quote(text))
			continue
		}
		if bits |= bit; sign == "-" {
			bits &^= bit
		}
	}
	s.call(o.at, "--securebits")(s.SetSecurebits(bits|cred.SecKeepCaps, cred.Latest()))
}

// eachCap calls visit with each capability of a list, with a + or a - before each name.
func (s *state) eachCap(o option, visit func(add bool, set cred.Caps, name string)) {
	for text := range strings.SplitSeq(o.value, ",") {
		if text == "" || text[0] != '+' && text[0] != '-' {
			s.Find(declared.Refused, o.at, "write + or - before each capability", "setpriv refuses %s in --%s", quote(text), o.name)
			continue
		}
		name := text[1:]
		if name == "all" {
			visit(text[0] == '+', all, name)
			continue
		}
		n, ok := setprivCap(name)
		if !ok {
			hint := ""
			lower := strings.ToLower(name)
			if meant := policy.Suggest("cap_"+strings.TrimPrefix(lower, "cap_"), all.Names()); meant != "" {
				hint = "write " + strings.TrimPrefix(meant, "cap_")
			}
			s.Find(declared.UnknownCapability, o.at, hint, "setpriv refuses the unknown capability %s: its names have no prefix cap_", quote(name))
			continue
		}
		visit(text[0] == '+', cred.CapsOf(n), name)
	}
}

// setprivCap returns the capability of a name without cap_, or of a number as cap_5.
func setprivCap(name string) (n int, ok bool) {
	if digits, ok := strings.CutPrefix(name, "cap_"); ok {
		n, err := strconv.Atoi(digits)
		return n, err == nil && 0 <= n && n < cap.NamedCount
	}
	v, err := cap.FromName("cap_" + strings.ToLower(name))
	return int(v), err == nil && int(v) < cap.NamedCount
}

// setprivCaps returns a set with the changes of an option.
func (s *state) setprivCaps(o option, set cred.Caps) cred.Caps {
	s.eachCap(o, func(add bool, c cred.Caps, _ string) {
		if set = set.Minus(c); add {
			set = set.Union(c)
		}
	})
	return set
}

// setprivAmbient changes the ambient set. setpriv ignores silently that the kernel refuses
// a capability.
func (s *state) setprivAmbient(o option) {
	var lost []string
	s.eachCap(o, func(add bool, set cred.Caps, name string) {
		for n := range set.All() {
			if !add {
				s.call(o.at, "--ambient-caps")(s.LowerAmbient(n))
				continue
			}
			c, errno := s.RaiseAmbient(n)
			if errno == 0 {
				s.Cred = c
			} else if name != "all" && !slices.Contains(lost, name) {
				lost = append(lost, name)
			}
		}
	})
	if len(lost) > 0 {
		s.Find(declared.Ineffective, o.at, "add the capability to --inh-caps, too", "setpriv ignores silently that the kernel refuses ambient capabilities that are not inheritable: %s", containers.Short(strings.Join(lost, ",")))
	}
}

// resetEnv declares the environment of --reset-env.
func (c *command) resetEnv(s *state, o option) {
	c.Profile.Env = &policy.Env{Keep: []string{"TERM"}}
	c.From("env", o.at)
	dirs := "/usr/local/bin:/bin:/usr/bin"
	if s.UID == 0 {
		dirs = "/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin"
	}
	c.SetEnv("PATH", dirs, o.at)
	c.Lose(o.at, "HOME, SHELL, USER and LOGNAME have the values of the user's entry in /etc/passwd")
}
