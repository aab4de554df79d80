package platform

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

// addLaunch adds a finding if the process is caprun, which starts the program with a profile:
// what the file declares is then the state of caprun, and not that of the program.
func addLaunch(d *declared.Document) {
	profile, ok := launchedProfile(d.Profile.Command)
	if !ok {
		return
	}
	d.Launches = profile
	shown := LaunchText(profile)
	d.AddFinding(declared.StartsCaprun, d.Origin("command"), explainHint(d, profile, "print those of the program"),
		"the process is caprun, which starts the program with profile %s: the privileges here are those of caprun, not of the program", shown)
}

// LaunchText returns the value of -profile for a message, after the word profile: quoted if
// it could be taken for more than a name, and empty for none.
func LaunchText(profile string) string {
	const most = 200
	if profile == "-" {
		return "from standard input"
	}
	end := ""
	if len(profile) > most {
		profile, end = profile[:most], "..."
	}
	if !isPlain(profile) {
		profile = strconv.Quote(profile)
	}
	return profile + end
}

// launchedProfile returns the value of -profile if a command starts a program with caprun.
// It reads the flags as a launch does.
func launchedProfile(command []string) (profile string, ok bool) {
	if len(command) < 2 || path.Base(command[0]) != "caprun" {
		return "", false
	}
	for args := command[1:]; len(args) > 0; args = args[1:] {
		name, value, hasValue := strings.Cut(args[0], "=")
		switch name {
		case "-init", "--init", "-init-group", "--init-group", "-dry-run", "--dry-run":
		case "-profile", "--profile":
			if hasValue {
				return value, value != ""
			}
			return args[min(1, len(args)-1)], len(args) > 1 && args[1] != ""
		default:
			return "", false // the end of the flags, or another form
		}
	}
	return "", false
}

// explainHint returns the command with which to do what; empty without one.
func explainHint(d *declared.Document, profile, what string) string {
	if profile == "-" {
		return ""
	}
	word, ok := shellWord(profilePath(d, profile))
	if !ok {
		return ""
	}
	caller, known := callerText(d)
	switch {
	case !known:
		return what + " with caprun explain -as CALLER " + word + ", where CALLER has the credentials of caprun"
	case caller == "":
		return what + " with caprun explain " + word
	}
	return what + " with caprun explain -as '" + caller + "' " + word
}

// profilePath returns the value of -profile, and for a file that is relative to the working
// directory of the process the absolute path.
func profilePath(d *declared.Document, profile string) string {
	if isPath(profile) && !strings.HasPrefix(profile, "builtin:") && d.Profile.Chroot == "" && d.Profile.Cwd != "" && !path.IsAbs(profile) {
		return path.Join(d.Profile.Cwd, profile)
	}
	return profile
}

// isPath reports whether a value of -profile is a file.
func isPath(profile string) bool {
	return strings.Contains(profile, "/") || slices.Contains([]string{".yaml", ".yml", ".json", ".service"}, path.Ext(profile))
}

// hasOtherRoot reports whether the process has another root directory than the machine.
func hasOtherRoot(d *declared.Document) bool {
	return d.Profile.Chroot != "" || slices.ContainsFunc(d.Losses, func(l declared.Loss) bool { return strings.HasPrefix(l.What, "RootImage=") })
}

// shellWord returns a word for a shell. ok is false for a word that is too long to be shown
// or has special characters.
func shellWord(s string) (word string, ok bool) {
	const most = 200
	special := func(r rune) bool { return r < ' ' || r > '~' || r == '\'' }
	switch {
	case s == "" || len(s) > most || strings.HasPrefix(s, "-") || strings.ContainsFunc(s, special):
		return "", false
	case !isPlain(s):
		return "'" + s + "'", true
	}
	return s, true
}

// isPlain reports whether a text has only characters that no shell and no reader takes for
// more than a part of a word.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("/._-:", r))
	})
}

// callerText returns the state of the process as engine.ParseCaller takes it; empty for root
// with every capability. known is false if the file does not declare the user.
func callerText(d *declared.Document) (text string, known bool) {
	c, known := callerState(d)
	if !known {
		return "", false
	}
	return stateText(c)
}

// callerState returns the credentials with which caprun starts the program. known is false if
// the file does not declare the user, or by its name.
func callerState(d *declared.Document) (c cred.Cred, known bool) {
	p, _ := policy.Parse("", d.Text)
	if p == nil || d.Sets.UnknownUID {
		return c, false
	}
	plan, _ := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	if plan == nil || !plan.Identity.Declared || !plan.Identity.Resolved {
		return c, false
	}
	return plan.AfterExec, true
}

