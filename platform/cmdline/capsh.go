package cmdline

import (
	"fmt"
	"path"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/policy"
)

// capshChecks are the options of capsh that only print or check something.
var capshChecks = [...]string{
	"--print", "--current", "--mode", "--modes", "--has-ambient", "--has-no-new-privs", "--license", "--quiet",
	"--decode=", "--dropped=", "--explain=", "--has-a=", "--has-b=", "--has-i=", "--has-p=", "--inmode=", "--is-uid=",
	"--is-gid=", "--suggest=", "--supports=", "--forkfor=", "--killit=", "--strict", "--noenv",
}

// capshNames are the options of capsh that change something, for suggestions.
var capshNames = [...]string{
	"--addamb", "--cap-uid", "--caps", "--chroot", "--delamb", "--drop", "--gid", "--groups", "--iab", "--inh", "--keep",
	"--mode", "--no-new-privs", "--noamb", "--secbits", "--shell", "--uid", "--user",
}

// capsh reads a command line of capsh. Its options are steps, in their order.
func (c *command) capsh(before []word) *problem {
	c.assignments(before)
	s := newState(c)
	shell := "/bin/bash"
	for n := 0; n < len(c.args); n++ {
		w := c.args[n]
		rest := c.args[n+1:]
		switch w.Text {
		case "--", "-+":
			if w.Text == "-+" {
				c.AddLoss(w.at, "capsh stays as the parent of the program")
			}
			first := w
			first.Text, first.Expands = shell, false
			s.finish()
			c.target(append([]word{first}, rest...))
			return nil
		case "==", "=+":
			// capsh executes itself.
			s.call(w.at, "exec")(execute(s.Cred))
			continue
		case "+":
			return &problem{w, "", "capsh starts no program after +"}
		}
		name, value, has := strings.Cut(w.Text, "=")
		if w.Expands {
			c.AddFinding(declared.UnknownValue, w.at, "write the value", "the value of %s is what a shell expands: %s", containers.Short(name), containers.Short(value))
			switch name {
			case "--uid", "--cap-uid", "--user", "--gid":
				return &problem{w, "write the value", "the value of " + containers.Short(name) + " is what a shell expands"}
			}
			continue
		}
		if name == "--shell" && has {
			shell = value
			continue
		}
		if isCheck(name, has) {
			s.noEnv = s.noEnv || name == "--noenv"
			continue
		}
		if !s.step(name, value, has, w) {
			hint := ""
			if meant := policy.Suggest(name, capshNames[:]); meant != "" && meant != name {
				hint = "did you mean " + meant + "?"
			}
			return &problem{w, hint, "unknown option " + quote(w.Text)}
		}
	}
	return &problem{word{at: c.At}, "add -- and the arguments of the shell", "capsh starts no program without --"}
}

// isCheck reports whether an option changes nothing.
func isCheck(name string, has bool) bool {
	if has {
		name += "="
	}
	for _, o := range capshChecks {
		if o == name {
			return true
		}
	}
	return false
}

// execute returns the credentials after exec of an ordinary program.
func execute(c cred.Cred) (cred.Cred, cred.Errno) {
	after, _, errno := c.Exec(cred.File{}, cred.Latest())
	return after, errno
}

// raised calls change with SETPCAP in the effective set if it is permitted, as libcap does,
// and lowers it again.
func (s *state) raised(n int, at declared.Source, what string, change func(cred.Cred) (cred.Cred, cred.Errno)) {
	had := s.Effective.Has(n)
	if s.Permitted.Has(n) {
		s.call(at, what)(s.Capset(s.Effective.With(n), s.Permitted, s.Inheritable))
	}
	s.call(at, what)(change(s.Cred))
	if !had && s.Effective.Has(n) && !s.failed {
		s.call(at, what)(s.Capset(s.Effective.Without(n), s.Permitted, s.Inheritable))
	}
}

