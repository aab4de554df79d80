package review

import (
	"strings"

	"caprun/engine"
	"caprun/policy"
)

// secretInProfile reports the name of a secret and never its value.
func secretInProfile(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.Profile.Env != nil {
		for name, value := range p.Profile.Env.Set {
			if isSecretName(name) && !isHarmlessValue(value) || containsSecret(value) {
				report(p.Profile.KeyPosition("env.set."+name),
					name+" looks like a secret: the profile and /proc/PID/environ disclose it",
					"let the program read it from a file, or pass it from the caller with env.keep; if it is a real secret, replace it")
			}
		}
	}
	for n, word := range p.Profile.Command {
		option, value, ok := strings.Cut(word, "=")
		named := ok && strings.HasPrefix(option, "-") && isSecretName(strings.ReplaceAll(option, "-", "_")) && !isHarmlessValue(value)
		if named || containsSecret(word) {
			report(argumentPosition(p, n),
				"this word looks like a secret: the profile discloses it, and every user can read it in /proc/PID/cmdline",
				"let the program read it from a file; if it is a real secret, replace it")
		}
	}
}

// secretPrefixes are the prefixes of tokens of common services.
var secretPrefixes = [...]string{"ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "sk_live_", "AKIA"}

// containsSecret reports whether a text contains a private key, a token of a known
// form, or a URL with a password.
func containsSecret(text string) bool {
	if strings.Contains(text, "PRIVATE KEY-----") {
		return true
	}
	for _, prefix := range secretPrefixes {
		const shortest = 16
		if rest, ok := strings.CutPrefix(text, prefix); ok && len(rest) >= shortest && !strings.ContainsAny(rest, " /.:$") {
			return true
		}
	}
	for {
		_, address, ok := strings.Cut(text, "://")
		if !ok || containsPassword(address) {
			return ok
		}
		text = address
	}
}

// containsPassword reports whether a URL, without its scheme, has a password:
// user:password@host. A placeholder such as ${PASSWORD} is not a password.
func containsPassword(address string) bool {
	if n := strings.IndexAny(address, "/?# "); n >= 0 {
		address = address[:n]
	}
	n := strings.LastIndexByte(address, '@')
	if n < 0 {
		return false
	}
	_, password, _ := strings.Cut(address[:n], ":")
	return password != "" && !strings.ContainsAny(password[:1], "$<{%")
}

// secretWords are the suffixes of names of secrets.
var secretWords = [...]string{
	"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIALS",
	"APIKEY", "API_KEY", "PRIVATE_KEY", "SECRET_KEY", "SECRET_ACCESS_KEY", "SECRET_KEY_BASE",
}

// isSecretName reports whether the value of a variable is a secret, judged by the
// end of its name. DB_PASSWORD_FILE, for example, only refers to a secret.
func isSecretName(name string) bool {
	for _, word := range secretWords {
		if n := len(name) - len(word); n >= 0 && strings.EqualFold(name[n:], word) {
			return true
		}
	}
	return false
}

// isHarmlessValue reports whether a value is empty, a switch, or the place of a
// secret.
func isHarmlessValue(value string) bool {
	if value == "" || value[0] == '/' || strings.HasPrefix(value, "file:") {
		return true
	}
	for _, word := range [...]string{"0", "1", "true", "false", "yes", "no", "on", "off"} {
		if strings.EqualFold(value, word) {
			return true
		}
	}
	return false
}
