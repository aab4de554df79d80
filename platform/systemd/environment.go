package systemd

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"caprun/platform/declared"
	"caprun/policy"
)

// defaultPath is the PATH of services in systemd.exec(5). Builds with a separate /usr
// append /sbin and /bin.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

// directoryVariables are the variables that name the directories of a service, and where
// the manager of the system makes these: systemd.exec(5).
var directoryVariables = [...]struct{ key, variable, below string }{
	{"RuntimeDirectory", "RUNTIME_DIRECTORY", "/run"},
	{"StateDirectory", "STATE_DIRECTORY", "/var/lib"},
	{"CacheDirectory", "CACHE_DIRECTORY", "/var/cache"},
	{"LogsDirectory", "LOGS_DIRECTORY", "/var/log"},
	{"ConfigurationDirectory", "CONFIGURATION_DIRECTORY", "/etc"},
}

// readEnvironment declares the variables, in the order in which they replace each other:
// build_environment and exec_child of systemd.
func (b *builder) readEnvironment() {
	env := &policy.Env{Set: map[string]string{"PATH": defaultPath}}
	b.Profile.Env = env
	b.setIdentity(env)
	for _, d := range directoryVariables {
		b.setDirectory(env, d.key, d.variable, d.below)
	}
	b.setOthers(env)
	b.setSearchPath(env)
	b.keepVariables(env)
	for _, a := range b.lists["Environment"] {
		b.setVariables(env, a)
	}
	for _, a := range b.lists["EnvironmentFile"] {
		b.addLoss(a, "the variables of the file are not in the profile; they replace those of Environment=")
	}
	for _, a := range b.lists["UnsetEnvironment"] {
		b.unsetVariables(env, a)
	}
	env.Keep = slices.DeleteFunc(env.Keep, func(name string) bool { _, set := env.Set[name]; return set })
}

// setIdentity sets the variables about the user where caprun does not set them.
func (b *builder) setIdentity(env *policy.Env) {
	user := b.account("User")
	_, isNumber := idOf(user)
	root := user == "root" || user == "0"
	dynamic := b.isOn("DynamicUser") // then systemd looks up no account
	if dynamic && isNumber && b.Profile.UID != nil {
		root = false
	} else if user == "" || !b.isRoot() || isNumber && !root || !isText(user) {
		return
	}
	if root && !dynamic {
		user = "root"
		env.Set["HOME"] = "/root"
		b.from("env.set.HOME", b.last["User"])
	}
	for _, name := range [...]string{"LOGNAME", "USER"} {
		env.Set[name] = user
		b.from("env.set."+name, b.last["User"])
	}
}

