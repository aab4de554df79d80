package evidence

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"caprun/policy"
)

// profileText returns a profile as YAML. The error says that package policy does not accept
// the text.
func profileText(p *policy.Profile) ([]byte, error) {
	var e emitter
	e.line("version", "1")
	e.text("name", p.Name)
	e.description(p.Description)
	e.list("command", p.Command != nil, quoteAll(p.Command))
	e.identity(p)
	e.privileges(p)
	e.surroundings(p)
	e.ignored(p.Ignored)
	text := []byte(e.b.String())
	if p, found := policy.Read("learned profile", text); p == nil {
		return nil, fmt.Errorf("internal error: %s; report this as a bug", found[0])
	}
	return text, nil
}

// emitter writes the keys of a profile.
type emitter struct{ b strings.Builder }

func (e *emitter) line(key, value string) { e.b.WriteString(key + ": " + value + "\n") }

func (e *emitter) text(key, value string) {
	if value != "" {
		e.line(key, quote(value))
	}
}

func (e *emitter) list(key string, declared bool, items []string) {
	if declared {
		e.line(key, "["+strings.Join(items, ", ")+"]")
	}
}

// description writes a long description on several lines.
func (e *emitter) description(s string) {
	const width = 80
	words := strings.Fields(s)
	if len(s) < width || strings.Join(words, " ") != s || strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) || unicode.IsSpace(r) && r != ' ' }) {
		e.text("description", s)
		return
	}
	e.b.WriteString("description: >-\n")
	for _, line := range wrap(words, width) {
		e.b.WriteString("  " + line + "\n")
	}
}

// wrap joins words to lines of at most width bytes, if no word is longer.
func wrap(words []string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line == "" {
		return lines
	}
	return append(lines, line)
}

func (e *emitter) identity(p *policy.Profile) {
	if p.User != "" {
		e.line("user", account(p.User))
	}
	if p.UID != nil {
		e.line("uid", id(*p.UID))
	}
	if p.GID != nil {
		e.line("gid", group(*p.GID))
	}
	groups := make([]string, 0, len(p.Groups))
	for _, g := range p.Groups {
		groups = append(groups, group(g))
	}
	e.list("groups", p.Groups != nil, groups)
}

func (e *emitter) privileges(p *policy.Profile) {
	if p.Caps != nil {
		e.line("caps", capsValue(p.Caps.Text))
	}
	if p.IAB != nil {
		e.line("iab", capsValue(p.IAB.Text))
	}
	if p.Mode != nil {
		e.line("mode", p.Mode.String())
	}
	if p.Secbits != nil {
		e.list("secbits", true, p.Secbits.Names())
	}
	if p.NoNewPrivs {
		e.line("no_new_privs", "true")
	}
}

func (e *emitter) surroundings(p *policy.Profile) {
	e.text("chroot", p.Chroot)
	e.text("cwd", p.Cwd)
	if p.Umask != nil {
		e.line("umask", fmt.Sprintf(`"%04o"`, *p.Umask))
	}
	if p.Env != nil {
		e.environment(p.Env)
	}
	if len(p.Rlimits) > 0 {
		e.b.WriteString("rlimits:\n")
		for _, l := range p.Rlimits {
			e.line("  "+l.Name, limit(l))
		}
	}
	fds := make([]string, 0, len(p.KeepFDs))
	for _, fd := range p.KeepFDs {
		fds = append(fds, strconv.Itoa(fd))
	}
	e.list("keep_fds", len(fds) > 0, fds)
	if p.NewSession {
		e.line("new_session", "true")
	}
	if p.InheritKeyring {
		e.line("keyring", "inherit")
	}
}

func (e *emitter) environment(env *policy.Env) {
	if env.KeepAll && len(env.Set) == 0 && len(env.Unset) == 0 {
		e.line("env", "{keep: all}")
		return
	}
	e.b.WriteString("env:\n")
	if env.KeepAll {
		e.line("  keep", "all")
	} else {
		e.list("  keep", true, quoteAll(env.Keep))
	}
	if len(env.Set) > 0 {
		e.b.WriteString("  set:\n")
		for _, name := range slices.Sorted(maps.Keys(env.Set)) {
			e.line("    "+quote(name), quote(env.Set[name]))
		}
	}
	e.list("  unset", len(env.Unset) > 0, quoteAll(env.Unset))
}

func (e *emitter) ignored(list []policy.Ignore) {
	if len(list) == 0 {
		return
	}
	e.b.WriteString("lint:\n  ignore:\n")
	for _, entry := range list {
		e.line("    - rule", quote(entry.Rule))
		e.list("      caps", entry.Caps != nil, quoteAll(entry.Caps))
		e.text("      reason", entry.Reason)
		e.text("      until", entry.Until)
	}
}

// limit returns the value of a resource limit.
func limit(l policy.Rlimit) string {
	soft, hard := policy.LimitText(l.Soft), policy.LimitText(l.Hard)
	switch {
	case l.InheritSoft:
		return "{hard: " + hard + "}"
	case l.InheritHard:
		return "{soft: " + soft + "}"
	case soft == hard:
		return soft
	}
	return "{soft: " + soft + ", hard: " + hard + "}"
}

func id(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func group(g policy.Group) string {
	if g.Name == "" {
		return id(g.ID)
	}
	return quote(g.Name)
}

// account returns a name, or a number without quotes.
func account(user string) string {
	if strings.Trim(user, "0123456789") == "" {
		return user
	}
	return quote(user)
}

func quoteAll(list []string) []string {
	quoted := make([]string, 0, len(list))
	for _, s := range list {
		quoted = append(quoted, quote(s))
	}
	return quoted
}

// quote returns a string as YAML: plain if every reader takes it for text, or else in
// double quotes.
func quote(s string) string {
	if isPlain(s) {
		return s
	}
	return doubleQuoted(s)
}

// doubleQuoted returns a string in double quotes. Only quotes, backslashes, tabs and line
// feeds are escaped: a profile has no other control character.
func doubleQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`, "\n", `\n`).Replace(s) + `"`
}

// capsValue returns the text of capability sets. Quotes are needed only for what YAML
// reserves.
func capsValue(text string) string {
	if text == "" || strings.IndexByte("=!%", text[0]) >= 0 || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\t\n") {
		return doubleQuoted(text)
	}
	return text
}

// isPlain reports whether a string needs no quotes: it begins with a letter or a slash, has
// only characters without a meaning in YAML, and is not a word that YAML takes for another
// type.
func isPlain(s string) bool {
	const punctuation = "/._-+="
	for n, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		switch {
		case letter, n > 0 && '0' <= r && r <= '9', n > 0 && strings.ContainsRune(punctuation, r), r == '/':
		default:
			return false
		}
	}
	switch strings.ToLower(s) {
	case "", "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf":
		return false
	}
	return true
}
