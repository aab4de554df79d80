package review

import (
	"path"
	"strings"

	"caprun/engine"
	"caprun/policy"
)

// publicDirectories are those in which every user makes files. Their sticky bit
// keeps a file that is there from being replaced, and nobody from being the
// first to make it.
var publicDirectories = [...]string{"/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/var/lock"}

// publicAbove returns the public directory that a path lies in, or "".
func publicAbove(name string) string {
	if !strings.HasPrefix(name, "/") {
		return ""
	}
	name = path.Clean(name)
	for _, dir := range publicDirectories {
		if name == dir || strings.HasPrefix(name, dir+"/") {
			return dir
		}
	}
	return ""
}

// publicDirectory finds a program, a root directory or a variable that names
// code where every user could have put it.
func publicDirectory(p *engine.Plan, report func(policy.Position, string, string)) {
	chroot := strings.TrimSuffix(p.Profile.Chroot, "/")
	if dir := publicAbove(chroot); dir != "" {
		report(p.Profile.Position("chroot"), "every user can make files in "+dir+", and so this root directory, with programs and an /etc of their own",
			"put it where only root can write, such as /srv or /var/lib")
	}
	if chroot == "" {
		publicProgram(p, report)
	}
	if p.Profile.Env == nil || chroot != "" {
		return
	}
	for name, value := range p.Profile.Env.Set {
		said := p.AfterExec.Permitted != 0 && !p.SecureExec && otherLoading(name) != "" // by loader-variable
		if said || name != "PATH" && !choosesCode(name) && otherLoading(name) == "" {
			continue
		}
		if dir := publicIn(p.Profile, name, value); dir != "" {
			report(p.Profile.Position("env.set."+name), name+" makes the target run what lies in "+dir+", where every user can make files",
				"put it where only root can write, such as /usr/local or /opt")
		}
	}
}

// publicProgram looks at the program, and at the script of an interpreter.
func publicProgram(p *engine.Plan, report func(policy.Position, string, string)) {
	const hint = "put it where only root can write, such as /usr/local or /opt"
	in := func(word string) string {
		if p.Profile.Cwd != "" && !strings.HasPrefix(word, "/") && strings.Contains(word, "/") {
			word = path.Join(p.Profile.Cwd, word)
		}
		return publicAbove(word)
	}
	command, at := started(p.Profile.Command)
	if len(command) == 0 {
		return
	}
	if dir := in(command[0]); dir != "" {
		report(wordOf(p, at), "every user can make files in "+dir+", and so be the first to put this program there", hint)
		return
	}
	n := scriptOf(command)
	if dir := in(command[n]); n > 0 && dir != "" {
		report(wordOf(p, min(at+n, len(p.Profile.Command)-1)), "every user can make files in "+dir+", and so be the first to put this script there", hint)
	}
}

// publicIn returns the public directory that the value of a variable names. An
// entry of PATH that is relative counts from the working directory.
func publicIn(p *policy.Profile, name, value string) string {
	if name == "PATH" && hasRelative(value) {
		if dir := publicAbove(p.Cwd); dir != "" {
			return dir
		}
	}
	for _, dir := range publicDirectories {
		if !strings.Contains(value, path.Base(dir)) {
			continue
		}
		for _, part := range strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune(":;,= \t\"'", c) }) {
			// As ruby has its option.
			if publicAbove(strings.TrimPrefix(part, "-r")) == dir {
				return dir
			}
		}
	}
	return ""
}

// hasRelative reports whether a PATH has an entry that counts from the working
// directory.
func hasRelative(value string) bool {
	for dir := range strings.SplitSeq(value, ":") {
		if !strings.HasPrefix(dir, "/") {
			return value != ""
		}
	}
	return false
}