// setDirectory sets the variable of directories.
func (b *builder) setDirectory(env *policy.Env, key, variable, below string) {
	var list []string
	for _, a := range b.lists[key] {
		all, _ := words(a.value, unquote)
		for _, w := range all {
			name, _, _ := strings.Cut(w.text, ":") // what follows is a symbolic link
			name, unknown := b.name.expand(name)
			if unknown != "" || !isPath("/"+name) || strings.ContainsAny(name, ":") {
				b.addLoss(a, "a profile cannot have the variable %s", variable)
				return
			}
			list = append(list, path.Join(below, name))
		}
		b.from("env.set."+variable, a)
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > 0 {
		env.Set[variable] = strings.Join(list, ":")
	}
}

// setOthers sets the variables of other keys.
func (b *builder) setOthers(env *policy.Env) {
	if a := b.last["PIDFile"]; a != nil {
		text, unknown := b.name.expand(a.value)
		if !strings.HasPrefix(text, "/") {
			text = "/run/" + text
		}
		if unknown == "" && isPath(text) {
			env.Set["PIDFILE"] = path.Clean(text)
			b.from("env.set.PIDFILE", a)
		}
	}
	if a := b.last["LogNamespace"]; a != nil && isText(a.value) && !strings.Contains(a.value, "%") {
		env.Set["LOG_NAMESPACE"] = a.value
		b.from("env.set.LOG_NAMESPACE", a)
	}
	for _, key := range [...]string{"LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted"} {
		if list := b.lists[key]; len(list) > 0 && b.name.full != "" && !b.name.template {
			env.Set["CREDENTIALS_DIRECTORY"] = "/run/credentials/" + b.name.full
			b.from("env.set.CREDENTIALS_DIRECTORY", list...)
		}
	}
}

// setSearchPath sets PATH to ExecSearchPath=.
func (b *builder) setSearchPath(env *policy.Env) {
	var list []string
	for _, a := range b.lists["ExecSearchPath"] {
		text, unknown := b.name.expand(a.value)
		if unknown != "" || !isText(text) {
			b.addLoss(a, "a profile cannot have the search path")
			return
		}
		list = append(list, text)
		b.from("env.set.PATH", a)
	}
	if len(list) > 0 {
		env.Set["PATH"] = strings.Join(list, ":")
	}
}

// keepVariables keeps those that systemd makes at each start.
func (b *builder) keepVariables(env *policy.Env) {
	keep := func(a *assignment, names ...string) {
		const most = 1024 // of package policy
		for _, name := range names {
			switch {
			case slices.Contains(env.Keep, name):
			case len(env.Keep) < most:
				env.Keep = append(env.Keep, name)
			default:
				b.addLoss(cmp.Or(a, b.command.from), "a profile cannot have so many variables: %s", clip(name))
			}
		}
		b.from("env.keep", a)
	}
	if len(b.Profile.KeepFDs) > 0 {
		keep(nil, "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID")
	}
	for _, key := range [...]string{"StandardInput", "StandardOutput", "StandardError", "TTYPath"} {
		value := b.value(key)
		if key == "TTYPath" && value != "" || strings.HasPrefix(value, "tty") || strings.HasSuffix(value, "+console") {
			keep(b.last[key], "TERM")
		}
	}
	access := b.value("NotifyAccess")
	watchdog, _ := parseTime(b.value("WatchdogSec"), 1e6)
	switch kind := b.value("Type"); {
	case b.rank.main && watchdog > 0:
		keep(b.last["WatchdogSec"], "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
	case b.rank.main && strings.HasPrefix(kind, "notify"):
		keep(b.last["Type"], "NOTIFY_SOCKET")
	case b.rank.main && access != "" && access != "none" || access == "all" || access == "exec":
		keep(b.last["NotifyAccess"], "NOTIFY_SOCKET")
	}
	for _, a := range b.lists["PassEnvironment"] {
		list, _ := words(a.value, unquote)
		for _, w := range list {
			name, unknown := b.name.expand(w.text)
			switch {
			case unknown != "":
				b.addLoss(a, "the name of a variable depends on the specifier %s", unknown)
			case !isVariable(name) && b.found.Ignores(declared.Ignored):
			case !isVariable(name):
				b.addFinding(declared.Ignored, a.word(w.offset, w.length), "", "systemd ignores the invalid name %q", clip(name))
			default:
				keep(a, name)
				delete(env.Set, name) // the value of the manager replaces it
			}
		}
	}
}

// setVariables sets the variables of an Environment= line.
func (b *builder) setVariables(env *policy.Env, a *assignment) {
	list, err := words(a.value, unquote|unescape)
	if err != nil {
		b.addFinding(declared.Ignored, a.source(), "close the quotes, and write a backslash as \\\\", "systemd ignores what follows in Environment=: %s", err)
	}
	for _, w := range list {
		text, unknown := b.name.expand(w.text)
		name, value, ok := strings.Cut(text, "=")
		const most = 1024 // of package policy
		switch {
		case unknown != "":
			b.addWordLoss(a, w, "a variable depends on the specifier %s", unknown)
		case !ok || !isVariable(name) || !utf8.ValidString(value):
			if b.reports && !b.found.Ignores(declared.Ignored) {
				b.addFinding(declared.Ignored, a.word(w.offset, w.length), "write NAME=VALUE; quote a value with spaces as \"NAME=VALUE\"", "systemd ignores the invalid assignment of a variable")
			}
		case !isText(value) || len(env.Set) >= most:
			b.addWordLoss(a, w, "a profile cannot have the value of %s", clip(name))
		default:
			env.Set[name] = value
			delete(b.Origins, "env.set."+name)
			b.from("env.set."+name, a)
		}
	}
}

// addWordLoss is addLoss with the position of a word.
func (b *builder) addWordLoss(a *assignment, w word, format string, args ...any) {
	if b.reports && !b.Process.IgnoresLosses() { // the position of a word takes time
		b.Process.AddLoss(a.word(w.offset, w.length), format, args...)
	}
}

// unsetVariables removes the variables of an UnsetEnvironment= line, which come last.
func (b *builder) unsetVariables(env *policy.Env, a *assignment) {
	list, _ := words(a.value, unquote|unescape)
	for _, w := range list {
		text, unknown := b.name.expand(w.text)
		name, value, exact := strings.Cut(text, "=")
		if unknown != "" || !isVariable(name) {
			b.addWordLoss(a, w, "a profile cannot have the name")
			continue
		}
		if current, ok := env.Set[name]; exact && ok && current != value {
			continue
		}
		delete(env.Set, name)
		delete(b.Origins, "env.set."+name)
		if exact {
			continue // what another value is
		}
		env.Keep = slices.DeleteFunc(env.Keep, func(s string) bool { return s == name })
		if identity := [...]string{"HOME", "LOGNAME", "USER"}; slices.Contains(identity[:], name) && !slices.Contains(env.Unset, name) {
			env.Unset = append(env.Unset, name)
			b.from("env.unset", a)
		}
	}
}

// isVariable is env_name_is_valid of systemd, with the limit of package policy.
func isVariable(name string) bool {
	const most = 255
	return name != "" && len(name) <= most && (name[0] < '0' || name[0] > '9') &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return r != '_' && !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
		})
}