// step carries out an option. It returns false for an unknown one.
func (s *state) step(name, value string, has bool, w word) bool {
	at := w.at
	refuse := func(format string, args ...any) {
		s.AddFinding(declared.Refused, at, "", "capsh refuses %s: %s", quote(w.Text), fmt.Sprintf(format, args...))
	}
	switch key := name + map[bool]string{true: "=", false: ""}[has]; key {
	case "--drop=":
		s.From("iab", at)
		s.From("caps", at)
		set := s.names(value, w)
		s.raised(cred.SETPCAP, at, name, func(c cred.Cred) (cred.Cred, cred.Errno) {
			for n := range set.All() {
				var errno cred.Errno
				if c, errno = c.DropBounding(n); errno != 0 {
					return c, errno
				}
			}
			return c, 0
		})
	case "--inh=":
		s.From("iab", at)
		s.From("caps", at)
		set := cred.Caps(0)
		if value != "" && value != "none" {
			set = s.names(value, w)
		}
		e, p := s.Effective, s.Permitted
		s.raised(cred.SETPCAP, at, name, func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Capset(e, p, set) })
	case "--caps=":
		s.From("iab", at)
		s.From("caps", at)
		if value == "" {
			value = "="
		}
		sets, err := policy.NewCaps(value)
		if err != nil {
			s.AddFinding(declared.UnknownCapability, at, "", "capsh refuses %s: %s", quote(w.Text), containers.Short(err.Error()))
			return true
		}
		s.raised(cred.SETPCAP, at, name, func(c cred.Cred) (cred.Cred, cred.Errno) {
			return c.Capset(cred.Caps(sets.Effective), cred.Caps(sets.Permitted), cred.Caps(sets.Inheritable))
		})
		s.Effective = s.Effective.Intersect(cred.Caps(sets.Effective))
	case "--iab=":
		s.From("iab", at)
		s.From("caps", at)
		s.iab(value, w)
	case "--addamb=", "--delamb=":
		s.From("iab", at)
		s.From("caps", at)
		for n := range s.names(value, w).All() {
			if key == "--addamb=" {
				s.call(at, name)(s.RaiseAmbient(n))
			} else {
				s.call(at, name)(s.LowerAmbient(n))
			}
		}
	case "--noamb":
		s.Cred = s.ClearAmbient()
	case "--no-new-privs":
		s.From("no_new_privs", at)
		s.Cred = s.SetNoNewPrivs()
	case "--keep=":
		n, ok := number(value)
		if !ok || n > 1 {
			refuse("the value is not 0 or 1")
			return true
		}
		s.call(at, name)(s.SetKeepCaps(n == 1))
	case "--secbits=":
		s.From("secbits", at)
		n, ok := number(value)
		if !ok {
			refuse("the value is not a number")
			return true
		}
		s.call(at, name)(s.SetSecurebits(cred.Securebits(n), cred.Latest()))
	case "--mode=":
		s.From("secbits", at)
		s.mode(value, w)
	case "--uid=", "--cap-uid=":
		n, ok := number(value)
		if !ok {
			refuse("the value is not a number")
			return true
		}
		s.setUID(uint32(n), key == "--cap-uid=", at)
		s.user, s.groupsOf = "", ""
		s.Origins["uid"] = []declared.Source{at}
	case "--gid=":
		n, ok := number(value)
		if !ok {
			refuse("the value is not a number")
			return true
		}
		s.From("gid", at)
		s.group, s.sawGID = "", true
		s.call(at, name)(s.Setgid(uint32(n)))
	case "--groups=":
		ids, ok := s.setGroups(value, at)
		if !ok {
			refuse("the value is not a list of groups")
			s.groups, s.groupsAt = nil, nil
			return true
		}
		s.call(at, name)(s.Setgroups(ids))
	case "--user=":
		a, ok := parseAccount(value)
		if !ok || a.name == "" && value != "root" {
			refuse("the value is not the name of a user")
			return true
		}
		s.groups, s.groupsAt = nil, nil
		s.call(at, name)(s.Capset(s.Effective.With(cred.SETGID), s.Permitted, s.Inheritable))
		s.call(at, name)(s.Setgid(a.id))
		s.call(at, name)(s.Capset(0, s.Permitted, s.Inheritable))
		s.setUID(a.id, true, at)
		s.user, s.group, s.groupsOf, s.sawGID = a.name, "", a.name, false
		if !s.noEnv {
			s.AddLoss(at, "capsh sets HOME and USER to the values of the user's entry in /etc/passwd")
		}
		s.From(map[bool]string{true: "user", false: "uid"}[a.name != ""], at)
	case "--chroot=":
		if !path.IsAbs(value) || path.Clean(value) != value {
			s.AddLoss(at, "a profile cannot have the root directory %s", quote(value))
			return true
		}
		s.raised(cred.SYS_CHROOT, at, name, func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Chroot() })
		if value != "/" {
			s.Profile.Chroot = value
			s.From("chroot", at)
		}
		s.Cwd("/", at)
	default:
		return false
	}
	return true
}

