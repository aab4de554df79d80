package review

import (
	"path"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/policy"
)

// notExpanded reports references that systemd, Compose, Kubernetes or a shell would
// expand. caprun passes them on unchanged.
func notExpanded(p *engine.Plan, report func(policy.Position, string, string)) {
	reportReference := func(at policy.Position, what, found, hint string) {
		report(at, what+" contains "+found+", which caprun does not expand", hint)
	}
	for _, key := range [...]struct{ name, text string }{{"chroot", p.Profile.Chroot}, {"cwd", p.Profile.Cwd}} {
		if found, hint := reference(key.text); found != "" {
			reportReference(p.Profile.Position(key.name), key.name, found, hint)
		}
	}
	inner, at := innerCommand(p.Profile.Command)
	expands := expandsItself(inner)
	for n, word := range p.Profile.Command {
		if found, hint := reference(word); found != "" && !(expands && n > at) && !isSplitString(p.Profile.Command, n) {
			reportReference(argumentPosition(p, n), "this word", found, hint)
		}
	}
	if p.Profile.Env == nil {
		return
	}
	for name, value := range p.Profile.Env.Set {
		if found, hint := reference(value); found != "" && !slices.Contains(templateVariables[:], name) {
			reportReference(p.Profile.Position("env.set."+name), name, found, hint)
		}
	}
}

// templateVariables are variables whose value a shell or another program expands.
var templateVariables = [...]string{
	"BASH_ENV", "ENV", "PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT", "PROMPT_COMMAND", "RPROMPT", "LESSOPEN", "LESSCLOSE", "HISTTIMEFORMAT",
}

// templatePrograms are programs that take scripts or templates as arguments.
var templatePrograms = [...]string{"awk", "envsubst", "expect", "gawk", "gmake", "jq", "m4", "make", "mawk", "nawk", "sed", "tclsh"}

// expandsItself reports whether a program expands its arguments: a shell or an
// interpreter with the text of a script, or one of templatePrograms.
func expandsItself(command []string) bool {
	switch {
	case len(command) == 0:
		return false
	case isShell(command) || isInterpreter(command):
		return scriptOf(command) == 0
	}
	return slices.Contains(templatePrograms[:], unversioned(command[0]))
}

// isSplitString reports whether a word is the argument of env -S, which splits it
// and expands ${NAME}.
func isSplitString(command []string, n int) bool {
	env := slices.IndexFunc(command, func(word string) bool { return path.Base(word) == "env" })
	if env < 0 || n <= env {
		return false
	}
	if _, ok := splitString(command[n]); ok {
		return true
	}
	text, ok := splitString(command[n-1])
	return ok && text == ""
}

// maxReference is the maximum length of a reference in bytes.
const maxReference = 64

const (
	shellHint = "write the value, or start a shell that expands it: [/bin/sh, -c, …]"
	unitHint  = "write the value; only systemd expands specifiers"
	homeHint  = "write the path of the home directory"
)

// reference returns the first reference of a text, such as $NAME, ${NAME}, $(NAME),
// %i or ~, and the hint for it; empty if there is none.
func reference(text string) (found, hint string) {
	if found = tilde(text); found != "" {
		return found, homeHint
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '$':
			if found = dollar(text[i:], text[:i]); found != "" {
				return found, shellHint
			}
			if strings.HasPrefix(text[i:], "$$") {
				i++ // an escaped dollar sign
			}
		case '%':
			if found = specifier(text, i); found != "" {
				return found, unitHint
			}
			if strings.HasPrefix(text[i:], "%%") {
				i++
			}
		case ':', '=':
			if found = tilde(text[i+1:]); found != "" {
				return found, homeHint
			}
		}
	}
	return "", ""
}

// dollar returns the reference at the start of a text. Many programs have their own
// lower-case $name, which is a reference only at the end of a word or after "=".
func dollar(text, before string) string {
	window := text[:min(len(text), maxReference)]
	switch {
	case strings.HasPrefix(text, "${"), strings.HasPrefix(text, "$("):
		end := strings.IndexAny(window, "})")
		if end > len("${") && (isNameStart(text[2]) || text[1] == '(') {
			return window[:end+1]
		}
		return ""
	}
	end := 1
	for end < len(window) && (isNameStart(window[end]) || end > 1 && '0' <= window[end] && window[end] <= '9') {
		end++
	}
	name := window[1:end]
	whole := end == len(text) && (before == "" || strings.HasSuffix(before, "="))
	if name == "" || name != strings.ToUpper(name) && !whole || len(name) < 2 && !whole {
		return ""
	}
	return window[:end]
}

func isNameStart(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }

// specifier returns the systemd specifier at an index of a text: %i or %I between
// delimiters, or one for a directory before a slash.
func specifier(text string, at int) string {
	if at+1 >= len(text) {
		return ""
	}
	before, after := byte('/'), byte('/')
	if at > 0 {
		before = text[at-1]
	}
	if at+2 < len(text) {
		after = text[at+2]
	}
	opensName := strings.IndexByte("/@-=:._", before) >= 0
	instance := strings.IndexByte("iI", text[at+1]) >= 0 && strings.IndexByte("/@-_.:,", after) >= 0
	directory := strings.IndexByte("hStCLEVTd", text[at+1]) >= 0 && at+2 < len(text) && after == '/' && (at == 0 || before == '=' || before == ':')
	if opensName && (instance || directory) {
		return text[at : at+2]
	}
	return ""
}

// tilde returns the ~ or ~name that a text begins with.
func tilde(text string) string {
	if !strings.HasPrefix(text, "~") {
		return ""
	}
	end := 1
	for end < len(text) && end < maxReference && (isNameStart(text[end]) || text[end] == '-' || '0' <= text[end] && text[end] <= '9') {
		end++
	}
	if end == len(text) && end == 1 || end < len(text) && text[end] == '/' {
		return text[:end]
	}
	return ""
}