// substitute replaces variables in arguments: replace_env_argv of systemd. A variable that
// the profile does not have is empty; if systemd can have it, it is a loss.
func (b *builder) substitute(args []string) []string {
	var out []string
	lost := map[string]bool{}
	lookup := func(name string) string {
		value, ok := b.Profile.Env.Set[name]
		known := len(b.lists["EnvironmentFile"]) == 0 && (ok || !slices.Contains(managerVariables[:], name)) &&
			!slices.Contains(b.Profile.Env.Keep, name) && name != "PATH"
		if !known && !lost[name] && !b.Process.IgnoresLosses() {
			lost[name] = true
			b.Process.AddLoss(b.command.source(), "the value of $%s is unknown; the profile has %q", clip(name), clip(value))
		}
		return value
	}
	const most = 2048 // more than a profile can have
	for _, arg := range args {
		if len(out) > most {
			return out
		}
		if strings.HasPrefix(arg, "$") && !strings.HasPrefix(arg, "${") && !strings.HasPrefix(arg, "$$") {
			list, _ := words(lookup(arg[1:]), unquote)
			for _, w := range list {
				out = append(out, w.text)
			}
			continue
		}
		out = append(out, replaceVariables(arg, lookup))
	}
	return out
}

// managerVariables are variables that systemd sets and the profile does not.
var managerVariables = [...]string{
	"HOME", "LOGNAME", "USER", "SHELL", "TERM", "LANG", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID",
	"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
	"MAINPID", "MANAGERPID", "REMOTE_ADDR", "REMOTE_PORT", "SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS",
	"LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "LC_COLLATE", "LC_NUMERIC", "LC_MONETARY",
}

// replaceVariables replaces ${NAME}, and $$ by $.
func replaceVariables(s string, lookup func(string) string) string {
	var out strings.Builder
	for s != "" {
		n := strings.IndexByte(s, '$')
		if n < 0 || n+1 == len(s) {
			break
		}
		out.WriteString(s[:n])
		s = s[n:]
		end := strings.IndexAny(s, "}:")
		switch {
		case s[1] == '$':
			out.WriteByte('$')
			s = s[2:]
		case s[1] == '{' && end > 0 && s[end] == '}':
			out.WriteString(lookup(s[2:end]))
			s = s[end+1:]
		case s[1] == '{' && end < 0:
			out.WriteString(s)
			return out.String()
		default:
			out.WriteString(s[:2])
			s = s[2:]
		}
		if out.Len() > declared.MaxSize {
			return out.String()
		}
	}
	out.WriteString(s)
	return out.String()
}
