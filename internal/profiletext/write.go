package profiletext

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"caprun/policy"
)

// Write returns a profile as YAML, with each key on lines of its own. Comments of the file
// that p comes from are not kept. comments returns the comments above a key, such as "caps"
// or "env.set.MODE", each a line without the mark of a comment; it can be nil. keys has the
// key of each line of the text, empty for other lines.
//
// The error says that package policy does not accept the text.
func Write(p *policy.Profile, comments func(key string) []string) (text []byte, keys []string, err error) {
	e := emitter{comments: comments}
	e.line("version", "1")
	e.text("name", p.Name)
	e.description(p.Description)
	e.list("command", p.Command != nil, quoteAll(p.Command))
	e.identity(p)
	e.privileges(p)
	e.surroundings(p)
	e.ignored(p.Ignored)
	text = []byte(e.b.String())
	if p, found := policy.Read("profile", text); p == nil {
		return nil, nil, fmt.Errorf("internal error: %s; report this as a bug", found[0])
	}
	return text, e.keys, nil
}

// emitter writes the keys of a profile.
type emitter struct {
	b        strings.Builder
	comments func(key string) []string
	keys     []string
	parents  []string // of the next key
}

// raw writes a line that belongs to a key.
func (e *emitter) raw(key, line string) {
	e.b.WriteString(line + "\n")
	e.keys = append(e.keys, key)
}

// line writes a key of the mapping that nest began, with its comments above it.
func (e *emitter) line(key, value string) {
	path := strings.Join(append(slices.Clone(e.parents), key), ".")
	indent := strings.Repeat("  ", len(e.parents))
	if e.comments != nil {
		for _, c := range e.comments(path) {
			e.raw(path, indent+"# "+Defuse(c))
		}
	}
	e.raw(path, strings.TrimRight(indent+quote(key)+": "+value, " "))
}

// nest begins a mapping or a list; the function that it returns ends it.
func (e *emitter) nest(key string) (end func()) {
	e.line(key, "")
	e.parents = append(e.parents, key)
	return func() { e.parents = e.parents[:len(e.parents)-1] }
}

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
	e.line("description", ">-")
	for _, line := range Wrap(words, width) {
		e.raw("description", "  "+line)
	}
}

// Wrap joins words to lines of at most width bytes, if no word is longer.
func Wrap(words []string, width int) []string {
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
		end := e.nest("rlimits")
		for _, l := range p.Rlimits {
			e.line(l.Name, limit(l))
		}
		end()
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
	defer e.nest("env")()
	if env.KeepAll {
		e.line("keep", "all")
	} else {
		e.list("keep", true, quoteAll(env.Keep))
	}
	if len(env.Set) > 0 {
		end := e.nest("set")
		for _, name := range slices.Sorted(maps.Keys(env.Set)) {
			e.line(name, quote(env.Set[name]))
		}
		end()
	}
	e.list("unset", len(env.Unset) > 0, quoteAll(env.Unset))
}

func (e *emitter) ignored(list []policy.Ignore) {
	if len(list) == 0 {
		return
	}
	const key = "lint"
	e.raw(key, "lint:")
	e.raw(key, "  ignore:")
	for _, entry := range list {
		e.raw(key, "    - rule: "+quote(entry.Rule))
		if entry.Caps != nil {
			e.raw(key, "      caps: ["+strings.Join(quoteAll(entry.Caps), ", ")+"]")
		}
		e.raw(key, "      reason: "+quote(entry.Reason))
		if entry.Until != "" {
			e.raw(key, "      until: "+quote(entry.Until))
		}
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