// setUID sets the user as setuid(2) does, or cap_setuid, which keeps the permitted set and
// empties the effective one.
func (s *state) setUID(uid uint32, keep bool, at declared.Source) {
	if s.Origins == nil {
		s.Origins = map[string][]declared.Source{}
	}
	if !keep {
		s.call(at, "setuid")(s.Setuid(uid))
		return
	}
	s.keep(true)
	s.call(at, "cap_setuid")(s.Capset(s.Effective.With(cred.SETUID), s.Permitted, s.Inheritable))
	s.call(at, "cap_setuid")(s.Setuid(uid))
	s.call(at, "cap_setuid")(s.Capset(0, s.Permitted, s.Inheritable))
	s.keep(false)
}

// keep sets keep_caps, and ignores an error as libcap does: the bit can be locked.
func (s *state) keep(on bool) {
	if c, errno := s.SetKeepCaps(on); errno == 0 && !s.failed {
		s.Cred = c
	}
}

// names returns the capabilities of a list of names with cap_.
func (s *state) names(list string, w word) (set cred.Caps) {
	if list == "all" {
		return all
	}
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			continue
		}
		v, err := cap.FromName(strings.ToLower(name))
		if err != nil || int(v) >= cap.NamedCount {
			hint := ""
			if meant := policy.Suggest("cap_"+strings.TrimPrefix(strings.ToLower(name), "cap_"), all.Names()); meant != "" {
				hint = "write " + meant
			}
			s.AddFinding(declared.UnknownCapability, w.at, hint, "capsh refuses the unknown capability %s", quote(name))
			continue
		}
		set = set.With(int(v))
	}
	return set
}

// iab sets the three sets of a tuple, as cap_iab_set_proc does.
func (s *state) iab(value string, w word) {
	t, err := policy.NewIAB(value)
	if err != nil {
		s.AddFinding(declared.UnknownCapability, w.at, "", "capsh refuses %s: %s", quote(w.Text), containers.Short(err.Error()))
		return
	}
	s.raised(cred.SETPCAP, w.at, "--iab", func(c cred.Cred) (cred.Cred, cred.Errno) {
		c, errno := c.Capset(c.Effective, c.Permitted, cred.Caps(t.Inheritable))
		if errno != 0 {
			return c, errno
		}
		c = c.ClearAmbient()
		for n := range all.All() {
			if errno == 0 && cred.Caps(t.Ambient).Has(n) {
				c, errno = c.RaiseAmbient(n)
			}
			if errno == 0 && cred.Caps(t.Blocked).Has(n) {
				c, errno = c.DropBounding(n)
			}
		}
		return c, errno
	})
}

// modeBits are the securebits of each mode of libcap except HYBRID.
const modeBits = cred.SecNoRoot | cred.SecNoRootLocked | cred.SecNoSetuidFixup | cred.SecNoSetuidFixupLocked |
	cred.SecKeepCapsLocked | cred.SecNoCapAmbientRaise | cred.SecNoCapAmbientRaiseLocked

// mode enters a mode, as cap_set_mode does.
func (s *state) mode(value string, w word) {
	m, err := cap.ModeFromText(value)
	if err != nil {
		s.AddFinding(declared.Refused, w.at, "write HYBRID, PURE1E_INIT, PURE1E or NOPRIV", "capsh refuses the unknown mode %s", quote(value))
		return
	}
	s.raised(cred.SETPCAP, w.at, "--mode", func(c cred.Cred) (cred.Cred, cred.Errno) {
		if m == cap.ModeHybrid {
			return c.SetSecurebits(0, cred.Latest())
		}
		c, errno := c.ClearAmbient().SetSecurebits(modeBits, cred.Latest())
		if errno != 0 || m == cap.ModePure1E {
			return c, errno
		}
		if m == cap.ModePure1EInit {
			return c.Capset(c.Effective, c.Permitted, 0)
		}
		for n := range all.All() {
			if c, errno = c.DropBounding(n); errno != 0 {
				return c, errno
			}
		}
		c, errno = c.Capset(0, 0, 0)
		return c.SetNoNewPrivs(), errno
	})
	// libcap leaves the effective set empty.
	s.call(w.at, "--mode")(s.Capset(0, s.Permitted, s.Inheritable))
	if m == cap.ModeNoPriv {
		s.From("no_new_privs", w.at)
		s.From("iab", w.at)
	}
}
