package cmdline

import (
	"strconv"

	"caprun/platform/containers"
	"caprun/platform/declared"
)

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
			c.AddFinding(declared.UnknownValue, o.at, "write the value", "the value of --%s is what a shell expands: %s", name, containers.Short(o.value))
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
		// An unknown value has not changed the uid, which is 0.
		s.Sets.NotRoot = s.notRoot()
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
					s.AddFinding(declared.Refused, o.at, "write a number or a name", "setpriv refuses the value %s of --%s", quote(o.value), name)
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
				s.AddFinding(declared.Refused, o.at, "remove one of the two", "setpriv refuses --%s with --%s", both[0], name)
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
		s.AddFinding(declared.Refused, given[1].at, "remove one of the two", "setpriv refuses --%s with --%s", given[0].name, given[1].name)
	}
	if len(given) == 0 {
		if hasGID {
			s.AddFinding(declared.Refused, s.At, "add --clear-groups or --init-groups", "setpriv refuses a group without an option for the supplementary groups")
		}
		if hasUID {
			s.AddLoss(s.At, "the process keeps the supplementary groups of the caller")
		}
		return
	}
	switch o := given[0]; o.name {
	case "keep-groups":
		s.AddLoss(o.at, "the process keeps the supplementary groups of the caller")
	case "clear-groups":
		s.From("groups", o.at)
	case "init-groups":
		if !hasUID {
			s.AddFinding(declared.Refused, o.at, "add --reuid", "setpriv refuses --init-groups without a user")
			return
		}
		if s.groupsOf = s.user; s.groupsOf == "" {
			s.groupsOf = "uid " + strconv.FormatUint(uint64(s.UID), 10)
		}
		// initgroups(3) does not change the gid, which is that of --regid or of the caller.
		s.sawGID = true
		if s.user != "" && s.group != s.user {
			s.AddLoss(o.at, "the process also has the primary group of %s", containers.Short(s.user))
		}
	case "groups":
		o, ok := known("groups")
		if !ok {
			return
		}
		ids, ok := s.setGroups(o.value, o.at)
		if !ok {
			s.groups, s.groupsAt = nil, nil
			s.AddFinding(declared.Refused, o.at, "write numbers or names, separated by commas", "setpriv refuses the value %s of --groups", quote(o.value))
			return
		}
		s.call(o.at, "setgroups")(s.Setgroups(ids))
	}
}
