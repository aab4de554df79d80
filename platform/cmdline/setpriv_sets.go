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
			s.AddFinding(declared.Refused, o.at, hint, "setpriv refuses the securebit %s", quote(text))
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
			s.AddFinding(declared.Refused, o.at, "write + or - before each capability", "setpriv refuses %s in --%s", quote(text), o.name)
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
			s.AddFinding(declared.UnknownCapability, o.at, hint, "setpriv refuses the unknown capability %s: its names have no prefix cap_", quote(name))
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
		s.AddFinding(declared.Ineffective, o.at, "add the capability to --inh-caps, too", "setpriv ignores silently that the kernel refuses ambient capabilities that are not inheritable: %s", containers.Short(strings.Join(lost, ",")))
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
	c.AddLoss(o.at, "HOME, SHELL, USER and LOGNAME have the values of the user's entry in /etc/passwd")
}