// refusals returns a finding if caprun refuses the launch: because of the profile, or of the
// state in which the file starts caprun.
func (in Input) refusals(d *declared.Document) []policy.Diagnostic {
	if d.Launches == "" || d.Launches == "-" || in.LaunchedProfile == nil {
		return nil
	}
	name := profilePath(d, d.Launches)
	if !strings.HasPrefix(name, "builtin:") && (in.Kind != Systemd || hasOtherRoot(d) || isPath(name) && !path.IsAbs(name)) {
		return nil // the file is in an image, for example
	}
	refused := func(hint, text string) []policy.Diagnostic {
		return []policy.Diagnostic{declared.LaunchRefused.Diagnostic(d.Origin("command"), hint,
			"caprun refuses to start the program with profile "+LaunchText(d.Launches)+": "+text)}
	}
	text, err := in.LaunchedProfile(name)
	switch {
	case err != nil:
		return refused("correct the profile that -profile names", err.Error())
	case text == nil:
		return nil
	}
	p, _ := policy.Parse(name, text)
	if p == nil {
		// A message would show a part of a file that the author of the unit may not read.
		return refused("run caprun check on the profile", "it is not a valid profile")
	}
	if plan, _ := engine.Compile(p, cred.Root(), engine.OrdinaryTarget()); plan == nil {
		return nil
	}
	from, known := callerState(d)
	if !known {
		return nil
	}
	if _, conflicts := engine.Compile(p, from, engine.OrdinaryTarget()); firstError(conflicts) != "" {
		return refused(explainHint(d, d.Launches, "print the steps of the launch and what they need"), firstError(conflicts))
	}
	return nil
}

// firstError returns the message of the first error; empty if there is none.
func firstError(found []policy.Diagnostic) string {
	for _, f := range found {
		if f.Severity == policy.Error {
			return f.Message
		}
	}
	return ""
}

// stateText returns credentials as engine.ParseCaller takes them, without its defaults.
func stateText(c cred.Cred) (text string, ok bool) {
	words := []string{"uid=" + number(c.UID), "gid=" + number(c.GID)}
	if !slices.Equal(c.Groups, []uint32{c.GID}) && len(c.Groups) > 0 {
		groups := make([]string, 0, len(c.Groups))
		for _, g := range c.Groups {
			groups = append(groups, number(g))
		}
		words = append(words, "groups="+strings.Join(groups, ","))
	}
	if c.Securebits != 0 {
		words = append(words, "secbits="+strings.Join(c.Securebits.Names(), ","))
	}
	if c.NoNewPrivs {
		words = append(words, "no_new_privs")
	}
	if c.Ambient != 0 {
		words = append(words, "ambient="+setText(c.Ambient))
	}
	sets := capsText(c)
	for _, more := range [...][]string{{}, {sets}, {"bounding=" + setText(c.Bounding)}, {sets, "bounding=" + setText(c.Bounding)}} {
		text := strings.Join(append(slices.Clone(words), more...), " ")
		got, err := engine.ParseCaller(text)
		switch {
		case err != nil || got.Effective != c.Effective || got.Permitted != c.Permitted || got.Inheritable != c.Inheritable || got.Bounding != c.Bounding || got.Ambient != c.Ambient:
		case text == "uid=0 gid=0":
			return "", true // the default of -as
		default:
			return text, true
		}
	}
	return "", false
}

// capsText returns the effective, permitted and inheritable sets as cap_text_formats(7)
// describes. After exec of an ordinary program, the permitted set is effective.
func capsText(c cred.Cred) string {
	switch {
	case c.Permitted == c.Inheritable && c.Permitted != 0:
		return setText(c.Permitted) + "=eip"
	case c.Permitted == 0 && c.Inheritable == 0:
		return "="
	case c.Inheritable == 0:
		return setText(c.Permitted) + "=ep"
	case c.Permitted == 0:
		return setText(c.Inheritable) + "=i"
	}
	return setText(c.Permitted) + "=ep " + setText(c.Inheritable) + "+i"
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// setText returns a capability set as engine.ParseCaller takes it.
func setText(set cred.Caps) string {
	switch set {
	case cred.Root().Bounding:
		return "all"
	case 0:
		return "none"
	}
	return set.Join()
}
