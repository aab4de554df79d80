package export

import (
	"maps"
	"slices"
	"strings"

	"caprun/engine"
)

// managerVariables are variables that systemd sets for a service without a setting of the
// unit, see systemd.exec(5), "Environment variables set or propagated by the service
// manager".
var managerVariables = [...]string{
	"DEBUG_INVOCATION", "HOME", "INVOCATION_ID", "JOURNAL_STREAM",
	"LANG", "LANGUAGE", "LC_ADDRESS", "LC_COLLATE", "LC_CTYPE", "LC_IDENTIFICATION", "LC_MEASUREMENT", "LC_MESSAGES",
	"LC_MONETARY", "LC_NAME", "LC_NUMERIC", "LC_PAPER", "LC_TELEPHONE", "LC_TIME",
	"LOGNAME", "LOG_NAMESPACE", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE", "PATH", "SHELL", "SYSTEMD_EXEC_PID",
	"TRIGGER_PATH", "TRIGGER_UNIT", "USER",
}

// environment writes the variables that the profile sets, those that systemd passes on, and
// those of systemd that it removes.
func (w *unit) environment() {
	env := w.EnvPolicy()
	spec := w.Profile.Env
	set := map[string]string{}
	for _, entry := range w.Environ(nil) {
		name, value, _ := strings.Cut(entry, "=")
		set[name] = value
	}
	if w.Identity.User != "" && w.Identity.Entry == nil {
		// Those of the user database, which systemd sets.
		for _, name := range engine.IdentityVariables() {
			if env.Source(name) == engine.VarIdentity {
				delete(set, name)
			}
		}
	}
	var lost []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if !isUnitVariable(name) || !validForUnit(set[name]) {
			lost = append(lost, name)
			continue
		}
		w.set("Environment", quoteUnit(name+"="+set[name]))
	}
	if len(lost) > 0 {
		w.lose("env.set", "systemd does not accept the variables %s", sentence(lost))
	}
	w.passed(env)
	w.removed(env, set)
	if spec != nil && !spec.KeepAll {
		w.note("variables of DefaultEnvironment= in systemd-system.conf(5) are also set")
	}
}

// passed writes the variables that the profile keeps.
func (w *unit) passed(env engine.EnvPolicy) {
	spec := w.Profile.Env
	if spec == nil || spec.KeepAll {
		return
	}
	var pass, lost []string
	for _, name := range spec.Keep {
		switch {
		case env.Source(name) != engine.VarCaller:
		case isUnitVariable(name):
			pass = append(pass, name)
		default:
			lost = append(lost, name)
		}
	}
	if len(lost) > 0 {
		w.lose("env.keep", "systemd does not accept the variables %s", sentence(lost))
	}
	if len(pass) > 0 {
		w.set("PassEnvironment", strings.Join(pass, " "))
		w.note("%s %s set only if the manager has %s", sentence(pass), isOrAre(pass), itOrThem(len(pass)))
	}
}

func isOrAre(names []string) string {
	if len(names) == 1 {
		return "is"
	}
	return "are"
}

// removed writes the variables that systemd would set, and that the program does not have
// under the profile.
func (w *unit) removed(env engine.EnvPolicy, set map[string]string) {
	names := slices.Clone(managerVariables[:])
	if w.Profile.Env != nil {
		for _, name := range w.Profile.Env.Unset {
			if isUnitVariable(name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		if _, has := set[name]; has {
			return true
		}
		switch env.Source(name) {
		case engine.VarAbsent:
			return false
		case engine.VarIdentity:
			// Without an entry in the user database a launch removes it.
			return w.Identity.User != "" && w.Identity.Entry == nil
		}
		return true
	})
	if len(names) > 0 {
		w.set("UnsetEnvironment", strings.Join(names, " "))
	}
}

// isUnitVariable reports whether systemd accepts a name: profiles accept dots and hyphens,
// too.
func isUnitVariable(name string) bool {
	for n, r := range name {
		if !isAlphanumeric(r) && r != '_' || n == 0 && '0' <= r && r <= '9' {
			return false
		}
	}
	return name != ""
}
