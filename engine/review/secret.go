package review

import (
	"strings"

	"caprun/engine"
	"caprun/policy"
)

// secretInProfile points at the name alone, and never says the value.
func secretInProfile(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.Profile.Env != nil {
		for name, value := range p.Profile.Env.Set {
			if namesSecret(name) && !isNoSecret(value) || holdsSecret(value) {
				report(p.Profile.KeyPosition("env.set."+name),
					name+" looks like a secret: it lies in a file that is reviewed and copied, and in /proc/PID/environ",
					"let the program read it from a file, or have the caller set it, and keep it; a real secret is known now, so replace it")
			}
		}
	}
	for n, word := range p.Profile.Command {
		option, value, ok := strings.Cut(word, "=")
		named := ok && strings.HasPrefix(option, "-") && namesSecret(strings.ReplaceAll(option, "-", "_")) && !isNoSecret(value)
		if named || holdsSecret(word) {
			report(wordOf(p, n),
				"this word looks like a secret: it lies in a file that is reviewed and copied, and in /proc/PID/cmdline, which every user reads",
				"let the program read it from a file; a real secret is known now, so replace it")
		}
	}
}

// secretPrefixes are how tokens of services begin that many use.
var secretPrefixes = [...]string{"ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "sk_live_", "AKIA"}

// holdsSecret reports whether a text has a private key, a token of a known form,
// or the password of an address, as in scheme://user:password@host.
func holdsSecret(text string) bool {
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
		if !ok || holdsPassword(address) {
			return ok
		}
		text = address
	}
}

// holdsPassword reports whether what follows :// in an address has a password,
// as in user:password@host. A place for one, such as ${PASSWORD}, is none.
func holdsPassword(address string) bool {
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

// secretWords are how the names of secrets end.
var secretWords = [...]string{
	"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIALS",
	"APIKEY", "API_KEY", "PRIVATE_KEY", "SECRET_KEY", "SECRET_ACCESS_KEY", "SECRET_KEY_BASE",
}

// namesSecret reports whether the value of a variable is a secret, as far as
// its name tells. Names that end in another word are about a secret: its file,
// its length, where to get it.
func namesSecret(name string) bool {
	for _, word := range secretWords {
		if n := len(name) - len(word); n >= 0 && strings.EqualFold(name[n:], word) {
			return true
		}
	}
	return false
}

// isNoSecret reports whether a value is a switch, or says where the secret
// is.
func isNoSecret(value string) bool {
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
